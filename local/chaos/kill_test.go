package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
)

// victim is a process that is ended and started again.
type victim struct {
	name  string
	s     *testserver.Server
	clean bool // stopped, not killed
	times int
}

// victims are all parts of the house.
func (h *house) victims() []*victim {
	return []*victim{
		{name: "connector", s: h.connector}, {name: "gateway", s: h.gateway}, {name: "function", s: h.function},
		{name: "PostgreSQL", s: h.postgres}, {name: "InfluxDB", s: h.influx}, {name: "broker", s: h.broker, clean: true},
	}
}

// torment ends each of vs again and again at moments that seed decides, until
// ctx does; then all are up. Each is ended at least once.
func torment(ctx context.Context, t testing.TB, seed uint64, over time.Duration, vs []*victim) {
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

func (v *victim) restart(away time.Duration) error {
	v.times++
	end := v.s.Kill
	if v.clean {
		end = v.s.Stop
	}
	if err := end(); err != nil {
		return fmt.Errorf("end it: %w", err)
	}
	time.Sleep(away)
	return v.s.Start()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// TestEveryReadingIsStoredOnce: numbered readings come in while every part of
// the platform is killed and restarted, and the broker stopped and started.
func TestEveryReadingIsStoredOnce(t *testing.T) {
	for round := range rounds {
		seed := seed + uint64(round)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { oneRound(t, seed) })
	}
}

func oneRound(t *testing.T, seed uint64) {
	h := newHouse(t, layout{})
	s := newStream("chaos", count)
	p := h.publisher("edge")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	vs := h.victims()
	wg.Go(func() { torment(ctx, t, seed, span, vs) })
	begin := time.Now()
	p.publish(s, 0, s.n-topics, span)
	cancel()
	wg.Wait()
	p.publish(s, s.n-topics, s.n, 0) // behind all others in every queue
	published := time.Since(begin)
	until(t, "all is stored", func() bool { return h.stored(s.name) >= s.n })
	h.settled(t)
	h.verify(s)
	h.counted(s)
	h.acknowledged(s)
	m, err := h.metrics()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		t.Logf("%s ended %d times", v.name, v.times)
	}
	t.Logf("%d readings in %.1fs, stored %.1fs later; dead letters %g, recognised redeliveries since the last start %g",
		s.n, published.Seconds(), (time.Since(begin) - published).Seconds(), m["hearth_mqtt_dead_letters"], m["hearth_mqtt_messages_redelivered_total"])
	if m["hearth_mqtt_dead_letters"] != 0 {
		t.Errorf("%g good readings became dead letters", m["hearth_mqtt_dead_letters"])
	}
}
