package chaos

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestAKilledBrokerCausesNoDuplicates: Mosquitto writes a snapshot from time to time.
// A killed broker restarts from its last snapshot. It has lost the messages that came
// after it, and delivers messages again that were acknowledged after it.
func TestAKilledBrokerCausesNoDuplicates(t *testing.T) {
	h := newHearth(t, layout{tapped: true, autosave: 2})
	began := time.Now()
	until(t, "a snapshot with the connector's session", func() bool {
		snapshot, err := os.Stat(filepath.Join(h.broker.Dir, "mosquitto.db"))
		return err == nil && snapshot.ModTime().After(began)
	})
	s := newStream("broker", count/2)
	p := h.publisher("edge")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	killed := &victim{name: "broker", s: h.broker}
	wg.Go(func() { killAtRandom(ctx, t, seed, span*2/3, []*victim{killed}) })
	p.publish(s, 0, s.n-topics, span*2/3)
	cancel()
	wg.Wait()
	p.publish(s, s.n-topics, s.n, 0) // each queue holds these last
	var missing []int
	var wrong []string
	until(t, "the last readings are stored", func() bool {
		missing, wrong = s.compare(h.points(s.name))
		return len(missing) == 0 || missing[len(missing)-1] < s.n-topics
	})
	h.awaitIdle(t)
	missing, wrong = s.compare(h.points(s.name))
	if len(wrong) > 0 {
		t.Errorf("%d readings are stored twice or wrong: %q …", len(wrong), wrong[:min(len(wrong), 10)])
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

// holes returns how many reading numbers the platform counts as missing.
func (h *hearth) holes() (n int) {
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
