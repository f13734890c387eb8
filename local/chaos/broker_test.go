package chaos

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestAKilledBrokerDoublesNothing: Mosquitto keeps a snapshot from time to time.
// Killed, it has lost what came since, and brings back what was acknowledged
// since.
func TestAKilledBrokerDoublesNothing(t *testing.T) {
	h := newHouse(t, layout{tapped: true, autosave: 2})
	began := time.Now()
	until(t, "a snapshot that knows the connector", func() bool {
		snapshot, err := os.Stat(filepath.Join(h.broker.Dir, "mosquitto.db"))
		return err == nil && snapshot.ModTime().After(began)
	})
	s := newStream("broker", count/2)
	p := h.publisher("edge")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	killed := &victim{name: "broker", s: h.broker}
	wg.Go(func() { torment(ctx, t, seed, span*2/3, []*victim{killed}) })
	p.publish(s, 0, s.n-topics, span*2/3)
	cancel()
	wg.Wait()
	p.publish(s, s.n-topics, s.n, 0) // behind all others in every queue
	var missing []int
	var wrong []string
	until(t, "the last readings are stored", func() bool {
		missing, wrong = s.compare(h.points(s.name))
		return len(missing) == 0 || missing[len(missing)-1] < s.n-topics
	})
	h.settled(t)
	missing, wrong = s.compare(h.points(s.name))
	if len(wrong) > 0 {
		t.Errorf("%d are doubled or wrong: %q …", len(wrong), wrong[:min(len(wrong), 10)])
	}
	lost := 0
	for _, k := range missing {
		if h.tap.took(s.payload(k)) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d readings are missing that the connector had acknowledged", lost)
	}
	if holes := h.holes(); holes != len(missing) {
		t.Errorf("the platform counts %d missing numbers, want %d", holes, len(missing))
	}
	t.Logf("seed %d, broker killed %d times: Mosquitto lost %d of the %d readings it had acknowledged, and delivered %d more than once",
		seed, killed.times, len(missing), s.n, h.tap.again())
}

// holes is how many numbers the platform waits for.
func (h *house) holes() (n int) {
	h.t.Helper()
	seqs, err := h.open().EdgeSeqs(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range seqs {
		for _, hole := range e.Holes {
			n += int(hole.To - hole.From + 1)
		}
	}
	return n
}
