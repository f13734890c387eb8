package function

import (
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	holeTimeout = 10 * time.Minute // a hole that is older will not be filled: the edge no longer has the reading
	maxSpans    = 500              // holes that are remembered
)

// markStored adds a number to those that are stored.
func markStored(e *store.EdgeSeq, n uint64, now time.Time) {
	switch {
	case n == e.Highest+1:
		e.Highest = n
	case n > e.Highest:
		e.Holes = append(e.Holes, store.Span{From: e.Highest + 1, To: n - 1, Since: now.Unix()})
		e.Highest = n
		if len(e.Holes) > maxSpans {
			giveUp(e, 0)
		}
	default:
		e.Holes = removeNumber(e.Holes, n)
		if lost := removeNumber(e.Lost, n); total(lost) < total(e.Lost) {
			e.Lost = lost
			e.Missing--
		}
	}
	updateUpto(e)
}

// giveUpExpired gives up holes that are older than holeTimeout.
func giveUpExpired(e *store.EdgeSeq, now time.Time) {
	for i := len(e.Holes) - 1; i >= 0; i-- {
		if now.Unix()-e.Holes[i].Since >= int64(holeTimeout.Seconds()) {
			giveUp(e, i)
		}
	}
	updateUpto(e)
}

// giveUpTo gives up the parts of holes up to n: the edge has dropped those readings.
func giveUpTo(e *store.EdgeSeq, n uint64) {
	for i := len(e.Holes) - 1; i >= 0; i-- {
		hole := e.Holes[i]
		if hole.From > n {
			continue
		}
		if hole.To > n {
			e.Holes[i].To = n
			e.Holes = slices.Insert(e.Holes, i+1, store.Span{From: n + 1, To: hole.To, Since: hole.Since})
		}
		giveUp(e, i)
	}
	updateUpto(e)
}

// giveUp removes a hole and counts its numbers as missing. The first hole of a node
// that was unknown is not counted: the node numbered those readings before hearth
// received any.
func giveUp(e *store.EdgeSeq, i int) {
	hole := e.Holes[i]
	e.Holes = slices.Delete(e.Holes, i, i+1)
	if e.First && hole.From == 1 {
		return
	}
	e.Missing += hole.To - hole.From + 1
	e.Lost = append(e.Lost, hole)
	slices.SortFunc(e.Lost, func(a, b store.Span) int {
		if a.From < b.From {
			return -1
		}
		return 1
	})
	if len(e.Lost) > maxSpans {
		e.Lost = slices.Delete(e.Lost, 0, 1) // its numbers stay counted, even if one arrives late
	}
}

// updateUpto sets Upto to the last number before the first hole.
func updateUpto(e *store.EdgeSeq) {
	e.Upto = e.Highest
	if len(e.Holes) > 0 {
		e.Upto = e.Holes[0].From - 1
	}
}

// removeNumber returns sorted spans without the number n.
func removeNumber(spans []store.Span, n uint64) []store.Span {
	i, _ := slices.BinarySearchFunc(spans, n, func(s store.Span, n uint64) int {
		if s.To < n {
			return -1
		}
		return 1
	})
	if i == len(spans) || spans[i].From > n {
		return spans
	}
	s := spans[i]
	var parts []store.Span
	if s.From < n {
		parts = append(parts, store.Span{From: s.From, To: n - 1, Since: s.Since})
	}
	if n < s.To {
		parts = append(parts, store.Span{From: n + 1, To: s.To, Since: s.Since})
	}
	return slices.Concat(spans[:i], parts, spans[i+1:])
}

// total returns how many numbers spans contain.
func total(spans []store.Span) (n uint64) {
	for _, s := range spans {
		n += s.To - s.From + 1
	}
	return n
}
