package source_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

func TestRerunStoresNothingNew(t *testing.T) {
	h := start(t, thermometer("home", "cabin"))
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || a.Stored != 4 || len(a.Targets) != 2 || a.Run == "" {
		t.Errorf("first run: %d %s", w.Code, w.Body)
	}
	if a, w := h.Post("", "X-Connector", "cron-connector"); w.Code != 200 || a.Stored != 0 || a.Unchanged != 4 {
		t.Errorf("second run: %d %s; want nothing new", w.Code, w.Body)
	}
	runs, err := h.Store.Runs(t.Context(), "weather", 10)
	if err != nil || len(runs) != 2 || runs[0].Trigger != "cron" || runs[1].Trigger != "http" || runs[0].Status != "ok" {
		t.Errorf("ledger: %+v, %v", runs, err)
	}
	if n := len(h.Readings("weather")); n != 2 {
		t.Errorf("%d readings, want 2", n)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	h := start(t, thermometer("home"))
	a, w := h.Post("dry_run=true")
	if w.Code != 200 || a.Status != "dry_run" || len(a.Readings) != 1 || len(a.Items) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	runs, _ := h.Store.Runs(t.Context(), "", 10)
	items, _ := h.Store.OpenItems(t.Context(), "", 10)
	if len(runs)+len(items)+len(h.Readings("weather")) != 0 {
		t.Errorf("written: %v %v", runs, items)
	}
}

func TestAFailedTargetDoesNotAffectTheOthers(t *testing.T) {
	h := start(t, thermometer("home", "nowhere", "cabin"))
	a, w := h.Post("")
	if w.Code != 200 || a.Status != "partial" || a.Stored != 4 || len(a.Warnings) != 1 || a.Targets[1].Status != "failed" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if a, w := h.Post("strict=true"); w.Code != 502 || a.Status != "failed" || !strings.Contains(a.Error, "404") {
		t.Errorf("strict: %d %s", w.Code, w.Body)
	}
}

func TestBadParametersAreRefusedWithAReason(t *testing.T) {
	h := start(t, thermometer("home"))
	s := thermometer("home")
	history := s
	history.Step = 24 * time.Hour
	for query, src := range map[string]source.Source{
		"from=2024-01-01": s, "to=2024-01-01": history, "from=yesterday": history, "from=2030-01-01": history,
		"from=2024-02-01&to=2024-01-01": history, "dry_run=perhaps": s, "force=1": s, "from=2024-01-01&from=%zz": s,
		"dryrun=true": s, "DRY_RUN=true": s, "dry_run=": s, "dry_run=false&dry_run=true": s, "dry_run=true;strict=true": s, "FROM=2024-01-01": history,
	} {
		t.Run(query, func(t *testing.T) {
			a, w := run(h, src, query)
			if w.Code != 400 || len(a.Error) < 10 {
				t.Errorf("%d %s, want 400 and a reason", w.Code, w.Body)
			}
		})
	}
	for _, c := range []struct {
		kind, body string
		want       int
	}{
		{"application/x-www-form-urlencoded", "dry_run=true", 400},
		{"application/x-www-form-urlencoded; charset=utf-8", "dryrun=true", 400},
		{"application/json", `{"dry_run":true}`, 400},
		{"", `{"from":"2024-01-01"}`, 400},
		{"application/x-www-form-urlencoded", "", 200},
		{"application/json", "{}", 200},
		{"text/plain", "whatever the trigger sends", 200},
	} {
		r, w := httptest.NewRequest("POST", "/", strings.NewReader(c.body)), httptest.NewRecorder()
		r.Header.Set("Content-Type", c.kind)
		if h.Source.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("the body %q of type %s: %d %s, want %d", c.body, c.kind, w.Code, w.Body, c.want)
		}
	}
	w := httptest.NewRecorder()
	h.Source.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 405 {
		t.Errorf("GET: %d, want 405", w.Code)
	}
}

