package deliver

import (
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"sync/atomic"
	"testing"
	"time"
)

// TestAFunctionThatEndsSlowlyHoldsUpNobody: it is changed while a call of it is
// under way. Others come and are served, its figures can be read, and
// the old consumer and the new one never call at once.
func TestAFunctionThatEndsSlowlyHoldsUpNobody(t *testing.T) {
	g := mqtttest.NewGateway(t)
	called, release := make(chan bool, 1000), make(chan bool)
	var calling, most atomic.Int64
	var got, late mqtttest.Tally
	serve := func(c mqtttest.Call) (int, string) {
		most.Store(max(most.Load(), calling.Add(1)))
		defer calling.Add(-1)
		called <- true
		<-release
		got.Add(c.Body)
		return 200, ""
	}
	g.Deploy("slow", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, serve)
	b, _ := start(t, g, t.TempDir(), func(s *setting) { s.options.CallTimeout = time.Minute })
	b.listening("slow")
	b.give("house/x", mqtttest.Numbered(3)...)
	<-called
	g.Deploy("slow", map[string]string{"topic": "house/#,more/#", "mqtt-concurrency": "1"}, serve)
	g.Deploy("late", map[string]string{"topic": "late/#"}, func(c mqtttest.Call) (int, string) { late.Add(c.Body); return 200, "" })
	b.listening("late", "slow")
	b.give("late/x", "hello")
	mqtttest.Until(t, "the other function's message", func() bool { return late.N() == 1 })
	looks := g.Looks.Load()
	mqtttest.Until(t, "more looks", func() bool { return g.Looks.Load() > looks+1 })
	if n := len(b.Stats().Functions); n != 2 || !b.Known() {
		t.Errorf("figures of %d functions, want 2", n)
	}
	close(release)
	mqtttest.Until(t, "the slow one's messages", func() bool { return got.N() == 3 })
	b.give("more/x", "more")
	mqtttest.Until(t, "what its change brings", func() bool { return got.N() == 4 })
	for m, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d calls at once, want one", most.Load())
	}
}
