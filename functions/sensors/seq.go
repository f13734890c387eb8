package function

import (
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	patience = 10 * time.Minute // a hole that stays longer is not filled any more: the edge has forgotten it
	maxSpans = 500              // holes that are remembered
)

// arrived marks a number as stored.
func arrived(e *store.EdgeSeq, n uint64, now time.Time) {
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
		e.Holes = without(e.Holes, n)
		if lost := without(e.Lost, n); size(lost) < size(e.Lost) {
			e.Lost = lost
			e.Missing--
		}
	}
	settle(e)
}

// expire gives up holes that have been open for too long.
func expire(e *store.EdgeSeq, now time.Time) {
	for i := len(e.Holes) - 1; i >= 0; i-- {
		if now.Unix()-e.Holes[i].Since >= int64(patience.Seconds()) {
			giveUp(e, i)
		}
	}
	settle(e)
}

// giveUpTo gives up what did not come of the numbers up to n: the edge has dropped it.
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
	settle(e)
}

// giveUp counts a hole as missing. What a node numbered before hearth first
// heard of it is nobody's loss.
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
		e.Lost = slices.Delete(e.Lost, 0, 1) // counted for good
	}
}

func settle(e *store.EdgeSeq) {
	e.Upto = e.Highest
	if len(e.Holes) > 0 {
		e.Upto = e.Holes[0].From - 1
	}
}

// without takes a number out of sorted spans.
func without(spans []store.Span, n uint64) []store.Span {
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

func size(spans []store.Span) (n uint64) {
	for _, s := range spans {
		n += s.To - s.From + 1
	}
	return n
}
