package page

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
)

// attacks are values that end or extend a text in Flux, InfluxQL, SQL, JSON, HTML or a path.
var attacks = []string{
	`") |> drop() //`, `" or true or r["device"] == "`, `"}) |> yield() from(bucket: "home`, `${r._value}`, `\" or 1==1`, `x\`, `\\`, `'; drop table alerts; --`, `' or '1'='1`, `" or "1"="1`, `') union select state, version from alerts --`,
	`"; DROP MEASUREMENT air; --`, `/.*/`, `=~ /./`, "a\nb", "a\x00b", "\xff\xfe", "<script>alert(1)</script>", "../../etc/passwd", "%s%n%x", "%00", "{{.}}", "١٢٣", strings.Repeat("A", 990), "air,device=x co2_ppm=1", "-", "*", " ", "_measurement", "time", "🜁",
}

// stored are hostile ids of devices that have a value each: their number in this list.
var stored = []string{`") or true or ("`, `a" or r["device"] != "b`, `'; drop table alerts; --`, `${x}`, `a=b,c`, `/.*/`, "<script>alert(1)</script>", `a.b`, `' or '1'='1`}

func TestHostileQueriesAreRefusedOrFindWhatTheyName(t *testing.T) {
	for name, c := range map[string]struct {
		house func(testing.TB) *pagetest.House
		n     int
	}{
		"sqlite":  {func(t testing.TB) *pagetest.House { return pagetest.New(t, now) }, 10_000},
		"influx1": {onServers, 300},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.house(t)
			for i, id := range stored {
				h.Readings(reading.Reading{Name: "air", Tags: map[string]string{"device": id}, Time: now.Add(-time.Hour), Fields: map[string]float64{"co2_ppm": 400 + float64(i)}})
			}
			p := pageOfHouse(h, "")
			for i, id := range stored {
				findsOnly(t, p, id, 400+float64(i))
			}
			r := rand.New(rand.NewPCG(7, 9))
			codes := map[int]int{}
			for range c.n {
				path, names := hostileQuery(r)
				codes[asked(t, p, path, names)]++
				if t.Failed() {
					break
				}
			}
			if codes[200] < c.n/50 || codes[400] < c.n/2 {
				t.Errorf("statuses %v: too few queries of a kind", codes)
			}
			for i, id := range stored {
				findsOnly(t, p, id, 400+float64(i)) // nothing was changed
			}
		})
	}
}

// findsOnly asks for the value of one device.
func findsOnly(t *testing.T, p *Page, id string, want float64) {
	t.Helper()
	key := history.Series{Measurement: "air", Field: "co2_ppm", Tags: map[string]string{"device": id}}.Key()
	got := get(t, p, "/history.json?span=day&series="+url.QueryEscape(key))
	var a struct {
		Series []struct {
			Key    string
			Points [][]float64
		}
	}
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil || got.Code != 200 || len(a.Series) != 1 || a.Series[0].Key != key || len(a.Series[0].Points) < 1 || a.Series[0].Points[0][1] != want {
		t.Errorf("%q: %d %.300s, %v", id, got.Code, got.Body, err)
	}
}

// hostileQuery returns an address, and for the API of histories the devices that it names.
func hostileQuery(r *rand.Rand) (path string, devices map[string]bool) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	evil := func(valid string) string {
		switch r.IntN(6) {
		case 0:
			return valid + pick(attacks...)
		case 1:
			return pick(attacks...)
		case 2:
			return pick(attacks...) + valid
		default:
			return valid
		}
	}
	q := url.Values{}
	devices = map[string]bool{}
	switch path = pick("history.json", "history.json", "history.csv", "api/readings", "api/latest", "api/items", "api/runs", "api/devices", "api/alerts", "api/catalogue", "api/tiles"); path {
	case "history.json", "history.csv", "api/readings":
		for range 1 + r.IntN(2) {
			id := pick(append(attacks, "office-air")...)
			key := history.Series{Measurement: evil("air"), Field: evil("co2_ppm"), Tags: map[string]string{evil("device"): id}}.Key()
			if r.IntN(5) == 0 {
				key = pick(attacks...)
			}
			devices[id] = true
			q.Add("series", key)
		}
		q.Set(evil("span"), evil("day"))
	case "api/latest", "api/catalogue":
		q.Set(evil("measurement"), evil("weather"))
	case "api/items":
		q.Set(evil("source"), evil("feeds"))
	case "api/runs":
		q.Set(evil("function"), evil("weather"))
	case "api/devices":
		q.Set(evil("device"), evil("office-air"))
	}
	if r.IntN(4) == 0 {
		q.Set(evil(pick("from", "to", "at", "limit", "view", "within")), evil(pick("2026-11-27", "3", "guest", "24h")))
	}
	query := q.Encode()
	if r.IntN(20) == 0 {
		query += pick("&%zz", ";a=b", "&=", "&series", "?", "%", "&series=%ff%00")
	}
	return "/" + path + "?" + query, devices
}

// asked checks the answer of a hostile query: it is refused clearly, or has only series of the
// devices that it names.
func asked(t *testing.T, p *Page, path string, devices map[string]bool) int {
	t.Helper()
	w := get(t, p, path)
	switch {
	case w.Code >= 500 || w.Code != 200 && w.Code/100 != 4:
		t.Errorf("%s: %d %.300s", path, w.Code, w.Body)
	case w.Code != 200:
		var refused struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &refused); err != nil || refused.Error == "" || len(refused.Error) > 2000 {
			t.Errorf("%s: %d %.300s", path, w.Code, w.Body)
		}
	case strings.HasPrefix(path, "/history.json"):
		var a history.Answer
		if err := json.Unmarshal([]byte(pointless(w.Body.String())), &a); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, s := range a.Series {
			for i, id := range stored {
				if s.Summary.Count > 0 && s.Summary.Low == 400+float64(i) && !devices[id] {
					t.Errorf("%s found the values of %q", path, id)
				}
			}
		}
	}
	return w.Code
}

// pointless removes the points, which are lists and not objects.
func pointless(s string) string {
	var a map[string]any
	if json.Unmarshal([]byte(s), &a) != nil {
		return s
	}
	lines, _ := a["series"].([]any)
	for _, l := range lines {
		delete(l.(map[string]any), "points")
	}
	b, _ := json.Marshal(a)
	return string(b)
}

func get(t *testing.T, p *Page, path string) *httptest.ResponseRecorder {
	t.Helper()
	u, query, _ := strings.Cut(path, "?")
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: u, RawQuery: query}, Header: http.Header{}}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r.WithContext(t.Context()))
	return w
}