func TestWithoutItsKeyItIsNotConfigured(t *testing.T) {
	h := start(t, thermometer("home"))
	s := thermometer("home")
	s.Needs = []secret.String{h.Env.Secrets.Get("openweather-key")}
	a, w := run(h, s, "")
	if w.Code != 200 || a.Status != "not_configured" || fmt.Sprint(a.Missing) != "[secret openweather-key]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if fs, err := h.Store.Functions(t.Context()); err != nil || len(fs) != 1 || fs[0].Name != "weather" || fs[0].Configured {
		t.Errorf("seen: %+v, %v; want it, not configured", fs, err)
	}
	h.Secret("openweather-key", "a-key-at-last")
	if a, w := run(h, s, ""); a.Status != "ok" {
		t.Errorf("with the key: %d %s", w.Code, w.Body)
	}
	if fs, _ := h.Store.Functions(t.Context()); len(fs) != 1 || !fs[0].Configured {
		t.Errorf("seen: %+v, want it configured", fs)
	}
	if a, _ := run(h, thermometer(), ""); fmt.Sprint(a.Missing) != "[WEATHER_PLACES]" {
		t.Errorf("without targets: missing %v", a.Missing)
	}
	if runs, _ := h.Store.Runs(t.Context(), "", 10); len(runs) != 1 {
		t.Errorf("%d runs in the ledger, want only the one that was configured", len(runs))
	}
}

func TestASecondRunAtTheSameTimeIsRefused(t *testing.T) {
	started, finish := make(chan bool), make(chan bool)
	s := thermometer("home")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		started <- true
		<-finish
		return good(ctx, client, target, w)
	}
	h := start(t, s)
	first := make(chan int)
	go func() {
		_, w := h.Post("")
		first <- w.Code
	}()
	<-started
	if a, w := h.Post(""); w.Code != 409 || a.Status != "running" {
		t.Errorf("second: %d %s, want 409", w.Code, w.Body)
	}
	finish <- true
	if code := <-first; code != 200 {
		t.Errorf("first: %d, want 200", code)
	}
	if runs, _ := h.Store.Runs(t.Context(), "", 10); len(runs) != 1 {
		t.Errorf("%d runs, want 1: a 409 is not in the ledger", len(runs))
	}
}

func TestAFailedRunAnswersItsStatusAndStoresNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code int
		wait string
	}{
		"upstream broken":   {&fetch.StatusError{Host: "api.example", Code: 500}, 502, ""},
		"upstream limits":   {&fetch.StatusError{Host: "api.example", Code: 429, RetryAfter: 90 * time.Second}, 429, "90"},
		"quota in the body": {&fetch.UpstreamError{Host: "api.example", Message: "25 a day", Spent: true}, 429, "60"},
		"error in the body": {&fetch.UpstreamError{Host: "api.example", Message: "bad key"}, 502, ""},
		"cannot be decoded": {fmt.Errorf("decode: %w", io.ErrUnexpectedEOF), 502, ""},
		"nothing in 8 s":    {context.DeadlineExceeded, 502, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := thermometer("home")
			s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
				return source.Batch{}, tt.err
			}
			h := start(t, s)
			a, w := h.Post("")
			if w.Code != tt.code || w.Header().Get("Retry-After") != tt.wait || a.Status != "failed" || a.Error == "" || a.Stored != 0 {
				t.Errorf("%d, Retry-After %q, %s; want %d, %q", w.Code, w.Header().Get("Retry-After"), w.Body, tt.code, tt.wait)
			}
			if n := len(h.Readings("weather")); n != 0 {
				t.Errorf("%d readings stored", n)
			}
		})
	}
}

