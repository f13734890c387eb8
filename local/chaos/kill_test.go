package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
)

// victim is a process that is ended and started again.
type victim struct {
	name  string
	s     *testserver.Server
	clean bool        // stopped, not killed
	hold  sync.Locker // locked while the process is down; nil: none
	times int
}

// victims returns all processes of the platform. hold is locked while the broker is
// stopped.
func (h *hearth) victims(hold sync.Locker) []*victim {
	return []*victim{
		{name: "connector", s: h.connector}, {name: "gateway", s: h.gateway}, {name: "function", s: h.function},
		{name: "PostgreSQL", s: h.postgres}, {name: "InfluxDB", s: h.influx}, {name: "broker", s: h.broker, clean: true, hold: hold},
	}
}

// killAtRandom ends and restarts each victim again and again, at moments derived from
// seed, until ctx ends. Each is ended at least once, and all run when it returns.
func killAtRandom(ctx context.Context, t testing.TB, seed uint64, over time.Duration, vs []*victim) {
	var wg sync.WaitGroup
	begin := time.Now()
	for i, v := range vs {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for v.times == 0 || ctx.Err() == nil {
				wait(ctx, time.Duration(rng.Int64N(int64(over/3))))
				if v.times > 0 && ctx.Err() != nil {
					return
				}
				at := time.Since(begin)
				if err := v.restart(time.Duration(rng.Int64N(int64(2 * time.Second)))); err != nil {
					t.Errorf("%s: %v", v.name, err)
					return
				}
				t.Logf("%5.1fs %s ended, serves again at %5.1fs", at.Seconds(), v.name, time.Since(begin).Seconds())
			}
		})
	}
	wg.Wait()
}

func (v *victim) restart(down time.Duration) error {
	v.times++
	if v.hold != nil {
		v.hold.Lock()
		defer v.hold.Unlock()
	}
	end := v.s.Kill
	if v.clean {
		end = v.s.Stop
	}
	if err := end(); err != nil {
		return fmt.Errorf("end it: %w", err)
	}
	time.Sleep(down)
	return v.s.Start()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// TestEveryReadingIsStoredOnce publishes numbered readings while every process of the
// platform is killed and restarted. The broker is stopped and started instead: a
// killed broker loses messages (TestAKilledBrokerCausesNoDuplicates).
func TestEveryReadingIsStoredOnce(t *testing.T) {
	for round := range rounds {
		seed := seed + uint64(round)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { oneRound(t, seed) })
	}
}

func oneRound(t *testing.T, seed uint64) {
	byLoad := strconv.FormatBool(seed%2 == 0) // every second round batches as make up does with SQLite
	h := newHearth(t, layout{settings: clocklessSettings, env: map[string]string{"GATHER_BY_LOAD": byLoad}})
	s, p := newStream("chaos", count), h.publisher("edge")
	var c clockless
	vs := h.victims(&c.publishing)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stop atomic.Bool
	var killing, publishing sync.WaitGroup
	killing.Go(func() { killAtRandom(ctx, t, seed, span, vs) })
	publishing.Go(func() { c.publish(t, h.publisher("clockless"), &stop) })
	begin := time.Now()
	p.publish(s, 0, s.n-topics, span)
	cancel()
	killing.Wait()
	stop.Store(true)
	publishing.Wait()
	p.publish(s, s.n-topics, s.n, 0) // each queue holds these last
	published := time.Since(begin)
	h.awaitStored(s)
	h.awaitIdle(t)
	h.verify(s)
	h.checkCounts(s)
	h.checkAcknowledged(s)
	c.verify(h)
	for _, v := range vs {
		t.Logf("%s ended %d times", v.name, v.times)
	}
	m := h.mustMetrics()
	t.Logf("%d readings and %d without a clock in %.1fs, stored %.1fs later; recognised redeliveries since the last start: %g",
		s.n, c.sent, published.Seconds(), (time.Since(begin) - published).Seconds(), m["hearth_mqtt_messages_redelivered_total"])
	if m["hearth_mqtt_dead_letters"] != 0 {
		t.Errorf("%g good readings became dead letters", m["hearth_mqtt_dead_letters"])
	}
}
