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
	dayPart    = 15 * time.Minute // in every time zone, a day begins and ends at a multiple of it
	maxWindows = 500_000          // in one answer
	maxSpan    = 200 * 365 * day  // of a query; in nanoseconds it must fit in an int64
)

// Query selects the windows of a measurement's numeric fields.
type Query struct {
	Name     string
	Tags     map[string]string // only series that have all of them; nil: all series
	Fields   []string          // nil: all numeric fields
	From, To time.Time         // values with From <= time < To
	Step     time.Duration     // length of a window: whole seconds, aligned to the unix epoch. 24h or a multiple: calendar days of Zone, weeks from Monday
	Zone     *time.Location    // of calendar days; nil: UTC
	Suspects bool              // count the suspect values
}

// WindowSeries holds the windows of one field of one series.
type WindowSeries struct {
	Tags    map[string]string
	Field   string
	Windows []Window // in order; windows without a value are left out
}

// Window holds the aggregates of a field's values in a span of time.
type Window struct {
	Start                time.Time // in UTC; From and To may cut the first and the last window
	Mean, Min, Max, Last float64
	Count                int
	Suspect              int // how many of them quality.IsSuspect says are suspect; 0 unless the query asks for it
}

// Window returns the start and end of the window that contains t.
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

// begin returns the start of a calendar day of zone, in UTC.
func begin(year int, month time.Month, d int, zone *time.Location) time.Time {
	start := time.Date(year, month, d, 0, 0, 0, 0, zone)
	if start.Hour() >= 12 { // the day has no midnight, and time.Date returned the evening before
		_, start = start.ZoneBounds()
	}
	return start.UTC()
}

// RawWindows is Windows, computed from readings only: their roll-ups are made of it.
func (s *Store) RawWindows(ctx context.Context, q Query) ([]WindowSeries, error) {
	q, err := q.checked()
	if err != nil || !q.From.Before(q.To) {
		return nil, err
	}
	m := newMerger(q)
	if err := s.addRaw(ctx, m, q.From, q.To); err != nil {
		return nil, err
	}
	return m.sorted(), nil
}

// checked returns q with its span limited to what the stores can hold, or an error if it
// has no windows.
func (q Query) checked() (Query, error) {
	if q.Name == "" || q.Step <= 0 || q.Step%time.Second != 0 || q.Step > day && q.Step%day != 0 {
		return q, fmt.Errorf("windows of %q: invalid step %s", q.Name, q.Step)
	}
	if q.From, q.To = clamp(q.From), clamp(q.To); q.To.Sub(q.From) > maxSpan {
		return q, fmt.Errorf("windows of %s: the span is longer than 200 years", q.Name)
	}
	return q, nil
}

// addRaw adds the windows of a span to m, computed from readings.
func (s *Store) addRaw(ctx context.Context, m *merger, from, to time.Time) error {
	q := m.q
	q.From, q.To = from, to
	if err := s.Aggregate(ctx, q, m.add); err != nil || !q.Suspects {
		return err
	}
	return s.countSuspects(ctx, m, from, to)
}

// merger collects the windows that Aggregate returns, and merges parts of a day.
type merger struct {
	q     Query
	at    map[string]int // index in out, by series and field
	keys  []string
	out   []WindowSeries
	total int
}

func newMerger(q Query) *merger { return &merger{q: q, at: map[string]int{}} }

func (m *merger) add(tags map[string]string, field string, ws []Window) error {
	key := fieldKey(reading.Reading{Name: m.q.Name, Tags: tags}.Series(), field)
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
			return fmt.Errorf("windows of %s: %w: more than %d windows", m.q.Name, ErrTooMany, maxWindows)
		}
		into.Windows = append(into.Windows, w)
	}
	return nil
}

// with returns w merged with a later window.
func (w Window) with(later Window) Window {
	n := w.Count + later.Count
	return Window{
		Start: w.Start,
		Mean:  w.Mean + (later.Mean-w.Mean)*float64(later.Count)/float64(n),
		Min:   min(w.Min, later.Min), Max: max(w.Max, later.Max),
		Last: later.Last, Count: n, Suspect: w.Suspect + later.Suspect,
	}
}

// fieldKey is the key of a field of a series in a map.
func fieldKey(series, field string) string { return series + "\x00" + field }

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
