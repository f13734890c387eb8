package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

const nasty = `<script>alert(1)</script>"'&`

// filled is a store with a bit of everything, some of it hostile.
func filled(t *testing.T) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var rs []reading.Reading
	for i := range 5 {
		rs = append(rs, reading.Reading{Name: "weather", Tags: map[string]string{"place": nasty, "sample": "true"},
			Fields: map[string]float64{"temperature_celsius": 12.345 + float64(i)}, Text: map[string]string{"description": nasty},
			Time: now.Add(-time.Duration(i+1) * time.Hour)})
	}
	rs = append(rs, reading.Reading{Name: "weather_forecast", Tags: map[string]string{"place": "home"},
		Fields: map[string]float64{"temperature_celsius": 3}, Time: now.Add(2 * time.Hour)},
		reading.Reading{Name: "weather_forecast", Tags: map[string]string{"place": "home"},
			Fields: map[string]float64{"temperature_celsius": 4}, Time: now.Add(5 * time.Hour)})
	if err := st.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	r, err := st.Begin(t.Context(), store.Run{Function: "weather", Trigger: "cron", Started: now.Add(-10 * time.Minute)}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.SaveItems(t.Context(), r, []store.List{{Source: "feeds", Target: "news", Items: []item.Item{
		{ID: "1", Title: nasty, URL: "javascript:alert(1)", At: now.Add(-2 * time.Hour)},
		{ID: "2", Title: "a fine entry", URL: "https://example.org/?a=1&b=2", At: now.Add(-time.Hour), Sample: true},
	}}}, nil); err != nil {
		t.Fatal(err)
	}
	r.Status, r.Took = "ok", time.Second
	if err := st.Finish(t.Context(), r, nil, store.Alerts{}); err != nil {
		t.Fatal(err)
	}
	return st
}

func site(t *testing.T, open func(context.Context) (*store.Store, error)) *httptest.Server {
	t.Helper()
	p := &Page{Inputs: Inputs{
		Functions: func() []Function {
			return []Function{
				{Name: "weather", State: Sample, Missing: []string{"OPENWEATHER_KEY"}, Schedule: "*/15 * * * *", Next: now.Add(5 * time.Minute)},
				{Name: "zigbee", State: Live, Topic: "zigbee2mqtt/#"},
				{Name: "feeds", State: Live},
				{Name: "asana", State: Live},
			}
		},
		Open: open, Now: func() time.Time { return now },
		Redact: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") }, RedactCut: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") },
	}}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestThePageShowsWhatThereIs(t *testing.T) {
	st := filled(t)
	srv := site(t, func(context.Context) (*store.Store, error) { return st, nil })
	_, body := get(t, srv.URL+"/status")
	for _, want := range []string{
		"12.3</b>", "°C", "Temperature", "1 h ago", "<polyline", "in 2 h", // readings
		"a fine entry", `href="https://example.org/?a=1&amp;b=2"`, // items
		"wants OPENWEATHER_KEY", "in 5 min", "*/15 * * * *", "10 min ago", "for messages at zigbee2mqtt/#", // functions
		`<span class="badge sample">sample</span>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s\n%s", want, body)
		}
	}
}

func TestNothingForeignBecomesMarkup(t *testing.T) {
	st := filled(t)
	srv := site(t, func(context.Context) (*store.Store, error) { return st, nil })
	res, body := get(t, srv.URL+"/status")
	for _, bad := range []string{"<script>alert", "javascript:", `"'&`} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %s\n%s", bad, body)
		}
	}
	if !strings.Contains(body, "&lt;script&gt;alert(1)") {
		t.Error("the hostile title is not there at all")
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy = %s", csp)
	}
	for _, external := range []string{`src="http`, `href="//`, `src="//`, "@import", "style="} {
		if strings.Contains(body, external) {
			t.Errorf("the page loads or inlines with %s", external)
		}
	}
}

func TestItsJSONIsWhatThePageShows(t *testing.T) {
	st := filled(t)
	srv := site(t, func(context.Context) (*store.Store, error) { return st, nil })
	res, body := get(t, srv.URL+"/status.json")
	var d Data
	if err := json.Unmarshal([]byte(body), &d); err != nil || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, body)
	}
	if len(d.Functions) != 4 || d.Functions[2].Name != "weather" || d.Functions[2].Last == nil || len(d.Measurements) != 2 || len(d.Lists) != 1 || len(d.Lists[0].Items) != 2 || !d.Sample {
		t.Errorf("data = %+v", d)
	}
}

