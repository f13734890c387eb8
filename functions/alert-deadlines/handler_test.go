package function

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
	"github.com/hearth-home/hearth/shared/store"
)

// morning is a Friday, 08:00 in Berlin.
var morning = time.Date(2031, 11, 28, 7, 0, 0, 0, time.UTC)

// fixture is the function with a store, a Slack and an upstream, which is also the gateway.
type fixture struct {
	*sourcetest.Fixture
	t *testing.T
}

func start(t *testing.T, settings string, answer http.HandlerFunc) *fixture {
	t.Helper()
	h := sourcetest.Start(t, morning, New, sourcetest.Vars{"GATEWAY_URL": "http://upstream", "SCHEDULE": "*/5 * * * *"},
		sourcetest.Secrets{"hearth-settings": "house: {zone: Europe/Berlin}\n" + settings, "slack-webhooks": "http://slack/services/T000/B000/h00k"}, answer)
	return &fixture{h, t}
}

// tick calls the function after a while, and returns the new messages.
func (h *fixture) tick(after time.Duration) []string {
	h.t.Helper()
	h.Later(after)
	a, w := h.Post("")
	if w.Code != http.StatusOK {
		h.t.Errorf("%d %s", w.Code, w.Body)
	}
	if a.Status != "ok" {
		h.t.Logf("%s", w.Body)
	}
	ms := slices.Clone(h.Messages)
	h.Messages = nil
	return ms
}

// expect compares the messages of a tick with texts that they begin with, one each.
func (h *fixture) expect(after time.Duration, want ...string) {
	h.t.Helper()
	got := h.tick(after)
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && strings.Contains(got[i], want[i])
	}
	if !ok {
		h.t.Errorf("%s: %q, want %q", h.Now().Format("15:04"), got, want)
	}
}

func TestRemindersAreSentAtTheirTimeOnce(t *testing.T) {
	h := start(t, `reminders: [{text: Bins, on: friday, at: "09:00"}]`, nil)
	h.expect(0)
	h.expect(59 * time.Minute)
	h.expect(time.Minute, "Reminder: Bins")
	h.Build(New) // as a new process
	for range 5 {
		h.expect(5 * time.Minute)
	}
	h.expect(7*24*time.Hour, "Reminder: Bins")
}

func TestExpiryDatesAreToldAndEndWhenTheyAreRenewed(t *testing.T) {
	yaml := "expiries: [{name: Passport, date: %s}]\nreminders: [{text: %s, date: 2020-01-01}]"
	h := start(t, fmt.Sprintf(yaml, "2031-12-21", "x"), nil)
	h.expect(0, "Passport ends in 23 days, on 21 December 2031.")
	h.expect(5 * time.Minute)
	h.expect(9*24*time.Hour, "Passport ends in 14 days")
	h.Secret("hearth-settings", "house: {zone: Europe/Berlin}\n"+fmt.Sprintf(yaml, "2041-12-20", "y"))
	h.expect(5*time.Minute, "Resolved")
	h.expect(5 * time.Minute)
}

func TestWhatIsNotInTheSettingsAnyMoreIsNoLongerWatched(t *testing.T) {
	h := start(t, "expiries: [{name: Passport, date: 2031-12-21}]", nil)
	h.expect(0, "Passport ends in 23 days")
	h.Secret("hearth-settings", "house: {zone: Europe/Berlin}\n")
	h.expect(5*time.Minute, "No longer watched")
	h.expect(5 * time.Minute)
}

// tides is a real source, called through the gateway.
func tides(t *testing.T, env serve.Env, fetched *int) http.Handler {
	t.Helper()
	env.Vars = map[string]string{"SCHEDULE": "*/15 * * * *"}
	s, err := source.Handler(env, source.Source{Name: "tides", Targets: []string{"quay"}, Setting: "TIDES",
		Fetch: func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
			*fetched++
			return source.Batch{}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnOverdueSourceIsCalledOnceBeforeItsAlert(t *testing.T) {
	var gateway http.Handler
	var calls []string
	h := start(t, "", func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.Method+" "+r.URL.Path)
		gateway.ServeHTTP(w, r)
	})
	fetched := 0
	run := tides(t, h.Env, &fetched)
	cron := func() { run.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)) }
	cron()
	gateway = http.StripPrefix("/function/tides", run)

	h.expect(19 * time.Minute)
	if fetched != 1 {
		t.Error("it is called before it is overdue")
	}
	h.expect(2 * time.Minute) // two calls of the schedule were lost
	h.expect(5 * time.Minute)
	if fetched != 2 || !slices.Equal(calls, []string{"POST /function/tides"}) {
		t.Errorf("%d runs; calls %q: it should have been called once", fetched, calls)
	}

	gateway, calls = http.NotFoundHandler(), nil
	h.expect(25 * time.Minute)
	if len(calls) != 1 {
		t.Errorf("calls %q, want one", calls)
	}
	h.expect(5*time.Minute, "Did not run")
	h.expect(5 * time.Minute)
	h.expect(5 * time.Minute)
	if len(calls) != 1 {
		t.Errorf("calls %q, want one", calls)
	}
	cron()
	h.expect(5*time.Minute, "Resolved: Did not run")
	h.expect(5 * time.Minute)
}

