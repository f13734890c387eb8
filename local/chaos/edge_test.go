package chaos

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// snapshot has the broker write its file, and returns what is in it.
func (h *house) snapshot() []byte {
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

func (h *house) do(steps ...func() error) {
	h.t.Helper()
	for _, step := range steps {
		if err := step(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// fallBack kills the broker and has it start again from an older snapshot, after
// what happens meanwhile.
func (h *house) fallBack(db []byte, meanwhile func()) {
	h.t.Helper()
	h.do(h.broker.Kill)
	meanwhile()
	if err := os.WriteFile(filepath.Join(h.broker.Dir, "mosquitto.db"), db, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.do(h.broker.Start)
}

// TestEveryEdgeReadingIsStoredOnce: real agents on simulated sensors, and all else
// that can break on the way.
func TestEveryEdgeReadingIsStoredOnce(t *testing.T) {
	h := newHouse(t, layout{tapped: true})
	for _, part := range []struct {
		name string
		do   func(*testing.T, *house)
	}{
		{"although the broker forgets", brokerForgets},
		{"although the agent is killed", agentIsKilled},
		{"the backlog beside what is new", backlogBesideNew},
	} {
		t.Run(part.name, func(t *testing.T) {
			h.t = t
			part.do(t, h)
		})
	}
	h.t = t
}

// brokerForgets: the connector is away, so that only the broker has what the agent
// publishes. The broker is killed and comes back with an old snapshot. What hearth
// does not report as stored is sent again.
func brokerForgets(t *testing.T, h *house) {
	p := h.pi("pi-a", 50*time.Millisecond, nil)
	p.until("readings are confirmed", func(g glance) bool { return g.confirmed > 100 })
	for round := range 2 * rounds {
		db := h.snapshot()
		h.do(h.connector.Stop)
		before := p.until("it is connected", func(g glance) bool { return g.connected }).published
		p.until("readings that only the broker has", func(g glance) bool { return g.published > before+100 })
		h.fallBack(db, func() {
			if round%2 == 1 { // longer than a short break
				p.until("its memory is on disk", func(g glance) bool { return !g.connected && g.window == 0 })
			}
		})
		h.do(h.connector.Start)
		before = p.until("it is connected", func(g glance) bool { return g.connected }).confirmed
		p.until("readings are confirmed again", func(g glance) bool { return g.spool == 0 && g.confirmed > before+100 })
	}
	p.end()
	p.verify()
}

// agentIsKilled at random moments, with the broker there, away, and gone with what
// it had. No number of any run is missing up to its last.
func agentIsKilled(t *testing.T, h *house) {
	p := h.pi("pi-b", 30*time.Millisecond, nil)
	p.until("readings are confirmed", func(g glance) bool { return g.confirmed > 50 })
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
		{"it is killed while the broker is away", func() {
			h.do(h.broker.Stop)
			some()
			p.kill()
			p.begin()
			some()
			h.do(h.broker.Start)
		}},
		{"the broker is killed, then the agent while it spools", func() {
			h.fallBack(h.snapshot(), func() {
				p.until("its memory is on disk", func(g glance) bool { return !g.connected && g.window == 0 })
				some()
				p.kill()
				some()
				p.begin()
			})
		}},
		{"it is killed again and again, at once after the broker came back", func() {
			h.do(h.broker.Stop)
			p.until("readings on disk", func(g glance) bool { return !g.connected && g.window == 0 && g.spool > 30 })
			h.do(h.broker.Start)
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
			p.until("it is connected", func(g glance) bool { return g.connected })
		}
	}
	t.Logf("%5.1fs the end; seed %d", time.Since(begin).Seconds(), seed)
	h.do(h.connector.Stop, h.connector.Start)
	p.end()
	p.verify()
}

// backlogBesideNew: the broker is away for thousands of readings. Back again, it
// gets them oldest first, and what is taken meanwhile beside them.
func backlogBesideNew(t *testing.T, h *house) {
	e := h.listen("pi-c")
	p := h.pi("pi-c", 15*time.Millisecond, map[string]string{"BACKLOG_RATE": "1000"})
	p.until("readings are confirmed", func(g glance) bool { return g.confirmed > 100 })
	h.do(h.broker.Stop)
	first := e.highest() + 1
	last := p.until("the backlog", func(g glance) bool { return !g.connected && g.window == 0 && g.spool >= float64(count)*0.25 }).numbered
	h.do(h.connector.Stop, h.broker.Start, h.connector.Start) // which else waits longer and longer between its tries
	began := time.Now()
	until(t, "the backlog is through", func() bool { return e.heard(last) })
	t.Logf("%d readings in %.1fs", last-first+1, time.Since(began).Seconds())
	p.end()
	e.judge(t, first, last)
	p.verify()
}
