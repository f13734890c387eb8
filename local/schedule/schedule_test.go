package schedule

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// gateway records the calls.
type gateway struct {
	*httptest.Server
	calls  chan *http.Request
	bodies chan string
}

func listen(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) gateway {
	t.Helper()
	g := gateway{calls: make(chan *http.Request, 100), bodies: make(chan string, 100)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		g.calls <- r
		g.bodies <- string(b)
		answer(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func ok(http.ResponseWriter, *http.Request) {}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing was received for a minute")
		panic("unreachable")
	}
}

func stop(t *testing.T, s *Scheduler) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestItCallsAsTheCronConnectorDoes(t *testing.T) {
	g := listen(t, ok)
	now := time.Now()
	s := New(g.URL, []Job{{"weather", "@every 1s", now}}, quiet, now)
	defer stop(t, s)
	r := wait(t, g.calls)
	if r.Method != "POST" || r.URL.RequestURI() != "/function/weather" || wait(t, g.bodies) != "" ||
		r.Header.Get("X-Topic") != "cron-function" || r.Header.Get("X-Connector") != "cron-connector" {
		t.Errorf("call = %s %s %v", r.Method, r.URL, r.Header)
	}
	wait(t, g.calls) // and again
}

func TestRunsMayOverlap(t *testing.T) {
	release := make(chan struct{})
	g := listen(t, func(http.ResponseWriter, *http.Request) { <-release })
	now := time.Now()
	s := New(g.URL, []Job{{"slow", "@every 1s", now}}, quiet, now)
	wait(t, g.calls)
	wait(t, g.calls) // the first has not ended
	close(release)
	stop(t, s)
}

func TestAnOverdueRunHappensOnceAtTheStart(t *testing.T) {
	g := listen(t, ok)
	tokyo, err := time.LoadLocation("Asia/Tokyo") // each of its days has 24 hours
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	daily := fmt.Sprintf("CRON_TZ=Asia/Tokyo 0 %d * * *", (now.In(tokyo).Hour()+12)%24) // half a day away, before and after
	s := New(g.URL, []Job{
		{"never", daily, time.Time{}},
		{"late", daily, now.Add(-25 * time.Hour)},
		{"fresh", daily, now.Add(-time.Hour)},
	}, quiet, now)
	got := []string{wait(t, g.calls).URL.Path, wait(t, g.calls).URL.Path}
	slices.Sort(got)
	if want := []string{"/function/late", "/function/never"}; !slices.Equal(got, want) {
		t.Errorf("called %v, want %v", got, want)
	}
	stop(t, s)
	if n := len(g.calls); n != 0 {
		t.Errorf("%d calls more", n)
	}
}

func TestARunWithALeaseIsRetriedAtTheStart(t *testing.T) {
	var calls atomic.Int32
	g := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusConflict)
		}
	})
	s := start(g.URL, []Job{{"weather", "@every 24h", time.Time{}}}, quiet, time.Now(), time.Millisecond)
	for range 3 {
		wait(t, g.calls)
	}
	stop(t, s)
	if n := calls.Load(); n != 3 {
		t.Errorf("%d calls, want two refused and one that ran", n)
	}
}

// Schedules do not depend on this machine's zone: the cron-connector's container runs in
// UTC.
func TestSchedulesAreInUTC(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("far", -8*60*60)
	t.Cleanup(func() { time.Local = local })
	g := listen(t, ok)
	now := time.Now()
	s := New(g.URL, []Job{{"treasuries", "30 23 * * *", now}}, quiet, now)
	defer stop(t, s)
	if next := s.Next("treasuries").UTC(); next.Hour() != 23 || next.Minute() != 30 {
		t.Errorf("next = %s, want 23:30 UTC", next)
	}
}

func TestABadScheduleIsLoggedAndDoesNotStopTheOthers(t *testing.T) {
	g := listen(t, ok)
	var mu sync.Mutex
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(lock{&mu, &b}, nil))
	s := New(g.URL, []Job{
		{"odd", "*/15 * *", time.Time{}}, {"zone", "CRON_TZ=UTC", time.Time{}}, {"nowhere", "CRON_TZ=Mars/Base 0 7 * * *", time.Time{}},
		{"weather", "@daily", time.Time{}},
	}, log, time.Now())
	if r := wait(t, g.calls); r.URL.Path != "/function/weather" {
		t.Errorf("called %s", r.URL)
	}
	stop(t, s)
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"function=odd", "*/15 * *", "function=zone", "function=nowhere"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("log = %s, want %s in it", b.String(), want)
		}
	}
	if !s.Next("odd").IsZero() {
		t.Error("a bad schedule has a next run")
	}
}

type lock struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lock) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func TestStopWaitsForACallAndThenCutsItOff(t *testing.T) {
	hang := make(chan struct{})
	g := listen(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	s := New(g.URL, []Job{{"slow", "@daily", time.Time{}}}, quiet, time.Now())
	wait(t, g.calls)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err == nil {
		t.Error("a call was cut off without an error")
	}
}

func TestMissingSettingsOfTheLastAnswer(t *testing.T) {
	g := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"not_configured","missing":["secret openweather-key"]}`)
	})
	now := time.Now()
	s := New(g.URL, []Job{{"weather", "@daily", time.Time{}}}, quiet, now)
	wait(t, g.calls)
	stop(t, s)
	if m := s.Missing("weather"); !slices.Equal(m, []string{"secret openweather-key"}) {
		t.Errorf("missing = %v", m)
	}
	if next := s.Next("weather"); !next.After(now) {
		t.Errorf("next = %s, want after now", next)
	}
}
