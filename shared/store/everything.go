package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	readAtOnce = 20_000 // readings that Everything holds
	shortest   = time.Second
)

// Extent says when a measurement has its first and its last reading.
type Extent struct {
	Name        string
	First, Last time.Time
}

// Everything returns the readings of all measurements with from <= time < to, a
// day (in UTC) at a time, the days in order, within a day by measurement. An
// error is the last that it yields. It holds some thousand readings, and no
// transaction while the caller works: what is written meanwhile may be in it or
// not.
func (s *Store) Everything(ctx context.Context, from, to time.Time) iter.Seq2[reading.Reading, error] {
	return func(yield func(reading.Reading, error) bool) {
		extents, err := s.Extents(ctx, clamp(from), clamp(to))
		if err != nil {
			yield(reading.Reading{}, err)
			return
		}
		var first, last time.Time
		for _, e := range extents {
			if first.IsZero() || e.First.Before(first) {
				first = e.First
			}
			if e.Last.After(last) {
				last = e.Last
			}
		}
		for d := first.Truncate(day); !d.After(last); d = d.Add(day) {
			for _, e := range extents {
				start, end := later(d, e.First), earlier(d.Add(day), e.Last.Add(1))
				if more, err := s.eachOf(ctx, e.Name, start, end, yield); err != nil {
					yield(reading.Reading{}, err)
					return
				} else if !more {
					return
				}
			}
		}
	}
}

// eachOf yields the readings of a measurement in spans that hold few enough.
func (s *Store) eachOf(ctx context.Context, name string, from, to time.Time, yield func(reading.Reading, error) bool) (more bool, err error) {
	for step := to.Sub(from); from.Before(to); {
		end := earlier(from.Add(step), to)
		most := readAtOnce
		if step <= shortest {
			most = maxReadings
		}
		rs, err := s.BetweenAtMost(ctx, most, name, nil, from, end)
		if errors.Is(err, ErrTooMany) && step > shortest {
			step = max(step/2, shortest)
			continue
		}
		if err != nil {
			return false, err
		}
		for _, r := range rs {
			if !yield(r, nil) {
				return false, nil
			}
		}
		if from = end; len(rs) < readAtOnce/4 {
			step *= 2
		}
	}
	return true, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Between returns the readings of one measurement with from <= time < to,
// ordered by series and time. tags narrows it; nil means all. More than a
// million are ErrTooMany.
func (s *Store) Between(ctx context.Context, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	return s.BetweenAtMost(ctx, maxReadings, name, tags, from, to)
}

// DropSamples deletes the readings of these measurements that carry the tag
// sample=true.
func (s *Store) DropSamples(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := s.DeleteRange(ctx, name, map[string]string{catalogue.SampleLabel: "true"}, earliest, latest); err != nil {
			return fmt.Errorf("drop samples: %w", err)
		}
	}
	return nil
}

// CheckDelete refuses what would delete more than was meant.
func CheckDelete(name string, tags map[string]string) error {
	if name == "" {
		return errors.New("delete readings: no measurement is named")
	}
	for k, v := range tags {
		if k == "" || v == "" {
			return fmt.Errorf("delete readings of %s: the tag %q has no value", name, k)
		}
	}
	return nil
}