func TestAStoreThatIsAwayIsSaidWithoutItsSecrets(t *testing.T) {
	srv := site(t, func(context.Context) (*store.Store, error) { return nil, errors.New("no route to geheim") })
	res, body := get(t, srv.URL+"/status")
	if res.StatusCode != 200 || !strings.Contains(body, "no route to [secret]") || !strings.Contains(body, "weather") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestManyItemsOfOneSourceHideNoOther(t *testing.T) {
	st := filled(t)
	for source, n := range map[string]int{"feeds": 400, "asana": 1} {
		r, err := st.Begin(t.Context(), store.Run{Function: source, Trigger: "cron", Started: now}, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		l := store.List{Source: source, Target: "many"}
		for i := range n {
			l.Items = append(l.Items, item.Item{ID: fmt.Sprint(i), Title: source + " item", At: now.Add(-time.Duration(1000-n) * time.Hour)})
		}
		if _, _, err := st.SaveItems(t.Context(), r, []store.List{l}, nil); err != nil {
			t.Fatal(err)
		}
	}
	_, body := get(t, site(t, func(context.Context) (*store.Store, error) { return st, nil }).URL+"/status")
	if !strings.Contains(body, "asana item") || !strings.Contains(body, "feeds item") {
		t.Error("one source's items hide the other's")
	}
}

func TestAViewerWhoLeavesSpoilsItForNobody(t *testing.T) {
	st := filled(t)
	p := &Page{Inputs: Inputs{
		Functions: func() []Function { return []Function{{Name: "weather", State: Live}} },
		Open:      func(context.Context) (*store.Store, error) { return st, nil }, Now: func() time.Time { return now },
		Redact: func(s string) string { return s }, RedactCut: func(s string) string { return s },
	}}
	gone, leave := context.WithCancel(t.Context())
	leave()
	p.snapshot(gone)
	if d := p.snapshot(t.Context()).data; len(d.Errors) != 0 || len(d.Measurements) == 0 {
		t.Errorf("the next one sees %q", d.Errors)
	}
}

func TestItServesItsOwnFilesAndNoMore(t *testing.T) {
	srv := site(t, func(context.Context) (*store.Store, error) { return nil, errors.New("away") })
	for path, want := range map[string]int{
		"/status.css": 200, "/status.js": 200, "/favicon.ico": 200, "/status": 200, "/status.json": 200,
		"/page.html": 404, "/page.go": 404, "/x": 404,
	} {
		if res, _ := get(t, srv.URL+path); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	res, err := http.Post(srv.URL+"/status", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
}

func TestALineIsWithinItsBoxAndInTime(t *testing.T) {
	q := lastSteps("x", day, now)
	if from, to := now.Add(-day+15*time.Minute), now.Add(15*time.Minute); !q.From.Equal(from) || !q.To.Equal(to) {
		t.Fatalf("at a full hour the steps are from %s to %s, want %s and %s", q.From, q.To, from, to)
	}
	at := func(hours int, mean float64, count int) store.Window {
		return store.Window{Start: q.From.Add(time.Duration(hours) * time.Hour), Mean: mean, Min: mean - 1, Max: mean + 1, Count: count}
	}
	draw := func(ws ...store.Window) Spark {
		return line(graph{q, []store.WindowSeries{{Windows: ws}}}.buckets(), "", catalogue.Format{})
	}
	if s := draw(at(-1, 99, 1), at(4, 2, 1), at(14, 4, 1), at(23, 3, 1), at(24, 99, 1)); s.Points != "17.2,17.0 58.9,7.0 96.4,12.0" || s.About != "between 1 and 5" {
		t.Errorf("line = %+v", s)
	}
	if s := draw(at(4, 2, 1)); s.Points != "" {
		t.Errorf("one step draws %+v", s)
	}
	two := graph{q, []store.WindowSeries{{Windows: []store.Window{at(4, 2, 1)}}, {Windows: []store.Window{at(4, 6, 3)}}}}.buckets()
	if b := two[16]; b != (bucket{5, 4, 1, 7, false}) {
		t.Errorf("two series in one step are %+v", b)
	}
}

func TestNumbersAndAgesReadWell(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 12.345: "12.35", 0.01234: "0.0123", 1013.25: "1013", 123.46: "123.5", -0.00001: "0", 5: "5"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "just now", -time.Minute: "1 min ago", -90 * time.Minute: "1 h ago", -72 * time.Hour: "3 days ago", time.Hour: "in 1 h", time.Second: "in a moment",
	} {
		if got := ago(now, now.Add(d)); got != want {
			t.Errorf("ago(%s) = %s, want %s", d, got, want)
		}
	}
	if got := ago(now, time.Time{}); got != "never" {
		t.Errorf("ago of no time = %s", got)
	}
}

// A store that does not answer is tried once a second, counted from when a try
// ended, however many look.
func TestAStoreThatIsAwayIsTriedOnceASecond(t *testing.T) {
	at, tries := now, 0
	p := &Page{Inputs: Inputs{Now: func() time.Time { return at }, Redact: func(s string) string { return s }, RedactCut: func(s string) string { return s },
		Open: func(context.Context) (*store.Store, error) {
			tries++
			at = at.Add(deadline)
			return nil, errors.New("no answer")
		}}}
	for i, wait := range []time.Duration{0, 0, 300 * time.Millisecond, 700 * time.Millisecond, 1} {
		at = at.Add(wait)
		p.snapshot(t.Context())
		if want := 1 + i/4; tries != want {
			t.Errorf("look %d: %d tries, want %d", i, tries, want)
		}
	}
}
