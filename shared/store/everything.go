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
	readAtOnce = 20_000      // readings that Everything holds in memory
	shortest   = time.Second // span of one read
)

// Extent is the time of the first and of the last reading of a measurement.
type Extent struct {
	Name        string
	First, Last time.Time
}

// Everything returns the readings of all measurements with from <= time < to, day by
// day (in UTC), and by measurement within a day. An error ends the sequence. Everything
// holds at most some thousand readings in memory, and no transaction while the caller
// works. Readings that are written meanwhile may be missing.
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
				if more, err := s.eachReading(ctx, e.Name, nil, start, end, yield); err != nil {
					yield(reading.Reading{}, err)
					return
				} else if !more {
					return
				}
			}
		}
	}
}

// eachReading yields the readings of one measurement that have the tags. It reads spans of time and
// adapts their length to the number of readings. more is false if the caller has ended
// the sequence.
func (s *Store) eachReading(ctx context.Context, name string, tags map[string]string, from, to time.Time, yield func(reading.Reading, error) bool) (more bool, err error) {
	for step := to.Sub(from); from.Before(to); {
		end := earlier(from.Add(step), to)
		most := readAtOnce
		if step <= shortest {
			most = maxReadings
		}
		rs, err := s.BetweenAtMost(ctx, most, name, tags, from, end)
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
// ordered by series and time. With tags, only series that have all of them. More than
// a million readings are ErrTooMany.
func (s *Store) Between(ctx context.Context, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	return s.BetweenAtMost(ctx, maxReadings, name, tags, from, to)
}

// DropSamples deletes the readings of these measurements that carry the tag
// sample=true, and what was made of them.
func (s *Store) DropSamples(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := s.deleteAll(ctx, name, map[string]string{catalogue.SampleLabel: "true"}, earliest, latest); err != nil {
			return fmt.Errorf("drop samples: %w", err)
		}
	}
	return nil
}

// CheckDelete returns an error for a delete whose arguments may match more than
// intended: an empty measurement name, or a tag without a name or value.
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
