package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

func TestConcurrentCountsAreSerialized(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				err := saveDevices(t.Context(), s, store.DeviceChange{Nodes: []string{"pi4"}, Count: func(known []store.EdgeSeq) []store.EdgeSeq {
					e := store.EdgeSeq{Node: "pi4", Boot: "b1", Started: noon, First: true}
					if len(known) > 0 {
						e = known[0]
					}
					e.Upto++
					e.Highest, e.Seen = e.Upto+10, noon
					e.Holes, e.Lost = []store.Span{{From: 3, To: 1 << 52, Since: 7}}, nil
					return []store.EdgeSeq{e}
				}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.EdgeSeqs(t.Context())
		want := []store.EdgeSeq{{Node: "pi4", Boot: "b1", Started: noon, Seen: noon, Upto: 10, Highest: 20, First: true, Holes: []store.Span{{From: 3, To: 1 << 52, Since: 7}}, Lost: []store.Span{}}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	})
}

func TestFirstArrivalsKeepsTheFirst(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := store.EdgeArrival{Node: "pi4", Boot: "b1", Seq: 7, Time: noon.Add(123)}
		later := a
		later.Time = noon.Add(time.Minute)
		for _, as := range [][]store.EdgeArrival{{a, later}, {later}} {
			got, err := s.FirstArrivals(t.Context(), as)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range got {
				if !at.Equal(a.Time) {
					t.Errorf("%v, want %v", at, a.Time)
				}
			}
		}
	})
}

func TestThousandsOfArrivalsAndDeadLettersInOneCall(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const n = 2000
		var as []store.EdgeArrival
		var letters []store.DeadLetter
		for i := range n {
			as = append(as, store.EdgeArrival{Node: "pi4", Boot: fmt.Sprint("b", i%3), Seq: uint64(n - i), Time: noon.Add(time.Duration(i))})
			letters = append(letters, store.DeadLetter{ID: fmt.Sprint(i), Function: "f", Sample: []byte{byte(i)}, First: noon, Last: noon, Reported: noon})
		}
		for range 2 {
			got, err := s.FirstArrivals(t.Context(), as)
			if err != nil || len(got) != n {
				t.Fatal(len(got), err)
			}
			for i := range got {
				if !got[i].Equal(as[i].Time) {
					t.Fatalf("%d: %v, want %v", i, got[i], as[i].Time)
				}
			}
			slices.Reverse(as)
		}
		same := letters[7]
		same.ID, same.Reason, same.Reported = "7\x00", "later", noon.Add(time.Second)
		if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: append(letters, same)}); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeadLetters(t.Context(), n+1)
		if err != nil || len(got) != n {
			t.Fatal(len(got), err)
		}
		if i := slices.IndexFunc(got, func(d store.DeadLetter) bool { return d.ID == "7" }); got[i].Reason != "later" {
			t.Errorf("%+v", got[i])
		}
	})
}
