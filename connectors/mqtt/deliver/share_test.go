package deliver

import (
	"fmt"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// big is messages that are more than a spool of 1 MiB holds.
func big(n int) (ps []string) {
	for _, p := range mqtttest.Numbered(n) {
		ps = append(ps, p+strings.Repeat(".", 1000))
	}
	return ps
}

// small is a spool of 1 MiB whose functions may be stuck, by a clock of the test's.
func small(now func() time.Time) func(*setting) {
	return func(s *setting) { s.maxBytes, s.options.GiveUpFrom, s.options.Now = 1<<20, 1<<20, now }
}

// skewed is a clock that can be put forward.
func skewed() (now func() time.Time, forward func(time.Duration)) {
	var skew atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }, func(d time.Duration) { skew.Add(int64(d)) }
}

// lost is how many messages a function did not get.
func (r *rig) lost(function string) uint64 {
	for _, f := range r.Stats().Functions {
		if f.Name == function {
			return f.Lost
		}
	}
	return 0
}

// TestAStuckFunctionGivesUpItsOldestSoThatOthersGoOn: what it did not get is
// counted, message by message, and the rest comes when it is back.
func TestAStuckFunctionGivesUpItsOldestSoThatOthersGoOn(t *testing.T) {
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
			b.listening("down", "good")
			if how == "is gone" {
				g.Deploy("down", nil, nil)
				b.listening("good")
			}
			go func() {
				for part := range slices.Chunk(big(n), 25) { // other topics are nobody's loss
					b.give("house/x", part...)
					b.give("garden/x", mqtttest.Numbered(25)...)
				}
			}()
			mqtttest.Until(t, "the good one has all", func() bool { forward(10 * time.Second); return good.N() == n })
			ok.Store(true)
			g.Deploy("down", batched, down)
			b.listening("down", "good")
			mqtttest.Until(t, "the rest", func() bool {
				return late.N()+int(b.lost("down")) == n
			})
			if late.N() < n/20 {
				t.Errorf("only %d came: more was given up than there had to be", late.N())
			}
			if lost := b.lost("good"); lost != 0 {
				t.Errorf("%v lost of the one that was never in the way", lost)
			}
		})
	}
}

// TestNothingIsGivenUpWhereNoneGoesOn: the database is away.
func TestNothingIsGivenUpWhereNoneGoesOn(t *testing.T) {
	const n = 1500
	g := mqtttest.NewGateway(t)
	var ok atomic.Bool
	got := map[string]*mqtttest.Tally{}
	for i := range 2 {
		name := fmt.Sprint("f", i)
		got[name] = &mqtttest.Tally{}
		g.Deploy(name, batched, func(c mqtttest.Call) (int, string) {
			if !ok.Load() {
				return 503, "the store is away"
			}
			got[name].Add(c.Data...)
			return 200, ""
		})
	}
	now, forward := skewed()
	b, _ := start(t, g, t.TempDir(), small(now))
	b.listening("f0", "f1")
	go b.give("house/x", big(n)...)
	mqtttest.Until(t, "a full spool", func() bool { return b.full.Load() > 0 })
	for range 5 {
		forward(2 * time.Hour)
		looks := g.Looks.Load()
		mqtttest.Until(t, "looks", func() bool { return g.Looks.Load() > looks+1 })
	}
	ok.Store(true)
	for name, c := range got {
		mqtttest.Until(t, "all at "+name, func() bool { return c.N() == n })
	}
}

// TestAFunctionThatRecoversLaterGivesUpNothing: after hours in which none took
// messages, one does so a moment before the other.
func TestAFunctionThatRecoversLaterGivesUpNothing(t *testing.T) {
	now, forward := skewed()
	g := mqtttest.NewGateway(t)
	b := open(t, g.URL, t.TempDir(), small(now))
	b.give("house/x", big(850)...)
	if b.spool.Stats().Bytes < b.share.percent(nearlyFull) {
		t.Fatal("the spool is not nearly full")
	}
	const most = 700 << 10 // of the spool's 1 MiB
	down := []behindBy{{"early", most, false}, {"late", most, false}}
	for range 3 {
		if stuck := b.share.stuck(down); len(stuck) > 0 {
			t.Fatalf("%v while none takes messages", stuck)
		}
		forward(2 * time.Hour)
	}
	recovering := []behindBy{{"early", 0, true}, {"late", most, false}}
	if stuck := b.share.stuck(recovering); stuck["late"] {
		t.Error("it gives up messages at once")
	}
	forward(2 * stuckDown)
	if stuck := b.share.stuck(recovering); !stuck["late"] {
		t.Error("it is never stuck")
	}
}
