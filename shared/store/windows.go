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

// Window returns from when to when the window lasts that t is in.
func (q Query) Window(t time.Time) (start, end time.Time) {
	if q.Step < day {
		start = floor(t, q.Step)
		return start, start.Add(q.Step)
	}
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, d := t.In(zone).Date()
	days := int(q.Step / day)
	number := int(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix()/int64(day/time.Second)) + 3 // since Monday, 1969-12-29
	d -= ((number % days) + days) % days
	return begin(year, month, d, zone), begin(year, month, d+days, zone)
}

// begin returns when a calendar day begins, in UTC.
func begin(year int, month time.Month, d int, zone *time.Location) time.Time {
	start := time.Date(year, month, d, 0, 0, 0, 0, zone)
	if start.Hour() >= 12 { // there is no midnight, and this is the evening before
		_, start = start.ZoneBounds()
	}
	return start.UTC()
}

// Windows answers q, ordered by series and field. Days are as long as they are
// in their zone: 23 or 25 hours where its clocks change.
func (s *Store) Windows(ctx context.Context, q Query) ([]WindowSeries, error) {
	if q.Name == "" || q.Step <= 0 || q.Step%time.Second != 0 || q.Step > day && q.Step%day != 0 {
		return nil, fmt.Errorf("windows of %q cannot be %s long", q.Name, q.Step)
	}
	if q.From, q.To = clamp(q.From), clamp(q.To); !q.From.Before(q.To) {
		return nil, nil
	}
	if q.To.Sub(q.From) > maxSpan {
		return nil, fmt.Errorf("windows of %s: ask for less than 200 years", q.Name)
	}
	m := &merger{q: q, at: map[string]int{}}
	if err := s.Aggregate(ctx, q, m.add); err != nil {
		return nil, err
	}
	return m.sorted(), nil
}

// merger puts windows together.
type merger struct {
	q     Query
	at    map[string]int // by series and field
	keys  []string
	out   []WindowSeries
	total int
}

func (m *merger) add(tags map[string]string, field string, ws []Window) error {
	key := reading.Reading{Name: m.q.Name, Tags: tags}.Series() + "\x00" + field
	n, ok := m.at[key]
	if !ok {
		n = len(m.out)
		m.at[key] = n
		m.keys = append(m.keys, key)
		m.out = append(m.out, WindowSeries{Tags: tags, Field: field})
	}
	into := &m.out[n]
	for _, w := range ws {
		w.Start, _ = m.q.Window(w.Start)
		last := len(into.Windows) - 1
		if last >= 0 && into.Windows[last].Start.Equal(w.Start) {
			into.Windows[last] = into.Windows[last].with(w)
			continue
		}
		if m.total++; m.total > maxWindows {
			return fmt.Errorf("windows of %s: %w than %d: ask for longer ones", m.q.Name, ErrTooMany, maxWindows)
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