func TestAFunctionThatIsRemovedOrNotConfiguredIsNotOverdue(t *testing.T) {
	calls := 0
	h := start(t, "", func(w http.ResponseWriter, r *http.Request) { calls++; http.NotFound(w, r) })
	save := func(name string, configured bool, seen time.Time) {
		t.Helper()
		f := store.Function{Name: name, Schedule: "0 * * * *", Period: time.Hour, Configured: configured, LastSeen: seen}
		if err := h.Store.SaveFunction(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	save("asana", false, morning.Add(-3*time.Hour))
	save("feeds", true, morning.Add(-3*time.Hour))
	save("stocks", true, morning.Add(-3*time.Hour))
	save("alert-devices", true, morning.Add(-3*time.Hour)) // sensors watches it
	h.expect(0)
	if got := h.tick(5 * time.Minute); len(got) != 1 && len(got) != 2 || calls != 2 { // one post may have both
		t.Errorf("%q after %d calls", got, calls)
	}
	if _, err := h.Store.ForgetFunction(t.Context(), "feeds"); err != nil {
		t.Fatal(err)
	}
	h.expect(5*time.Minute, "No longer watched: Did not run: feeds")
	save("stocks", false, h.Now())
	h.expect(5*time.Minute, "No longer watched: Did not run: stocks")
	h.expect(5 * time.Minute)
}

func TestTheOutsideWatcherIsPingedOnlyWhileAllWorks(t *testing.T) {
	pings, code := 0, 200
	h := start(t, "", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/ping/s3cr3tpath" {
			pings++
		}
		w.WriteHeader(code)
	})
	h.Secret("deadman-url", h.Upstream.URL+"/ping/s3cr3tpath")
	pinged := func(after time.Duration, want bool, says string) {
		t.Helper()
		before := pings
		h.Later(after)
		a, _ := h.Post("")
		if (pings > before) != want || !strings.Contains(strings.Join(a.Warnings, " "), says) {
			t.Errorf("pinged %t; %q, want %t, %q", pings > before, a.Warnings, want, says)
		}
	}
	canary := func() {
		t.Helper()
		r := reading.Reading{Name: "canary", Tags: map[string]string{"connector": "home"}, Fields: map[string]float64{"latency_seconds": 0.1}, Time: h.Now()}
		if err := h.Store.Write(t.Context(), []reading.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	pinged(0, false, "no canary was stored within the last 7m")
	canary()
	pinged(6*time.Minute, true, "")
	pinged(2*time.Minute, false, "no canary")
	canary()
	code = 500
	pinged(0, true, "answered 500")
	code = 200
	h.SlackStatus = 503
	queue(t, h, alert.Message{Key: "x", Channel: alert.Products, Text: "x"})
	pinged(9*time.Minute, false, "")
	canary()
	pinged(2*time.Minute, false, "a message has waited for")
}

func queue(t *testing.T, h *fixture, m alert.Message) {
	t.Helper()
	m.Created = h.Now()
	err := h.Store.Queue(t.Context(), []alert.Message{m})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASecondTickAtTheSameTimeIsRefused(t *testing.T) {
	h := start(t, "", nil)
	fence, err := h.Store.Lease(t.Context(), name, "another", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if a, w := h.Post(""); w.Code != http.StatusConflict || a.Status != "running" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.Store.Release(t.Context(), name, fence)
	h.expect(0)
}

func TestWithoutItsSettingsOnlyWhatNeedsNoneIsDone(t *testing.T) {
	h := start(t, `expiries: [{name: Passport, date: 2031-12-21}]
reminders: [{text: x}]`, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	if err := h.Store.SaveFunction(t.Context(), store.Function{Name: "feeds", Schedule: "0 * * * *", Period: time.Hour, Configured: true, LastSeen: morning.Add(-3 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if a, w := h.Post(""); w.Code != 200 || a.Status != "partial" || !strings.Contains(w.Body.String(), "a reminder needs days of the week") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.expect(5*time.Minute, "Did not run")
}

func TestTheEndOfGitHubsTokenIsTold(t *testing.T) {
	h := start(t, "", nil)
	stored := func(labels map[string]string, at, end time.Time) {
		t.Helper()
		r := reading.Reading{Name: "github_token", Tags: labels, Fields: map[string]float64{"valid_seconds": end.Sub(at).Seconds()}, Time: at}
		if err := h.Store.Write(t.Context(), []reading.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	end := morning.AddDate(0, 0, 9)
	stored(map[string]string{"sample": "true"}, morning.Add(-time.Hour), end)
	h.expect(0)
	stored(nil, morning.Add(-7*time.Hour), end)
	h.expect(5*time.Minute, "The token of the function github ends in 9 days, on 7 December 2031.")
	h.expect(2*24*time.Hour, "The token of the function github ends in 7 days")
	h.expect(5 * 24 * time.Hour) // the function did not run meanwhile
	stored(nil, h.Now(), h.Now().AddDate(1, 0, 0))
	h.expect(5*time.Minute, "Resolved: It expires: GitHub token")
}

// While the history is rolled up, a tick takes its whole time. A call meanwhile does not wait
// for its end.
func TestACallDuringATickIsToldThatOneRuns(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := start(t, "", nil)
	env := h.Env
	var once sync.Once
	env.Open = func(ctx context.Context) (*store.Store, error) {
		once.Do(func() { asked <- struct{}{}; <-answer })
		return h.Env.Open(ctx)
	}
	f, err := New(env)
	if err != nil {
		t.Fatal(err)
	}
	call := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		return w
	}
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- call() }()
	<-asked
	if w := call(); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), `"status":"running"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(answer)
	if w := <-first; w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