// A name that is not in the catalogue is a bug of the source: it fails the whole
// target.
func TestABadReadingDoesNotBlockGoodOnes(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		change func(*reading.Reading)
		fails  bool
	}{
		"an undeclared field":       {func(r *reading.Reading) { r.Fields["colour"] = 1 }, true},
		"an undeclared label":       {func(r *reading.Reading) { r.Tags["request_id"] = "4711" }, true},
		"an unknown measurement":    {func(r *reading.Reading) { r.Name = "wether" }, true},
		"only a value out of range": {func(r *reading.Reading) { r.Fields = map[string]float64{"temperature_celsius": -273} }, false},
		"a time in 1970":            {func(r *reading.Reading) { r.Time = time.Unix(1700000, 0) }, false},
		"a time next month":         {func(r *reading.Reading) { r.Time = at.AddDate(0, 1, 0) }, false},
		"a label of 64 KiB":         {func(r *reading.Reading) { r.Tags["place"] = strings.Repeat("x", 64<<10) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := thermometer("home")
			alone := false
			s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
				r := weather("home", at)
				tc.change(&r)
				if alone {
					return source.Batch{Readings: []reading.Reading{r}}, nil
				}
				return source.Batch{Readings: []reading.Reading{weather("home", at.Add(-time.Hour)), r}}, nil
			}
			h := start(t, s)
			a, w := h.Post("")
			if failed := w.Code == 502 && strings.Contains(a.Error, "cannot be right") && len(h.Readings("weather")) == 0; tc.fails && !failed {
				t.Errorf("%d %s, %d stored", w.Code, w.Body, len(h.Readings("weather")))
			}
			if !tc.fails && (w.Code != 200 || a.Status != "ok" || a.Stored != 1 || len(a.Warnings) != 1) {
				t.Errorf("%d %s; want the good reading stored and a warning", w.Code, w.Body)
			}
			alone = true
			if a, w := h.Post(""); w.Code != 502 || !strings.Contains(a.Error, "cannot be right") {
				t.Errorf("with no good reading: %d %s, want a failure", w.Code, w.Body)
			}
		})
	}
}

func TestAValueOutOfItsRangeIsLeftOutAndNamed(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, many := range []int{1, 7} {
		s := thermometer("home")
		s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
			var b source.Batch
			for i := range many {
				r := weather("home", at.Add(-time.Duration(i)*time.Minute))
				r.Fields = map[string]float64{"temperature_celsius": -273, "humidity_percent": 50}
				b.Readings = append(b.Readings, r)
			}
			return b, nil
		}
		h := start(t, s)
		a, w := h.Post("")
		if w.Code != 200 || a.Status != "ok" || a.Stored != many || len(a.Warnings) != min(many, 6) || !strings.Contains(a.Warnings[0], "temperature_celsius is -273") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if many == 7 && !strings.Contains(a.Warnings[5], "2 more") {
			t.Errorf("%q", a.Warnings)
		}
		for _, r := range h.Readings("weather") {
			if _, ok := r.Fields["temperature_celsius"]; ok || r.Fields["humidity_percent"] != 50 {
				t.Errorf("stored %s", r.Line())
			}
		}
		if a, _ := h.Post(""); a.Stored != 0 || a.Unchanged != many {
			t.Errorf("a rerun: %+v", a)
		}
	}
}

func TestAPanicFailsOnlyItsTarget(t *testing.T) {
	s := thermometer("home", "cabin")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if target == "home" {
			panic("index out of range")
		}
		return good(ctx, client, target, w)
	}
	if a, w := start(t, s).Post(""); w.Code != 200 || a.Status != "partial" || a.Stored != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestManualRerunsLeaveTheScheduleItsCalls(t *testing.T) {
	h := start(t, thermometer("home"))
	s := requesting(h, thermometer("home"))
	s.Quota = func(string) *store.Quota { return &store.Quota{Key: "q", Limit: 5, Window: 24 * time.Hour, Reserve: 2} }
	h.Build(of(s))
	codes := []int{}
	for range 5 {
		_, w := h.Post("")
		codes = append(codes, w.Code)
	}
	if fmt.Sprint(codes) != "[200 200 200 429 429]" || len(h.Requests) != 3 {
		t.Errorf("reruns: %v with %d calls; want three that work and two refused", codes, len(h.Requests))
	}
	for range 3 {
		_, w := h.Post("", "X-Topic", "cron-function")
		codes = append(codes, w.Code)
	}
	if fmt.Sprint(codes[5:]) != "[200 200 429]" || len(h.Requests) != 5 {
		t.Errorf("schedule: %v with %d calls; want its two reserved calls", codes[5:], len(h.Requests))
	}
	if _, w := h.Post(""); w.Header().Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
}

