package source_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// house is the surroundings of one source: a real SQLite store, a Slack that
// listens, a clock.
type house struct {
	env     config.Env
	store   *store.Store
	logs    *bytes.Buffer
	mu      sync.Mutex
	now     time.Time
	told    []string
	slack   atomic.Int64 // status to answer; 0: 200
	secrets string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), logs: &bytes.Buffer{}, secrets: t.TempDir()}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	srv := httptest.NewServer(http.HandlerFunc(h.hook))
	t.Cleanup(srv.Close)
	h.store = st
	h.secret(t, "slack-webhook", srv.URL+"/services/T000/B000/s3cr3thook")
	folder := secret.NewFolder(h.secrets)
	h.env = config.Env{
		Vars: map[string]string{}, Secrets: folder, Now: h.clock, Log: config.Logger(h.logs, folder),
		Open: func(context.Context) (*store.Store, error) { return st, nil },
	}
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(time.Millisecond)
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) secret(t *testing.T, name, v string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.secrets, name), []byte(v), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h *house) hook(w http.ResponseWriter, r *http.Request) {
	if code := h.slack.Load(); code != 0 {
		w.WriteHeader(int(code))
		return
	}
	var m struct{ Text string }
	b, _ := io.ReadAll(r.Body)
	json.Unmarshal(b, &m)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, m.Text)
}

func (h *house) serve(t *testing.T, s source.Source) http.Handler {
	t.Helper()
	handler, err := source.Handler(h.env, s)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// call posts to the source and decodes its answer.
func call(t *testing.T, h http.Handler, query string, header ...string) (source.Answer, *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/?"+query, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var a source.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return a, w
}

// thermometer measures its targets once an hour, on the hour.
func thermometer(targets ...string) source.Source {
	return source.Source{
		Name: "weather", Setting: "WEATHER_PLACES", Targets: targets,
		Fetch: func(_ context.Context, target string, _ source.Window) (source.Batch, error) {
			if target == "nowhere" {
				return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 404, Body: "no such place"}
			}
			return source.Batch{
				Readings: []reading.Reading{weather(target, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))},
				Items:    []item.Item{{ID: target, Title: "look at " + target}}, Complete: true,
			}, nil
		},
	}
}

func weather(place string, at time.Time) reading.Reading {
	return reading.Reading{Name: "weather", Tags: map[string]string{"place": place}, Fields: map[string]float64{"temperature_celsius": 8.5}, Time: at}
}

