package function

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/store"
)

// TestNumberingAgreesWithASet draws numbers in any order, with duplicates, gaps and
// time passing, and compares the spans with a set of numbers.
func TestNumberingAgreesWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := store.EdgeSeq{First: rapid.Bool().Draw(t, "first boot")}
		got := map[uint64]bool{}
		noticed := map[uint64]time.Time{} // when a number was first skipped
		now := noon
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
			n := uint64(rapid.IntRange(1, 60).Draw(t, "number"))
			markStored(&e, n, now)
			for skipped := uint64(1); skipped < n; skipped++ {
				if _, ok := noticed[skipped]; !ok {
					noticed[skipped] = now
				}
			}
			got[n] = true
			giveUpExpired(&e, now)
			check(t, &e, got, noticed, now)
		}
	})
}

func check(t *rapid.T, e *store.EdgeSeq, got map[uint64]bool, noticed map[uint64]time.Time, now time.Time) {
	var highest uint64
	for n := range got {
		highest = max(highest, n)
	}
	upto, missing := highest, uint64(0)
	for n := highest; n >= 1; n-- {
		given := now.Unix()-noticed[n].Unix() >= int64(holeTimeout.Seconds())
		switch {
		case got[n]:
		case !given:
			upto = n - 1
		case !e.First || !leading(n, got):
			missing++
		}
	}
	if e.Highest != highest || e.Upto != upto || (!e.First && e.Missing != missing) {
		t.Fatalf("highest %d upto %d missing %d, want %d %d %d (%+v)", e.Highest, e.Upto, e.Missing, highest, upto, missing, e)
	}
	if !slices.IsSortedFunc(e.Holes, func(a, b store.Span) int { return int(a.From) - int(b.To) }) {
		t.Fatalf("holes %+v", e.Holes)
	}
}

func leading(n uint64, got map[uint64]bool) bool {
	for ; n >= 1; n-- {
		if got[n] {
			return false
		}
	}
	return true
}

func TestAnyOrderOfBatchesGivesTheSameNumbering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seqs := rapid.SliceOfN(rapid.Uint64Range(1, 200), 1, 100).Draw(t, "numbers")
		shuffled := rapid.Permutation(seqs).Draw(t, "order")
		a, b := apply(t, seqs), apply(t, shuffled)
		if a.Upto != b.Upto || a.Highest != b.Highest || a.Missing != b.Missing || total(a.Holes) != total(b.Holes) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// apply adds the numbers in batches of random sizes.
func apply(t *rapid.T, seqs []uint64) store.EdgeSeq {
	var known []store.EdgeSeq
	for len(seqs) > 0 {
		n := rapid.IntRange(1, len(seqs)).Draw(t, "batch")
		var ns numbers
		for _, s := range seqs[:n] {
			ns.add("pi4", "b1", s, noon)
		}
		known = ns.apply(known, noon)
		seqs = seqs[n:]
	}
	return known[0]
}

func TestALateNumberIsNoLongerMissing(t *testing.T) {
	e := store.EdgeSeq{}
	for _, n := range []uint64{1, 5} {
		markStored(&e, n, noon)
	}
	giveUpExpired(&e, noon.Add(9*time.Minute))
	if e.Upto != 1 || e.Missing != 0 {
		t.Errorf("after 9 minutes: %+v", e)
	}
	giveUpExpired(&e, noon.Add(10*time.Minute))
	if e.Upto != 5 || e.Missing != 3 {
		t.Errorf("after 10 minutes: %+v", e)
	}
	markStored(&e, 3, noon.Add(time.Hour))
	markStored(&e, 3, noon.Add(time.Hour))
	if e.Upto != 5 || e.Missing != 2 {
		t.Errorf("after 3 arrived: %+v", e)
	}
}

func TestTheNumberOfSpansIsBounded(t *testing.T) {
	e := store.EdgeSeq{}
	for n := uint64(1); n < 20000; n += 2 {
		markStored(&e, n, noon)
	}
	if len(e.Holes) > maxSpans || len(e.Lost) > maxSpans || e.Missing+total(e.Holes) != 9999 {
		t.Errorf("%d holes, %d lost, %d missing", len(e.Holes), len(e.Lost), e.Missing)
	}
}

func TestDroppedNumbersAreGivenUp(t *testing.T) {
	e := store.EdgeSeq{}
	for _, n := range []uint64{1, 2, 10, 20} {
		markStored(&e, n, noon)
	}
	giveUpTo(&e, 14)
	if e.Upto != 14 || e.Missing != 11 || len(e.Holes) != 1 || e.Holes[0].From != 15 {
		t.Errorf("after 3 to 9 and 11 to 14 are gone: %+v", e)
	}
	markStored(&e, 5, noon) // it was only late
	if giveUpTo(&e, 14); e.Upto != 14 || e.Missing != 10 {
		t.Errorf("after 5 arrived: %+v", e)
	}
}
