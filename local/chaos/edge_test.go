package chaos

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// snapshot makes the broker write its state to disk, and returns the file's content.
func (h *hearth) snapshot() []byte {
	h.t.Helper()
	file := filepath.Join(h.broker.Dir, "mosquitto.db")
	before, _ := os.Stat(file) // there may be none yet
	if err := h.broker.Signal(syscall.SIGUSR1); err != nil {
		h.t.Fatal(err)
	}
	until(h.t, "the broker's snapshot", func() bool {
		now, err := os.Stat(file)
		return err == nil && now.Size() > 0 && (before == nil || !os.SameFile(before, now) || now.ModTime().After(before.ModTime()))
	})
	db, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	return db
}

// must runs the steps in order. The test ends at the first error.
func (h *hearth) must(steps ...func() error) {
	h.t.Helper()
	for _, step := range steps {
		if err := step(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// fallBack kills the broker, runs meanwhile, and starts the broker again from an older
// snapshot.
func (h *hearth) fallBack(db []byte, meanwhile func()) {
	h.t.Helper()
	h.must(h.broker.Kill)
	meanwhile()
	if err := os.WriteFile(filepath.Join(h.broker.Dir, "mosquitto.db"), db, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.must(h.broker.Start)
}

// TestEveryEdgeReadingIsStoredOnce runs real agents on simulated sensors, and breaks
// the agent, the broker and the connector between the sensor and the database.
func TestEveryEdgeReadingIsStoredOnce(t *testing.T) {
	h := newHearth(t, layout{tapped: true})
	for _, part := range []struct {
		name string
		do   func(*testing.T, *hearth)
	}{
		{"the broker loses messages", brokerLosesMessages},
		{"the agent is killed", agentIsKilled},
		{"a backlog and new readings", backlogAndNewReadings},
	} {
		t.Run(part.name, func(t *testing.T) {
			h.t = t
			part.do(t, h)
		})
	}
	h.t = t
}

// brokerLosesMessages: the connector is stopped, so that only the broker has what the
// agent publishes. The broker is killed and restarts from an old snapshot. The agent
// must send every reading again that is not reported as stored.
func brokerLosesMessages(t *testing.T, h *hearth) {
	p := h.pi("pi-a", 50*time.Millisecond, nil)
	p.until("readings are confirmed", func(g agentStatus) bool { return g.confirmed > 100 })
	for round := range 2 * rounds {
		db := h.snapshot()
		h.must(h.connector.Stop)
		before := p.until("it is connected", func(g agentStatus) bool { return g.connected }).published
		p.until("readings that only the broker has", func(g agentStatus) bool { return g.published > before+100 })
		h.fallBack(db, func() {
			if round%2 == 1 { // every second outage is long enough for the agent to spool
				p.until("its memory is on disk", func(g agentStatus) bool { return !g.connected && g.inMemory == 0 })
			}
		})
		h.must(h.connector.Start)
		before = p.until("it is connected", func(g agentStatus) bool { return g.connected }).confirmed
		p.until("readings are confirmed again", func(g agentStatus) bool { return g.onDisk == 0 && g.confirmed > before+100 })
	}
	p.end()
	p.verify()
}

// agentIsKilled kills the agent at random moments: while the broker runs, while it is
// stopped, and after it has lost its messages. No number of a run may be missing, up to
// the run's last.
func agentIsKilled(t *testing.T, h *hearth) {
	p := h.pi("pi-b", 30*time.Millisecond, nil)
	p.until("readings are confirmed", func(g agentStatus) bool { return g.confirmed > 50 })
	rng := rand.New(rand.NewPCG(seed, 9))
	some := func() { time.Sleep(time.Duration(rng.Int64N(int64(time.Second)))) }
	acts := []struct {
		name string
		do   func()
	}{
		{"the agent is killed", func() {
			some()
			p.kill()
			p.begin()
		}},
		{"it is killed while the broker is stopped", func() {
			h.must(h.broker.Stop)
			some()
			p.kill()
			p.begin()
			some()
			h.must(h.broker.Start)
		}},
		{"the broker is killed, then the agent while it spools", func() {
			h.fallBack(h.snapshot(), func() {
				p.until("its memory is on disk", func(g agentStatus) bool { return !g.connected && g.inMemory == 0 })
				some()
				p.kill()
				some()
				p.begin()
			})
		}},
		{"it is killed again and again, right after the broker's start", func() {
			h.must(h.broker.Stop)
			p.until("readings on disk", func(g agentStatus) bool { return !g.connected && g.inMemory == 0 && g.onDisk > 30 })
			h.must(h.broker.Start)
			for range 2 {
				some()
				p.kill()
				p.begin()
			}
		}},
	}
	begin := time.Now()
	for range rounds {
		for _, i := range rng.Perm(len(acts)) {
			t.Logf("%5.1fs %s", time.Since(begin).Seconds(), acts[i].name)
			acts[i].do()
			p.until("it is connected", func(g agentStatus) bool { return g.connected })
		}
	}
	t.Logf("%5.1fs the end; seed %d", time.Since(begin).Seconds(), seed)
	h.must(h.connector.Stop, h.connector.Start)
	p.end()
	p.verify()
}

// backlogAndNewReadings: the broker is stopped until the agent has spooled thousands of
// readings. After its start the agent publishes the backlog oldest first, and new
// readings beside it.
func backlogAndNewReadings(t *testing.T, h *hearth) {
	order := h.subscribe("pi-c")
	p := h.pi("pi-c", 15*time.Millisecond, map[string]string{"BACKLOG_RATE": "1000"})
	p.until("readings are confirmed", func(g agentStatus) bool { return g.confirmed > 100 })
	h.must(h.broker.Stop)
	first := order.highest() + 1
	last := p.until("the backlog", func(g agentStatus) bool { return !g.connected && g.inMemory == 0 && g.onDisk >= float64(count)*0.25 }).numbered
	h.must(h.connector.Stop, h.broker.Start, h.connector.Start) // a restart skips the connector's backoff
	began := time.Now()
	until(t, "the whole backlog is published", func() bool { return order.received(last) })
	t.Logf("%d readings in %.1fs", last-first+1, time.Since(began).Seconds())
	p.end()
	order.checkOrder(t, first, last)
	p.verify()
}
