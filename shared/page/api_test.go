package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
)

// apiHouse is the house of the examples in docs/api.md.
func apiHouse(t *testing.T) *pagetest.House {
	h := pagetest.New(t, now)
	h.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 1412))
	for i, v := range []float64{1240, 1260, 1310, 1290} {
		h.Readings(reading.Reading{Name: "air", Tags: map[string]string{"device": "office-air"}, Time: time.Date(2026, 11, 27, 13, i, 0, 0, time.UTC), Fields: map[string]float64{"co2_ppm": v}})
	}
	h.Readings(reading.Reading{Name: "weather", Tags: map[string]string{"place": "Berlin"}, Time: now.Add(-7 * time.Minute), Fields: map[string]float64{"temperature_celsius": 9.4, "humidity_percent": 71}, Text: map[string]string{"description": "light rain"}})
	h.Items("asana", "Home", item.Item{ID: "120001", Title: "Renew the passport", URL: "https://app.asana.com/0/1/120001", At: now.AddDate(0, 0, -3)})
	v, limit := 1412.0, 1200.0
	h.OK(h.Store.MoveAlerts(t.Context(), []string{"air-co2-high/office-air"}, func(map[string]alert.State) ([]alert.State, []alert.Message) {
		return []alert.State{{Key: "air-co2-high/office-air", Spec: alert.Spec{Rule: "air-co2-high", Title: "CO₂ is high", Severity: alert.Warning, Next: "Air the room."}, Subject: alert.Subject{Device: "office-air", Name: "Office air", Room: "Office", Measurement: "air", Field: "co2_ppm"},
			Phase: alert.Firing, Episode: 1, Value: &v, Limit: &limit, Unit: "ppm", Since: now.Add(-86 * time.Minute), Fired: now.Add(-76 * time.Minute)}}, nil
	}))
	return h
}

// example is a request in the docs, and the answer below it.
var example = regexp.MustCompile("(?s)```text\nGET (\\S+)\n```\n\n```json\n(.*?)```\n")

// numbers matches a list of numbers that is spread over several lines.
var numbers = regexp.MustCompile(`\[\s+((?:null|-?[0-9.e+]+)(?:,\s+(?:null|-?[0-9.e+]+))*)\s+\]`)

func TestTheExamplesOfTheAPIAreWhatItAnswers(t *testing.T) {
	const path = "../../docs/api.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := pageOfHouse(apiHouse(t), "")
	run := regexp.MustCompile(`"run": "[^"]+"`)
	count := 0
	got := example.ReplaceAllStringFunc(string(b), func(all string) string {
		count++
		address := example.FindStringSubmatch(all)[1]
		w := get(t, p, "/"+address)
		if address == "api/tiles" { // its words are those of the tiles, which have tests of their own
			isPage(t, []byte(example.FindStringSubmatch(all)[2]))
			isPage(t, w.Body.Bytes())
			return all
		}
		var out bytes.Buffer
		if err := json.Indent(&out, w.Body.Bytes(), "", "  "); err != nil {
			t.Fatalf("%s: %d %s", address, w.Code, w.Body)
		}
		text := numbers.ReplaceAllStringFunc(out.String(), func(list string) string {
			return "[" + strings.Join(strings.Fields(strings.Trim(list, "[]")), " ") + "]"
		})
		text = run.ReplaceAllString(text, `"run": "5f0c8d1e2b7a4c90"`) // it is random
		return "```text\nGET " + address + "\n```\n\n```json\n" + text + "```\n"
	})
	if count < 9 {
		t.Errorf("%d examples", count)
	}
	golden.Text(t, path, got)
	for _, e := range endpoints {
		if !strings.Contains(string(b), "`"+e.Path+"`") {
			t.Errorf("docs/api.md does not name %s", e.Path)
		}
		for _, name := range e.Parameters {
			if !strings.Contains(string(b), "`"+name) {
				t.Errorf("docs/api.md does not name the parameter %s of %s", name, e.Path)
			}
		}
	}
}

// isPage checks that a JSON text has the keys of api/tiles, with a tile and what it needs.
func isPage(t *testing.T, text []byte) {
	t.Helper()
	var page apiPage
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&page); err != nil || len(page.Tiles) == 0 || len(page.Needs) == 0 || page.Tiles[0].Kind == "" || page.Needs[0].What == "" {
		t.Errorf("%v: %s", err, text)
	}
}

