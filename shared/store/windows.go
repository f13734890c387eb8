package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

const (
	day        = 24 * time.Hour
	dayPart    = 15 * time.Minute // every zone's days begin and end with one
	maxWindows = 500_000          // of one answer
	maxSpan    = 200 * 365 * day  // in nanoseconds less than an int64 holds
)

// Query asks what the numbers of a measurement were, window by window.
type Query struct {
	Name     string
	Tags     map[string]string // narrows it to the series that have them; nil: all
	Fields   []string          // nil: all that are numbers
	From, To time.Time         // values with From <= time < To
	Step     time.Duration     // of a window: whole seconds, counted from 1970 in UTC. 24h or a multiple: calendar days of Zone, weeks from Monday
	Zone     *time.Location    // of calendar days; nil: UTC
}

// WindowSeries is one field of one series.
type WindowSeries struct {
	Tags    map[string]string
	Field   string
	Windows []Window // in order; one without a value is not there
}

// Window sums up the values of a field in a span of time.
type Window struct {
	Start                time.Time // of the span, UTC; the first and the last may be cut by From and To
	Mean, Min, Max, Last float64
	Count                int
}

// First is when the window that From is in begins.
func (q Query) First() time.Time { return floor(q.From, q.Step) }

// Windows answers q, ordered by series and field. Days are as long as they are
// in their zone: 23 or 25 hours where its clocks change.
func (s *Store) Windows(ctx context.Context, q Query) ([]WindowSeries, error) {
	m := &merger{zone: q.Zone, at: map[string]int{}}
	switch {
	case q.Name == "" || q.Step <= 0 || q.Step%time.Second != 0 || q.Step > day && q.Step%day != 0:
		return nil, fmt.Errorf("windows of %q cannot be %s long", q.Name, q.Step)
	case q.Step >= day:
		m.days = int(q.Step / day)
		q.Step = dayPart
	}
	if m.zone == nil {
		m.zone = time.UTC
	}
	if q.From, q.To = clamp(q.From), clamp(q.To); !q.From.Before(q.To) {
		return nil, nil
	}
	if q.To.Sub(q.From) > maxSpan {
		return nil, fmt.Errorf("windows of %s: ask for less than 200 years", q.Name)
	}
	if err := s.Aggregate(ctx, q, func(tags map[string]string, field string, ws []Window) error { return m.add(q.Name, tags, field, ws) }); err != nil {
		return nil, err
	}
	return m.sorted(), nil
}

// merger puts windows together.
type merger struct {
	days  int // of one window; 0: they stay as they are
	zone  *time.Location
	at    map[string]int // by series and field
	keys  []string
	out   []WindowSeries
	total int
}

func (m *merger) add(name string, tags map[string]string, field string, ws []Window) error {
	key := reading.Reading{Name: name, Tags: tags}.Series() + "\x00" + field
	n, ok := m.at[key]
	if !ok {
		n = len(m.out)
		m.at[key] = n
		m.keys = append(m.keys, key)
		m.out = append(m.out, WindowSeries{Tags: tags, Field: field})
	}
	into := &m.out[n]
	for _, w := range ws {
		if m.days > 0 {
			w.Start = m.start(w.Start)
		}
		last := len(into.Windows) - 1
		if last >= 0 && into.Windows[last].Start.Equal(w.Start) {
			into.Windows[last] = into.Windows[last].with(w)
			continue
		}
		if m.total++; m.total > maxWindows {
			return fmt.Errorf("windows of %s: %w than %d: ask for longer ones", name, ErrTooMany, maxWindows)
		}
		into.Windows = append(into.Windows, w)
	}
	return nil
}

// with returns w and a later window as one.
func (w Window) with(later Window) Window {
	n := w.Count + later.Count
	return Window{
		Start: w.Start,
		Mean:  w.Mean + (later.Mean-w.Mean)*float64(later.Count)/float64(n),
		Min:   min(w.Min, later.Min), Max: max(w.Max, later.Max),
		Last: later.Last, Count: n,
	}
}

// start returns when the days of which t is one begin, in UTC. They are counted
// from a Monday.
func (m *merger) start(t time.Time) time.Time {
	year, month, d := t.In(m.zone).Date()
	number := int(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix()/int64(day/time.Second)) + 3 // since Monday, 1969-12-29
	d -= ((number % m.days) + m.days) % m.days
	start := time.Date(year, month, d, 0, 0, 0, 0, m.zone)
	if start.Hour() != 0 && start.Hour() >= 12 { // there was no midnight, and this is the evening before
		_, start = start.ZoneBounds()
	}
	return start.UTC()
}

func (m *merger) sorted() []WindowSeries {
	order := make([]int, len(m.out))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(m.keys[a], m.keys[b]) })
	out := make([]WindowSeries, len(order))
	for i, n := range order {
		out[i] = m.out[n]
	}
	return out
}