func (h *house) count(t *testing.T) int {
	t.Helper()
	rs, err := h.store.Between(t.Context(), "weather", nil, time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return len(rs)
}

func TestRerunStoresNothingNew(t *testing.T) {
	h := newHouse(t)
	s := h.serve(t, thermometer("home", "cabin"))
	if a, w := call(t, s, ""); w.Code != 200 || a.Status != "ok" || a.Stored != 4 || len(a.Targets) != 2 || a.Run == "" {
		t.Errorf("first run: %d %s", w.Code, w.Body)
	}
	if a, w := call(t, s, "", "X-Connector", "cron-connector"); w.Code != 200 || a.Stored != 0 || a.Unchanged != 4 {
		t.Errorf("second run: %d %s; want nothing new", w.Code, w.Body)
	}
	runs, err := h.store.Runs(t.Context(), "weather", 10)
	if err != nil || len(runs) != 2 || runs[0].Trigger != "cron" || runs[1].Trigger != "http" || runs[0].Status != "ok" {
		t.Errorf("ledger: %+v, %v", runs, err)
	}
	if n := h.count(t); n != 2 {
		t.Errorf("%d readings, want 2", n)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	h := newHouse(t)
	a, w := call(t, h.serve(t, thermometer("home")), "dry_run=true")
	if w.Code != 200 || a.Status != "dry_run" || len(a.Readings) != 1 || len(a.Items) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	runs, _ := h.store.Runs(t.Context(), "", 10)
	items, _ := h.store.OpenItems(t.Context(), "", 10)
	if len(runs)+len(items)+h.count(t) != 0 {
		t.Errorf("written: %v %v", runs, items)
	}
}

func TestAWrongTargetHidesNoOther(t *testing.T) {
	h := newHouse(t)
	s := h.serve(t, thermometer("home", "nowhere", "cabin"))
	a, w := call(t, s, "")
	if w.Code != 200 || a.Status != "partial" || a.Stored != 4 || len(a.Warnings) != 1 || a.Targets[1].Status != "failed" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if a, w := call(t, s, "strict=true"); w.Code != 502 || a.Status != "failed" || !strings.Contains(a.Error, "404") {
		t.Errorf("strict: %d %s", w.Code, w.Body)
	}
}

func TestBadCallsAreRefusedWithASentence(t *testing.T) {
	h := newHouse(t)
	s := thermometer("home")
	history := s
	history.Step = 24 * time.Hour
	for query, src := range map[string]source.Source{
		"from=2024-01-01": s, "to=2024-01-01": history, "from=yesterday": history, "from=2030-01-01": history,
		"from=2024-02-01&to=2024-01-01": history, "dry_run=perhaps": s, "force=1": s, "from=2024-01-01&from=%zz": s,
	} {
		t.Run(query, func(t *testing.T) {
			a, w := call(t, h.serve(t, src), query)
			if w.Code != 400 || len(a.Error) < 10 {
				t.Errorf("%d %s, want 400 and a sentence", w.Code, w.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	h.serve(t, s).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 405 {
		t.Errorf("GET: %d, want 405", w.Code)
	}
}

func TestWithoutItsKeyItIsNotConfigured(t *testing.T) {
	h := newHouse(t)
	s := thermometer("home")
	s.Needs = []secret.String{h.env.Secrets.Get("openweather-key")}
	a, w := call(t, h.serve(t, s), "")
	if w.Code != 200 || a.Status != "not_configured" || fmt.Sprint(a.Missing) != "[secret openweather-key]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.secret(t, "openweather-key", "a-key-at-last")
	if a, w := call(t, h.serve(t, s), ""); a.Status != "ok" {
		t.Errorf("with the key: %d %s", w.Code, w.Body)
	}
	if a, _ := call(t, h.serve(t, thermometer()), ""); fmt.Sprint(a.Missing) != "[WEATHER_PLACES]" {
		t.Errorf("without targets: missing %v", a.Missing)
	}
	if runs, _ := h.store.Runs(t.Context(), "", 10); len(runs) != 1 {
		t.Errorf("%d runs in the ledger, want the one that was configured", len(runs))
	}
}

func TestOnlyOneRunAtOnce(t *testing.T) {
	h := newHouse(t)
	started, finish := make(chan bool), make(chan bool)
	s := thermometer("home")
	fetchNow := s.Fetch
	s.Fetch = func(ctx context.Context, target string, w source.Window) (source.Batch, error) {
		started <- true
		<-finish
		return fetchNow(ctx, target, w)
	}
	handler := h.serve(t, s)
	first := make(chan int)
	go func() {
		_, w := call(t, handler, "")
		first <- w.Code
	}()
	<-started
	if a, w := call(t, handler, ""); w.Code != 409 || a.Status != "running" {
		t.Errorf("second: %d %s, want 409", w.Code, w.Body)
	}
	finish <- true
	if code := <-first; code != 200 {
		t.Errorf("first: %d, want 200", code)
	}
	if runs, _ := h.store.Runs(t.Context(), "", 10); len(runs) != 1 {
		t.Errorf("%d runs, want 1: a 409 makes none", len(runs))
	}
}

func TestFailuresHaveTheirStatusAndStoreNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code int
		wait string
	}{
		"upstream broken":   {&fetch.StatusError{Host: "api.example", Code: 500}, 502, ""},
		"upstream limits":   {&fetch.StatusError{Host: "api.example", Code: 429, RetryAfter: 90 * time.Second}, 429, "90"},
		"quota in the body": {&fetch.UpstreamError{Host: "api.example", Message: "25 a day", Spent: true}, 429, ""},
		"error in the body": {&fetch.UpstreamError{Host: "api.example", Message: "bad key"}, 502, ""},
		"not to be decoded": {fmt.Errorf("decode: %w", io.ErrUnexpectedEOF), 502, ""},
		"nothing in 8 s":    {context.DeadlineExceeded, 502, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			s := thermometer("home")
			s.Fetch = func(context.Context, string, source.Window) (source.Batch, error) { return source.Batch{}, tt.err }
			a, w := call(t, h.serve(t, s), "")
			if w.Code != tt.code || w.Header().Get("Retry-After") != tt.wait || a.Status != "failed" || a.Error == "" || a.Stored != 0 {
				t.Errorf("%d, Retry-After %q, %s; want %d, %q", w.Code, w.Header().Get("Retry-After"), w.Body, tt.code, tt.wait)
			}
			if n := h.count(t); n != 0 {
				t.Errorf("%d readings stored", n)
			}
		})
	}
}

func TestWhatCannotBeRightIsNotStored(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(*reading.Reading){
		"a field that nobody declared": func(r *reading.Reading) { r.Fields["colour"] = 1 },
		"a label that nobody declared": func(r *reading.Reading) { r.Tags["request_id"] = "4711" },
		"a value out of range":         func(r *reading.Reading) { r.Fields["temperature_celsius"] = -273 },
		"a time in 1970":               func(r *reading.Reading) { r.Time = time.Unix(1700000, 0) },
		"a time next month":            func(r *reading.Reading) { r.Time = at.AddDate(0, 1, 0) },
		"an unknown measurement":       func(r *reading.Reading) { r.Name = "wether" },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			s := thermometer("home")
			s.Fetch = func(context.Context, string, source.Window) (source.Batch, error) {
				r := weather("home", at)
				change(&r)
				return source.Batch{Readings: []reading.Reading{weather("home", at.Add(-time.Hour)), r}}, nil
			}
			if a, w := call(t, h.serve(t, s), ""); w.Code != 502 || !strings.Contains(a.Error, "cannot be right") || h.count(t) != 0 {
				t.Errorf("%d %s, %d stored", w.Code, w.Body, h.count(t))
			}
		})
	}
}

func TestAPanicIsAFailureOfItsTarget(t *testing.T) {
	h := newHouse(t)
	s := thermometer("home", "cabin")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, target string, w source.Window) (source.Batch, error) {
		if target == "home" {
			panic("index out of range")
		}
		return good(ctx, target, w)
	}
	if a, w := call(t, h.serve(t, s), ""); w.Code != 200 || a.Status != "partial" || a.Stored != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestSlackHearsOnceOfAFailureAndOnceOfItsEnd(t *testing.T) {
	h := newHouse(t)
	var broken atomic.Bool
	s := thermometer("home", "cabin")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, target string, w source.Window) (source.Batch, error) {
		if broken.Load() {
			return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 500, Body: "<oops> & more"}
		}
		return good(ctx, target, w)
	}
	handler := h.serve(t, s)
	for _, state := range []bool{false, true, true, true, false, false} {
		broken.Store(state)
		h.later(time.Hour)
		call(t, handler, "")
	}
	if len(h.told) != 2 || !strings.Contains(h.told[0], "home, cabin: api.example answered 500") || !strings.Contains(h.told[1], "works again after 3 h") {
		t.Errorf("told %q; want one start and one end", h.told)
	}
	if !strings.Contains(h.told[0], "&lt;oops&gt; &amp; more") {
		t.Errorf("foreign text is not escaped: %q", h.told[0])
	}
}