func TestTheAPIListsItsAddressesWhichAllAnswer(t *testing.T) {
	h := apiHouse(t)
	p := pageOfHouse(h, "")
	var listed []endpoint
	if w := get(t, p, "/api/"); json.Unmarshal(w.Body.Bytes(), &listed) != nil || len(listed) != len(endpoints) {
		t.Fatal(w.Body)
	}
	for path, want := range map[string]int{
		"/api": 200, "/api/devices": 200, "/api/latest?measurement=air": 200, "/api/items": 200, "/api/items?source=feeds": 200, "/api/alerts": 200, "/api/runs": 200, "/api/catalogue": 200, "/api/tiles": 200,
		"/history.csv?series=air.co2_ppm": 200, "/api/device": 404, "/api/items?source=asanaa": 400, "/api/runs?function=wether": 400, "/api/devices?device=office": 400, "/api/alerts?open=1": 400, "/api/alerts?limit=0": 400,
		"/api/latest": 400, "/api/latest?measurement=air&within=-1h": 400, "/api/tiles?at=yesterday": 400, "/api/devices?rom=Office": 400, "/api/tiles?view=nobody": 400, "/api/devices?device=a%zz": 400, "/api/devices?device=a%00": 400,
		"/api/devices?device=" + strings.Repeat("x", 9000): 414,
		"/api/devices?view=guest":                          403, "/api/alerts?view=guest": 403, "/api/runs?view=guest": 403, "/api/items?view=guest&source=asana": 403, "/api/items?view=guest": 200, "/api/tiles?view=guest": 200,
		"/api/latest?view=guest&measurement=stock_quote": 403, "/api/catalogue?view=guest&measurement=stock_quote": 403, "/api/catalogue?view=guest": 200, "/api/latest?view=guest&measurement=weather": 200,
	} {
		w := get(t, p, path)
		if w.Code != want {
			t.Errorf("%.60s: %d %.200s, want %d", path, w.Code, w.Body, want)
		}
		if w.Code == 200 && strings.Contains(path, "guest") && (strings.Contains(w.Body.String(), "passport") || strings.Contains(w.Body.String(), "stock_quote\"")) {
			t.Errorf("%s tells a guest %.300s", path, w.Body)
		}
	}
	if w := get(t, p, "/api/devices?rom=Office"); !strings.Contains(w.Body.String(), "did you mean room?") || !strings.Contains(w.Body.String(), "known are device, room, view") {
		t.Error(w.Body)
	}
}

func TestAnAnswerOfTheAPIHasATagAndIsCompressed(t *testing.T) {
	p := pageOfHouse(apiHouse(t), "")
	r := httptest.NewRequest("GET", "/api/catalogue", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !json.Valid(b) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%v, %v", w.Header(), err)
	}
	tag := w.Header().Get("ETag")
	for _, given := range []string{tag, "W/" + tag} {
		r.Header.Set("If-None-Match", given)
		w = httptest.NewRecorder()
		if p.ServeHTTP(w, r); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s: %d, %d bytes", given, w.Code, w.Body.Len())
		}
	}
	r.Header.Set("If-None-Match", `"other"`)
	if w = httptest.NewRecorder(); true {
		if p.ServeHTTP(w, r); w.Code != 200 {
			t.Errorf("another tag: %d", w.Code)
		}
	}
}

func TestTheAPITellsNoSecret(t *testing.T) {
	h := apiHouse(t)
	h.Items("feeds", "News", item.Item{ID: "1", Title: `the key is "hunter-22"`, URL: "https://a.example/?key=hunter-22", At: now})
	h.Device("edge", "Plug hunter-22", "", pagetest.State("co2_ppm", 1))
	h.Readings(reading.Reading{Name: "air", Tags: map[string]string{"device": "plug-hunter-22"}, Time: now.Add(-time.Minute), Fields: map[string]float64{"co2_ppm": 1}})
	p := pageOfHouse(h, "")
	p.Glance.Redact = func(s string) string { return strings.ReplaceAll(s, "hunter-22", "[secret]") }
	for _, path := range []string{"/api/items", "/api/devices", "/api/latest?measurement=air", "/history.json?series=air.co2_ppm", "/history.csv?series=air.co2_ppm", "/api/devices?device=hunter-22", "/history.json?series=hunter-22.x"} {
		if w := get(t, p, path); strings.Contains(w.Body.String(), "hunter-22") || !strings.Contains(w.Body.String(), "[secret]") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
