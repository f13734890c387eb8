package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// A client that publishes on a node's topic with ever new boots must neither fill the
// table nor drive out the node's own.
func TestANodeKeepsItsLongestRecentBoots(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		count := func(seqs ...store.EdgeSeq) {
			t.Helper()
			err := saveDevices(t.Context(), s, store.DeviceChange{Nodes: []string{"pi4", "pi5"}, Count: func([]store.EdgeSeq) []store.EdgeSeq { return seqs }})
			if err != nil {
				t.Fatal(err)
			}
		}
		boot := func(node, boot string, upto uint64, seen time.Duration) store.EdgeSeq {
			return store.EdgeSeq{Node: node, Boot: boot, Started: noon, Seen: noon.Add(seen), Upto: upto, Highest: upto}
		}
		count(boot("pi4", "last week", 90_000, -7*24*time.Hour), boot("pi4", "now", 500, 0), boot("pi5", "other", 1, 0))
		for i := range 3 {
			var flood []store.EdgeSeq
			for j := range store.MaxBoots {
				flood = append(flood, boot("pi4", fmt.Sprint("evil", i, "-", j), 1, time.Duration(i)*time.Minute))
			}
			count(flood...)
		}
		count(boot("pi4", "new", 3, time.Hour))
		got, err := s.EdgeSeqs(t.Context())
		if err != nil || len(got) != store.MaxBoots+1 {
			t.Fatalf("%d boots, %v", len(got), err)
		}
		for boot, want := range map[string]bool{"now": true, "new": true, "other": true, "last week": false, "evil2-7": true, "evil0-7": false} {
			if has := slices.ContainsFunc(got, func(e store.EdgeSeq) bool { return e.Boot == boot }); has != want {
				t.Errorf("%s is kept: %v", boot, has)
			}
		}
	})
}

func TestTheOldestDeadLettersAreTrimmed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var c store.DeviceChange
		for i := range 10 {
			at := noon.Add(time.Duration(i) * time.Minute)
			c.Dead = append(c.Dead, store.DeadLetter{ID: fmt.Sprint(i), Function: "f", First: at, Last: at, Reported: at})
		}
		if err := saveDevices(t.Context(), s, c); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{7, 4, 4} {
			if err := s.TrimDeadLetters(t.Context(), 4, 3); err != nil || s.CountDeadLetters(t) != want {
				t.Errorf("%d left, %v, want %d", s.CountDeadLetters(t), err, want)
			}
		}
		if got, err := s.DeadLetters(t.Context(), 10); err != nil || len(got) != 4 || got[3].ID != "6" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