func TestAMessageSlackRefusesIsSentLater(t *testing.T) {
	h := newHouse(t)
	s := thermometer("nowhere")
	handler := h.serve(t, s)
	h.slack.Store(500)
	call(t, handler, "")
	if len(h.told) != 0 {
		t.Fatalf("told %q", h.told)
	}
	h.slack.Store(0)
	h.later(2 * time.Hour)
	call(t, handler, "")
	if len(h.told) != 1 {
		t.Errorf("told %q, want the one that was kept", h.told)
	}
	if strings.Contains(h.logs.String(), "s3cr3thook") {
		t.Error("the webhook is in the log")
	}
}

func TestPatienceHoldsTheMessageBack(t *testing.T) {
	h := newHouse(t)
	s := thermometer("nowhere")
	s.Patience = func(error) time.Duration { return 7 * 24 * time.Hour }
	handler := h.serve(t, s)
	for day := range 10 {
		call(t, handler, "")
		if want := 0; day < 7 && len(h.told) != want {
			t.Errorf("day %d: told %q", day, h.told)
		}
		h.later(24 * time.Hour)
	}
	if len(h.told) != 1 {
		t.Errorf("told %q, want one after a week", h.told)
	}
}

func TestQuotaLeavesTheScheduleItsCalls(t *testing.T) {
	u, n := count(t)
	h := newHouse(t)
	s := thermometer("home")
	good := s.Fetch
	client := fetch.New()
	s.Fetch = func(ctx context.Context, target string, w source.Window) (source.Batch, error) {
		if _, err := client.Get(ctx, u, nil); err != nil {
			return source.Batch{}, err
		}
		return good(ctx, target, w)
	}
	s.Quota = func(string) *store.Quota { return &store.Quota{Key: "q", Limit: 5, Window: 24 * time.Hour, Spare: 2} }
	handler := h.serve(t, s)
	codes := []int{}
	for range 5 {
		_, w := call(t, handler, "")
		codes = append(codes, w.Code)
	}
	if fmt.Sprint(codes) != "[200 200 200 429 429]" || n.Load() != 3 {
		t.Errorf("reruns: %v with %d calls; want three and two refused", codes, n.Load())
	}
	for range 3 {
		_, w := call(t, handler, "", "X-Topic", "cron-function")
		codes = append(codes, w.Code)
	}
	if fmt.Sprint(codes[5:]) != "[200 200 429]" || n.Load() != 5 {
		t.Errorf("schedule: %v with %d calls; want its two", codes[5:], n.Load())
	}
	if _, w := call(t, handler, ""); w.Header().Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
}