func TestABackfillContinuesAtNext(t *testing.T) {
	h := start(t, thermometer("home"))
	s := thermometer("home")
	s.Step = 24 * time.Hour
	s.Fetch = func(_ context.Context, _ *fetch.Client, target string, w source.Window) (source.Batch, error) {
		var b source.Batch
		for at := w.From; at.Before(w.To); at = at.Add(time.Hour) {
			b.Readings = append(b.Readings, weather(target, at))
		}
		h.Later(3 * time.Second) // the duration of a step
		return b, nil
	}
	h.Build(of(s))
	from, calls := "2026-01-01", 0
	for from != "" {
		a, w := h.Post("from=" + from + "&to=2026-01-31")
		if w.Code != 200 || calls > 31 {
			t.Fatalf("call %d from %s: %d %s", calls, from, w.Code, w.Body)
		}
		from = a.Next
		calls++
	}
	if n := len(h.Readings("weather")); n != 31*24 || calls < 2 {
		t.Errorf("%d readings in %d calls, want %d in several", n, calls, 31*24)
	}
	if a, _ := h.Post("from=2026-01-05&to=2026-01-05"); a.Stored != 0 || a.Unchanged != 24 {
		t.Errorf("again: %+v; want the 24 readings of the day unchanged", a)
	}
}

func TestTheFirstRunWithAKeyRemovesTheSampleData(t *testing.T) {
	h := start(t, thermometer("home"))
	h.Env.Sample = true
	if a, w := run(h, thermometer("home"), ""); !a.Sample || a.Stored != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	rs, _ := h.Store.Latest(t.Context(), "weather", time.Time{})
	if len(rs) != 1 || rs[0].Tags["sample"] != "true" {
		t.Errorf("%v: sample data is not marked", rs)
	}
	h.Env.Sample = false
	run(h, thermometer("cabin"), "")
	rs, _ = h.Store.Latest(t.Context(), "weather", time.Time{})
	items, _ := h.Store.OpenItems(t.Context(), "weather", 10)
	if len(rs) != 1 || rs[0].Tags["place"] != "cabin" || len(items) != 1 || items[0].Sample {
		t.Errorf("readings %v, items %v: want only the real ones", rs, items)
	}
}

func TestItemsOfARemovedTargetAreClosed(t *testing.T) {
	h := start(t, thermometer("home"))
	run(h, thermometer("home", "cabin"), "")
	run(h, thermometer("cabin"), "")
	items, err := h.Store.OpenItems(t.Context(), "weather", 10)
	if err != nil || len(items) != 1 || items[0].Target != "cabin" {
		t.Errorf("open: %v, %v; want only the cabin's", items, err)
	}
}

func TestAStoreThatCannotBeReachedAnswers503(t *testing.T) {
	h := start(t, thermometer("home"))
	h.Env.Open = func(context.Context) (*store.Store, error) { return nil, store.ErrNotMigrated }
	if a, w := run(h, thermometer("home"), ""); w.Code != 503 || !strings.Contains(a.Error, "hearth migrate") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h2 := start(t, thermometer("home"))
	h2.Store.Close()
	if _, w := run(h2, thermometer("home"), ""); w.Code != 503 {
		t.Errorf("closed store: %d %s", w.Code, w.Body)
	}
}
