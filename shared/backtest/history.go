package backtest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	most     = 20_000 // readings of one measurement that are read at once
	few      = 20_000 // with fewer of all, the next span is twice as long
	longest  = 24 * time.Hour
	shortest = time.Second
)

// span is all readings of a span of history, by time.
type span struct {
	readings []reading.Reading
	until    time.Time
}

// inOrder returns the readings with from <= time < to in order of time, span by span. An
// error ends the sequence.
func inOrder(ctx context.Context, st *store.Store, from, to time.Time) iter.Seq2[span, error] {
	return func(yield func(span, error) bool) {
		extents, err := st.Extents(ctx, from, to)
		if err != nil {
			yield(span{}, err)
			return
		}
		for step := time.Hour; from.Before(to); {
			end := from.Add(step)
			if end.After(to) {
				end = to
			}
			rs, err := between(ctx, st, extents, from, end)
			if errors.Is(err, store.ErrTooMany) && step > shortest {
				step = max(step/2, shortest)
				continue
			}
			if !yield(span{rs, end}, err) || err != nil {
				return
			}
			if from = end; len(rs) < few {
				step = min(2*step, longest)
			}
		}
	}
}

// between returns the readings of all measurements in a span, by time.
func between(ctx context.Context, st *store.Store, extents []store.Extent, from, to time.Time) (all []reading.Reading, err error) {
	for _, e := range extents {
		if e.Last.Before(from) || !e.First.Before(to) {
			continue
		}
		rs, err := st.BetweenAtMost(ctx, most, e.Name, nil, from, to)
		if err != nil {
			return nil, err
		}
		all = append(all, rs...)
	}
	slices.SortStableFunc(all, func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
	return all, nil
}
