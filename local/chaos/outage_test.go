package chaos

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDatabaseOutage stops both databases for CHAOS_OUTAGE while readings come in. The
// connection to the broker must stay up, and the metrics must show the backlog's age.
// It logs how long new readings take while the backlog is stored.
func TestDatabaseOutage(t *testing.T) {
	h := newHearth(t, layout{tapped: true, watch: "live"})
	backlog := newStream("late", count)
	p := h.publisher("edge")
	p.publish(backlog, 0, topics, 0)
	until(t, "the first readings are stored", func() bool { return h.stored(backlog.name) == topics })

	for _, s := range h.databases() {
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	watch := h.watch(t)
	p.publish(backlog, topics, backlog.n, outage)
	age, most := watch()
	if age < outage.Seconds()/2 || age > time.Since(begin).Seconds()+2 {
		t.Errorf("after %s the metrics report an oldest message of %g s", outage, age)
	}
	if most < float64(backlog.n-topics)*0.9 {
		t.Errorf("the metrics report a backlog of %g messages, want about %d", most, backlog.n-topics)
	}
	for _, s := range h.databases() {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	back := time.Now()
	h.catchUp(t, p, backlog, back)
	if n := h.tap.connections(); n != 1 {
		t.Errorf("the connector connected %d times, want once", n)
	}
	h.checkCounts(backlog)
	t.Logf("databases stopped for %.1fs; the oldest message was %.1fs old, the backlog %.0f messages", back.Sub(begin).Seconds(), age, most)
}

func (h *hearth) databases() []restarter { return []restarter{h.postgres, h.influx} }

type restarter interface {
	Kill() error
	Start() error
}

// watch polls the connector's metrics until the returned function is called. The
// connector must be connected at each poll. The function returns the last poll's age
// and number of waiting messages.
func (h *hearth) watch(t *testing.T) func() (age, waiting float64) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	var age, waiting float64
	wg.Go(func() {
		for !stop.Load() {
			time.Sleep(200 * time.Millisecond)
			m, err := h.metrics()
			if err != nil || m["hearth_mqtt_connected"] != 1 {
				t.Errorf("while the databases were stopped: connected %g, %v", m["hearth_mqtt_connected"], err)
				return
			}
			age, waiting = m["hearth_mqtt_backlog_age_seconds"], m["hearth_mqtt_backlog_messages"]
		}
	})
	return func() (float64, float64) {
		stop.Store(true)
		wg.Wait()
		return age, waiting
	}
}

// catchUp publishes 50 readings a second until the backlog is stored, and logs how long
// these new readings took.
func (h *hearth) catchUp(t *testing.T, p *publisher, backlog stream, back time.Time) {
	var sent []time.Time
	live := newStream("live", 50*int(patience.Seconds()))
	live.from = back.Add(-time.Hour)
	var caughtUp time.Duration
	for caughtUp == 0 && len(sent) < live.n {
		p.each(50, time.Second, func(i int) (string, string) {
			k := len(sent)
			sent = append(sent, time.Now())
			return live.topic(k), live.payload(k)
		})
		if h.stored(backlog.name) >= backlog.n {
			caughtUp = time.Since(back)
		}
	}
	live.n = len(sent)
	until(t, "all is stored", func() bool { return h.stored(backlog.name) >= backlog.n && h.stored(live.name) >= live.n })
	h.awaitIdle(t)
	h.verify(backlog)
	h.verify(live)
	ds, missing := h.influxProxy.delays(live, sent)
	if missing > 0 {
		t.Errorf("%d live readings were in no write request", missing)
	}
	early := 0
	for _, d := range ds {
		if d < time.Second {
			early++
		}
	}
	t.Logf("caught up with %d readings within %.1fs; of %d live readings meanwhile %s were stored within a second (p50 %s, p99 %s, at most %s)",
		backlog.n, caughtUp.Seconds(), live.n, fmt.Sprintf("%.0f%%", 100*float64(early)/float64(max(1, len(ds)))), quantile(ds, 0.5), quantile(ds, 0.99), quantile(ds, 1))
}
