package deliver

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// TestASlowCallDelaysNoOtherFunction changes a function while a call of it is in
// flight. Other functions are added and called meanwhile, Stats does not block, and
// the old and the new consumer of the function never call it at the same time.
func TestASlowCallDelaysNoOtherFunction(t *testing.T) {
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
	b.waitSubscribed("slow")
	b.put("house/x", mqtttest.Numbered(3)...)
	mqtttest.Next(t, "a call", called)
	g.Deploy("slow", map[string]string{"topic": "house/#,more/#", "mqtt-concurrency": "1"}, serve)
	g.Deploy("late", map[string]string{"topic": "late/#"}, func(c mqtttest.Call) (int, string) { late.Add(c.Body); return 200, "" })
	b.waitSubscribed("late", "slow")
	b.put("late/x", "hello")
	mqtttest.Until(t, "the other function's message", func() bool { return late.N() == 1 })
	listings := g.Listings.Load()
	mqtttest.Until(t, "more requests for the list of functions", func() bool { return g.Listings.Load() > listings+1 })
	if n := len(b.Stats().Functions); n != 2 || !b.Listed() {
		t.Errorf("statistics of %d functions, want 2", n)
	}
	close(release)
	mqtttest.Until(t, "the slow function's messages", func() bool { return got.N() == 3 })
	b.put("more/x", "more")
	mqtttest.Until(t, "a message of the new filter", func() bool { return got.N() == 4 })
	for m, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s was delivered %d times, want once", m, n)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d calls at the same time, want 1", most.Load())
	}
}
