package deliver

import (
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// TestACallToAReplacedFunctionIsGivenUp: the old process never answers, as on faasd, which
// takes its network away. The messages go to the new one long before the call's timeout,
// whether the gateway's list has the function all the time, or not for a while, and whether
// its annotations change or not. No message becomes a dead letter.
func TestACallToAReplacedFunctionIsGivenUp(t *testing.T) {
	notes := func(topics string) map[string]string {
		return map[string]string{"topic": topics, "mqtt-batch": "10", "mqtt-concurrency": "1"}
	}
	for _, tc := range []struct {
		name    string
		replace func(g *mqtttest.Gateway, serve mqtttest.Func)
	}{
		{"at once", func(g *mqtttest.Gateway, serve mqtttest.Func) { g.Replace("f", notes("house/#"), serve) }},
		{"with other topics", func(g *mqtttest.Gateway, serve mqtttest.Func) { g.Replace("f", notes("house/#,more/#"), serve) }},
		{"not listed for a while", func(g *mqtttest.Gateway, serve mqtttest.Func) {
			g.Deploy("f", nil, nil)
			seen := g.Listings.Load() + 1
			mqtttest.Until(t, "a list without it", func() bool { return g.Listings.Load() > seen })
			g.Replace("f", notes("house/#"), serve)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := mqtttest.NewGateway(t)
			called, never := make(chan bool, 100), make(chan bool)
			g.Replace("f", notes("house/#"), func(mqtttest.Call) (int, string) { called <- true; <-never; return 503, "" })
			b, _ := start(t, g, t.TempDir(), func(s *setting) { s.options.CallTimeout = time.Hour })
			t.Cleanup(func() { close(never) }) // before the gateway is closed, which waits for its calls
			b.waitSubscribed("f")
			b.put("house/x", mqtttest.Numbered(3)...)
			mqtttest.Next(t, "the call that is never answered", called)
			var got mqtttest.Tally
			tc.replace(g, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
			b.put("house/y", "after")
			mqtttest.Until(t, "the messages at the new process", func() bool { return got.N() == 4 })
			if b.dead() != 0 {
				t.Errorf("%d dead letters, want none", b.dead())
			}
		})
	}
}

// TestACallInFlightIsAnsweredIfItsFunctionStays: other functions come, are replaced and go.
func TestACallInFlightIsAnsweredIfItsFunctionStays(t *testing.T) {
	g := mqtttest.NewGateway(t)
	called, release := make(chan bool, 100), make(chan bool)
	var got mqtttest.Tally
	note := map[string]string{"topic": "house/#", "mqtt-batch": "10", "mqtt-concurrency": "1"}
	g.Replace("f", note, func(c mqtttest.Call) (int, string) { called <- true; <-release; got.Add(c.Data...); return 200, "" })
	b, _ := start(t, g, t.TempDir(), func(s *setting) { s.options.CallTimeout = time.Hour })
	b.waitSubscribed("f")
	b.put("house/x", "m")
	mqtttest.Next(t, "the call", called)
	for range 2 {
		g.Replace("other", map[string]string{"topic": "other"}, func(mqtttest.Call) (int, string) { return 200, "" })
		b.waitSubscribed("f", "other")
	}
	g.Deploy("other", nil, nil)
	b.waitSubscribed("f")
	i := slices.IndexFunc(b.all(), func(c *consumer) bool { return c.f.Name == "f" })
	in := b.all()[i].calls
	close(release)
	mqtttest.Until(t, "the answer", func() bool { return got.N() == 1 })
	if in.context().Err() != nil || b.Stats().Functions[0].Failed != 0 {
		t.Error("the call was given up")
	}
}
