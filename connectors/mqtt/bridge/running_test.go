package bridge

import (
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestAFunctionThatEndsSlowlyHoldsUpNobody: it is changed while a call of it is
// under way. Others come and are served, the connector's own port answers, and
// the old consumer and the new one never call at once.
func TestAFunctionThatEndsSlowlyHoldsUpNobody(t *testing.T) {
	g := newFaas(t)
	called, release := make(chan bool, 1000), make(chan bool)
	var calling, most atomic.Int64
	var got, late tally
	serve := func(c calledWith) (int, string) {
		most.Store(max(most.Load(), calling.Add(1)))
		defer calling.Add(-1)
		called <- true
		<-release
		got.add(c.Body)
		return 200, ""
	}
	g.deploy("slow", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, serve)
	b, _ := run(t, g.URL, "127.0.0.1:1", t.TempDir(), func(c *Config) { c.CallTimeout = time.Minute })
	listening(t, b, "slow")
	b.give("house/x", numbered(3)...)
	<-called
	g.deploy("slow", map[string]string{"topic": "house/#,more/#", "mqtt-concurrency": "1"}, serve)
	g.deploy("late", map[string]string{"topic": "late/#"}, func(c calledWith) (int, string) { late.add(c.Body); return 200, "" })
	listening(t, b, "late", "slow")
	b.give("late/x", "hello")
	until(t, "the other function's message", func() bool { return late.n() == 1 })
	looks := g.looks.Load()
	until(t, "more looks", func() bool { return g.looks.Load() > looks+1 })
	for _, path := range []string{"/readyz", "/metrics"} {
		res := httptest.NewRecorder()
		b.Handler().ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if res.Body.Len() == 0 {
			t.Errorf("%s answers nothing", path)
		}
	}
	close(release)
	until(t, "the slow one's messages", func() bool { return got.n() == 3 })
	b.give("more/x", "more")
	until(t, "what its change brings", func() bool { return got.n() == 4 })
	for m, n := range got.seen {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d calls at once, want one", most.Load())
	}
}