func count(t *testing.T) (*url.URL, *atomic.Int64) {
	n := &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	t.Cleanup(srv.Close)
	u, _ := url.Parse(srv.URL)
	return u, n
}

func TestBackfillGoesOnWhereItSays(t *testing.T) {
	h := newHouse(t)
	s := thermometer("home")
	s.Step = 24 * time.Hour
	s.Fetch = func(_ context.Context, target string, w source.Window) (source.Batch, error) {
		var b source.Batch
		for at := w.From; at.Before(w.To); at = at.Add(time.Hour) {
			b.Readings = append(b.Readings, weather(target, at))
		}
		h.later(3 * time.Second) // what a step takes
		return b, nil
	}
	handler := h.serve(t, s)
	from, calls := "2026-01-01", 0
	for from != "" {
		a, w := call(t, handler, "from="+from+"&to=2026-01-31")
		if w.Code != 200 || calls > 31 {
			t.Fatalf("call %d from %s: %d %s", calls, from, w.Code, w.Body)
		}
		from = a.Next
		calls++
	}
	if n := h.count(t); n != 31*24 || calls < 2 {
		t.Errorf("%d readings in %d calls, want %d in several", n, calls, 31*24)
	}
	if a, _ := call(t, handler, "from=2026-01-05&to=2026-01-05"); a.Stored != 0 || a.Unchanged != 24 {
		t.Errorf("again: %+v; want the day's 24 unchanged", a)
	}
}

func TestItemsAreToldOnceWhateverIsRerun(t *testing.T) {
	h := newHouse(t)
	s := thermometer("home")
	on := true
	s.Fetch = func(context.Context, string, source.Window) (source.Batch, error) {
		b := source.Batch{Complete: true}
		if on {
			b.Items = []item.Item{{ID: "1", Title: "Pi 5 in stock"}}
		}
		return b, nil
	}
	s.Tell = func(c item.Change) (string, bool) { return fmt.Sprint(c.Item.Title, " ", c.Opened), true }
	s.TellOnce = func(item.Item) bool { return true }
	handler := h.serve(t, s)
	for _, there := range []bool{true, true, false, true, true} {
		on = there
		h.later(time.Hour)
		call(t, handler, "")
	}
	if fmt.Sprint(h.told) != "[Pi 5 in stock true]" {
		t.Errorf("told %q, want it once", h.told)
	}
}

func TestTheFirstRealRunRemovesTheSamples(t *testing.T) {
	h := newHouse(t)
	h.env.Sample = true
	if a, w := call(t, h.serve(t, thermometer("home")), ""); !a.Sample || a.Stored != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	rs, _ := h.store.Latest(t.Context(), "weather", time.Time{})
	if len(rs) != 1 || rs[0].Tags["sample"] != "true" {
		t.Errorf("%v: a sample is not marked", rs)
	}
	h.env.Sample = false
	call(t, h.serve(t, thermometer("cabin")), "")
	rs, _ = h.store.Latest(t.Context(), "weather", time.Time{})
	items, _ := h.store.OpenItems(t.Context(), "weather", 10)
	if len(rs) != 1 || rs[0].Tags["place"] != "cabin" || len(items) != 1 || items[0].Sample {
		t.Errorf("readings %v, items %v: want the real ones alone", rs, items)
	}
}

func TestItemsOfATargetTakenOutOfTheSettingsAreClosed(t *testing.T) {
	h := newHouse(t)
	call(t, h.serve(t, thermometer("home", "cabin")), "")
	call(t, h.serve(t, thermometer("cabin")), "")
	items, err := h.store.OpenItems(t.Context(), "weather", 10)
	if err != nil || len(items) != 1 || items[0].Target != "cabin" {
		t.Errorf("open: %v, %v; want the cabin's alone", items, err)
	}
}

func TestAStoreThatIsAwayAnswers503(t *testing.T) {
	h := newHouse(t)
	h.env.Open = func(context.Context) (*store.Store, error) { return nil, store.ErrNotMigrated }
	if a, w := call(t, h.serve(t, thermometer("home")), ""); w.Code != 503 || !strings.Contains(a.Error, "make migrate") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h2 := newHouse(t)
	h2.store.Close()
	if _, w := call(t, h2.serve(t, thermometer("home")), ""); w.Code != 503 {
		t.Errorf("closed store: %d %s", w.Code, w.Body)
	}
}
