package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	soundReads = 4        // spans of readings that are read at the same time
	soundJoin  = 4 * Hour // spans that are no farther apart are read faster as one
	soundLong  = 7 * day  // longer spans are divided
)

// soundHours are the windows of spans of whole hours, computed without suspect values: from the
// roll-up of an hour that has none, from the readings of the others.
type soundHours struct {
	q     Query
	hours []TimeSpan // in order
	bad   []TimeSpan // those of them that are computed from readings

	mu  sync.Mutex
	all map[string]*WindowSeries // pieces of windows, by fieldKey
}

// hourly returns the span of a planner's query in which all hours but the dirty ones have
// roll-ups beside their readings, and windows are no shorter. If there is none, it is the end of
// the query.
func (p *planner) hourly() TimeSpan {
	none := TimeSpan{p.q.To, p.q.To}
	if p.resolution() != Hour || len(p.dirty) > mostDoubts || !p.q.hasRollups() {
		return none
	}
	start, end := ceil(later(p.q.From, later(p.rawFrom, p.rolled.Since)), Hour), floor(earlier(p.q.To, p.rolled.Upto), Hour)
	if !start.Before(end) {
		return none
	}
	return TimeSpan{start, end}
}

// hasRollups reports whether roll-ups are made of the query's fields.
func (q Query) hasRollups() bool {
	return catalogue.KeptOf(q.Name).Rolled && !slices.ContainsFunc(q.Fields, func(f string) bool { return strings.Contains(f, ":") })
}

// soundHours computes the windows of spans that hourly returned.
func (s *Store) soundHours(ctx context.Context, p *planner, spans []TimeSpan) (*soundHours, error) {
	h := &soundHours{q: p.q, hours: wholeHours(spans, p.hourly()), all: map[string]*WindowSeries{}}
	if len(h.hours) == 0 {
		return h, nil
	}
	h.q.From, h.q.To = h.hours[0].From, h.hours[len(h.hours)-1].To
	h.bad = within(union(p.runs(h.q.From, h.q.To), p.cuts(h.q.From, h.q.To)), h.hours)
	if err := s.ReadRollups(ctx, Hour, h.q, h.addRollups); err != nil {
		return nil, err
	}
	h.bad = h.toRead()
	for _, one := range h.all {
		one.Windows = slices.DeleteFunc(one.Windows, func(w Window) bool { return h.isBad(w.Start) })
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(soundReads)
	for _, span := range h.bad {
		group.Go(func() error { return s.addSoundHours(ctx, h, span) })
	}
	return h, group.Wait()
}

// wholeHours returns the hours of the spans within another.
func wholeHours(spans []TimeSpan, in TimeSpan) []TimeSpan {
	var out []TimeSpan
	for _, s := range spans {
		s = TimeSpan{later(floor(s.From, Hour), in.From), earlier(ceil(s.To, Hour), in.To)}
		if s.From.Before(s.To) {
			out = append(out, s)
		}
	}
	return union(out, nil)
}

// within returns those of the hours that are in some of the spans.
func within(hours, spans []TimeSpan) []TimeSpan {
	var out []TimeSpan
	for _, s := range spans {
		for _, h := range hours {
			if h = (TimeSpan{later(h.From, s.From), earlier(h.To, s.To)}); h.From.Before(h.To) {
				out = append(out, h)
			}
		}
	}
	return out
}

// addRollups adds roll-ups, and notes which hours have suspect values.
func (h *soundHours) addRollups(tags map[string]string, field string, rows []Rollup) error {
	into := h.series(tags, field)
	for _, r := range rows {
		if _, ok := slices.BinarySearchFunc(h.hours, r.Start, TimeSpan.compare); !ok {
			continue
		}
		into.Windows = append(into.Windows, r.window(false))
		if hour := floor(r.Start, Hour); r.Suspect > 0 {
			h.bad = append(h.bad, TimeSpan{hour, hour.Add(Hour)})
		}
	}
	return nil
}

// toRead returns the bad hours as spans to read, in order.
func (h *soundHours) toRead() (out []TimeSpan) {
	for _, s := range union(h.bad, nil) {
		if n := len(out) - 1; n >= 0 && s.From.Sub(out[n].To) <= soundJoin && s.To.Sub(out[n].From) <= soundLong {
			out[n].To = s.To
			continue
		}
		for ; s.To.Sub(s.From) > soundLong; s.From = s.From.Add(soundLong) {
			out = append(out, TimeSpan{s.From, s.From.Add(soundLong)})
		}
		out = append(out, s)
	}
	return out
}

func (h *soundHours) isBad(t time.Time) bool {
	_, ok := slices.BinarySearchFunc(h.bad, t, TimeSpan.compare)
	return ok
}

// series returns the windows of a field of a series.
func (h *soundHours) series(tags map[string]string, field string) *WindowSeries {
	key := fieldKey(reading.Reading{Name: h.q.Name, Tags: tags}.Series(), field)
	if h.all[key] == nil {
		h.all[key] = &WindowSeries{Tags: tags, Field: field}
	}
	return h.all[key]
}

// addSoundHours adds what the readings of a span have beside suspect values.
func (s *Store) addSoundHours(ctx context.Context, h *soundHours, span TimeSpan) error {
	own := &soundHours{q: h.q, all: map[string]*WindowSeries{}}
	_, err := s.eachReading(ctx, h.q.Name, h.q.Tags, span.From, span.To, func(r reading.Reading, _ error) bool {
		own.addReading(r)
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range own.all {
		into := h.series(one.Tags, one.Field)
		into.Windows = append(into.Windows, one.Windows...)
	}
	return err
}

// addReading adds the values of a reading, which is later than those before of its series. The
// piece of a window begins at its first value.
func (h *soundHours) addReading(r reading.Reading) {
	for field, v := range r.Fields {
		if !h.q.wants(field) || quality.IsSuspect(r, field) {
			continue
		}
		into, w := h.series(r.Tags, field), Window{Start: r.Time, Mean: v, Min: v, Max: v, Last: v, Count: 1}
		if n := len(into.Windows) - 1; n >= 0 {
			if _, end := h.q.Window(into.Windows[n].Start); r.Time.Before(end) {
				into.Windows[n] = into.Windows[n].with(w)
				continue
			}
		}
		into.Windows = append(into.Windows, w)
	}
}

// addTo adds the windows to m. A nil h has none.
func (h *soundHours) addTo(m *merger) error {
	if h == nil {
		return nil
	}
	for _, one := range h.all {
		slices.SortFunc(one.Windows, func(a, b Window) int { return a.Start.Compare(b.Start) })
		if err := m.add(one.Tags, one.Field, one.Windows); err != nil {
			return err
		}
	}
	return nil
}
