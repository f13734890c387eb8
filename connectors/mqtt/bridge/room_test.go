package bridge

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// big is messages that are more than a spool of 1 MiB holds.
func big(n int) (ps []string) {
	for _, p := range numbered(n) {
		ps = append(ps, p+strings.Repeat(".", 1000))
	}
	return ps
}

// skewed is a clock that can be put forward.
func skewed() (now func() time.Time, forward func(time.Duration)) {
	var skew atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }, func(d time.Duration) { skew.Add(int64(d)) }
}

func metric(t *testing.T, b *Bridge, name string) (v float64) {
	t.Helper()
	res := httptest.NewRecorder()
	b.Handler().ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	for line := range strings.Lines(res.Body.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ = strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return v
}

// TestAStuckFunctionGivesUpItsOldestSoThatOthersGoOn: what it did not get is
// counted, message by message, and the rest comes when it is back.
func TestAStuckFunctionGivesUpItsOldestSoThatOthersGoOn(t *testing.T) {
	const n = 3000
	for _, how := range []string{"fails", "is gone"} {
		t.Run(how, func(t *testing.T) {
			g := newFaas(t)
			var good, late tally
			var ok atomic.Bool
			down := func(c calledWith) (int, string) {
				if !ok.Load() {
					return 503, "not now"
				}
				late.add(c.Data...)
				return 200, ""
			}
			g.deploy("down", batched, down)
			g.deploy("good", batched, func(c calledWith) (int, string) { good.add(c.Data...); return 200, "" })
			now, forward := skewed()
			b, _ := runAt(t, now, g.URL, "127.0.0.1:1", t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
			listening(t, b, "down", "good")
			if how == "is gone" {
				g.deploy("down", nil, nil)
				listening(t, b, "good")
			}
			go func() {
				for _, p := range big(n) { // other topics are nobody's loss
					b.give("house/x", p)
					b.give("garden/x", "nobody listens")
				}
			}()
			until(t, "the good one has all", func() bool { forward(10 * time.Second); return good.n() == n })
			ok.Store(true)
			g.deploy("down", batched, down)
			listening(t, b, "down", "good")
			until(t, "the rest", func() bool {
				return late.n()+int(metric(t, b, `hearth_mqtt_lost_total{function="down"}`)) == n
			})
			if late.n() < n/20 {
				t.Errorf("only %d came: more was given up than there had to be", late.n())
			}
			if lost := metric(t, b, `hearth_mqtt_lost_total{function="good"}`); lost != 0 {
				t.Errorf("%v lost of the one that was never in the way", lost)
			}
		})
	}
}

// TestNothingIsGivenUpWhereNoneGoesOn: the database is away.
func TestNothingIsGivenUpWhereNoneGoesOn(t *testing.T) {
	const n = 1500
	g := newFaas(t)
	var ok atomic.Bool
	got := map[string]*tally{}
	for i := range 2 {
		name := fmt.Sprint("f", i)
		got[name] = &tally{}
		g.deploy(name, batched, func(c calledWith) (int, string) {
			if !ok.Load() {
				return 503, "the store is away"
			}
			got[name].add(c.Data...)
			return 200, ""
		})
	}
	now, forward := skewed()
	b, _ := runAt(t, now, g.URL, "127.0.0.1:1", t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
	listening(t, b, "f0", "f1")
	b.give("house/x", big(n)...)
	until(t, "a full spool", func() bool { return b.stats.refused.Load() > 0 })
	for range 5 {
		forward(2 * time.Hour)
		looks := g.looks.Load()
		until(t, "looks", func() bool { return g.looks.Load() > looks+1 })
	}
	ok.Store(true)
	for name, c := range got {
		until(t, "all at "+name, func() bool { return c.n() == n })
	}
}
