package deliver

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// big returns n payloads of about 1 KB each.
func big(n int) (ps []string) {
	for _, p := range mqtttest.Numbered(n) {
		ps = append(ps, p+strings.Repeat(".", 1000))
	}
	return ps
}

// small sets a spool of 1 MiB, from which messages may be evicted, and a clock.
func small(now func() time.Time) func(*setting) {
	return func(s *setting) { s.maxBytes, s.options.SpoolCap, s.options.Now = 1<<20, 1<<20, now }
}

// skewed is a clock that can be put forward.
func skewed() (now func() time.Time, forward func(time.Duration)) {
	var skew atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }, func(d time.Duration) { skew.Add(int64(d)) }
}

// lost returns how many messages of a function were evicted.
func (r *rig) lost(function string) uint64 {
	for _, f := range r.Stats().Functions {
		if f.Name == function {
			return f.Lost
		}
	}
	return 0
}

// TestAStuckFunctionsOldestMessagesAreEvicted: so the other functions still get theirs.
// The evicted messages are counted, and the rest is delivered when the function is
// back.
func TestAStuckFunctionsOldestMessagesAreEvicted(t *testing.T) {
	const n = 3000
	for _, how := range []string{"fails", "is gone"} {
		t.Run(how, func(t *testing.T) {
			g := mqtttest.NewGateway(t)
			var good, late mqtttest.Tally
			var ok atomic.Bool
			down := func(c mqtttest.Call) (int, string) {
				if !ok.Load() {
					return 503, "not now"
				}
				late.Add(c.Data...)
				return 200, ""
			}
			g.Deploy("down", batched, down)
			g.Deploy("good", batched, func(c mqtttest.Call) (int, string) { good.Add(c.Data...); return 200, "" })
			now, forward := skewed()
			b, _ := start(t, g, t.TempDir(), small(now))
			b.waitSubscribed("down", "good")
			if how == "is gone" {
				g.Deploy("down", nil, nil)
				b.waitSubscribed("good")
			}
			go func() {
				for part := range slices.Chunk(big(n), 25) { // no function subscribes to garden/x: it must not count as lost
					b.put("house/x", part...)
					b.put("garden/x", mqtttest.Numbered(25)...)
				}
			}()
			mqtttest.Until(t, "all messages at the good function", func() bool { forward(10 * time.Second); return good.N() == n })
			ok.Store(true)
			g.Deploy("down", batched, down)
			b.waitSubscribed("down", "good")
			mqtttest.Until(t, "the messages of the stuck function that were not evicted", func() bool {
				return late.N()+int(b.lost("down")) == n
			})
			if late.N() < n/20 {
				t.Errorf("%d of %d messages delivered: more were evicted than needed", late.N(), n)
			}
			if lost := b.lost("good"); lost != 0 {
				t.Errorf("%v messages of the good function were evicted, want none", lost)
			}
		})
	}
}

// TestNothingIsEvictedWhileAllFunctionsFail: that means that the database is down.
func TestNothingIsEvictedWhileAllFunctionsFail(t *testing.T) {
	const n = 1500
	g := mqtttest.NewGateway(t)
	var ok atomic.Bool
	got := map[string]*mqtttest.Tally{}
	for i := range 2 {
		name := fmt.Sprint("f", i)
		got[name] = &mqtttest.Tally{}
		g.Deploy(name, batched, func(c mqtttest.Call) (int, string) {
			if !ok.Load() {
				return 503, "the store is down"
			}
			got[name].Add(c.Data...)
			return 200, ""
		})
	}
	now, forward := skewed()
	b, _ := start(t, g, t.TempDir(), small(now))
	b.waitSubscribed("f0", "f1")
	go b.put("house/x", big(n)...)
	mqtttest.Until(t, "a full spool", func() bool { return b.full.Load() > 0 })
	for range 5 {
		forward(2 * time.Hour)
		listings := g.Listings.Load()
		mqtttest.Until(t, "more requests for the list of functions", func() bool { return g.Listings.Load() > listings+1 })
	}
	ok.Store(true)
	for name, c := range got {
		mqtttest.Until(t, "all messages at "+name, func() bool { return c.N() == n })
	}
}

// TestAFunctionThatRecoversLaterIsNotStuckAtOnce: after hours in which no function
// worked, one recovers a moment before the other.
func TestAFunctionThatRecoversLaterIsNotStuckAtOnce(t *testing.T) {
	now, forward := skewed()
	g := mqtttest.NewGateway(t)
	b := open(t, g.URL, t.TempDir(), small(now))
	b.put("house/x", big(850)...)
	if b.spool.Stats().Bytes < b.quota.percent(nearlyFullPercent) {
		t.Fatal("the spool is not nearly full")
	}
	const most = 700 << 10 // of the spool's 1 MiB
	down := []usage{{"early", most, false}, {"late", most, false}}
	for range 3 {
		if stuck := b.quota.stuck(down); len(stuck) > 0 {
			t.Fatalf("stuck = %v while no function works, want none", stuck)
		}
		forward(2 * time.Hour)
	}
	recovering := []usage{{"early", 0, true}, {"late", most, false}}
	if stuck := b.quota.stuck(recovering); stuck["late"] {
		t.Error("the late function is stuck at once")
	}
	forward(2 * stuckIfDown)
	if stuck := b.quota.stuck(recovering); !stuck["late"] {
		t.Error("the late function is not stuck after stuckIfDown")
	}
}
