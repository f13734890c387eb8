package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

// doubted is a span with suspect values, and tags that all series with such values have.
type doubted struct {
	TimeSpan
	tags map[string]string
}

// countSuspects counts the suspect values of a span in the windows of m. It looks only
// through the readings of the steps whose quality says that there are some.
func (s *Store) countSuspects(ctx context.Context, m *merger, from, to time.Time) error {
	for end := from; from.Before(to); from = end { // the qualities of 30 days at once
		end = earlier(floor(from, FiveMinutes).Add(daysSpan), to)
		all, err := s.doubtedSpans(ctx, m.q, from, end)
		if err != nil {
			return err
		}
		for _, d := range all {
			if err := s.lookThrough(ctx, m, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookThrough counts the suspect values of a span in the windows of m.
func (s *Store) lookThrough(ctx context.Context, m *merger, d doubted) error {
	var failed error
	_, err := s.eachReading(ctx, m.q.Name, d.tags, d.From, d.To, func(r reading.Reading, err error) bool {
		failed = err
		m.addSuspects(r)
		return err == nil
	})
	return cmp.Or(err, failed)
}

// doubtedSpans returns the spans with suspect values, by time. They do not overlap.
func (s *Store) doubtedSpans(ctx context.Context, q Query, from, to time.Time) ([]doubted, error) {
	q.From, q.To, q.Fields, q.Step = from, to, []string{catalogue.Quality}, min(q.Step, FiveMinutes)
	at := map[int64]*doubted{}
	if err := s.Aggregate(ctx, q, func(tags map[string]string, _ string, ws []Window) error {
		for _, w := range ws {
			if w.Max < quality.Suspect.Code() {
				continue
			}
			if d := at[w.Start.Unix()]; d != nil {
				maps.DeleteFunc(d.tags, func(k, v string) bool { return tags[k] != v })
				continue
			}
			at[w.Start.Unix()] = &doubted{TimeSpan{later(w.Start, from), earlier(w.Start.Add(q.Step), to)}, maps.Clone(tags)}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var out []doubted
	for _, start := range slices.Sorted(maps.Keys(at)) {
		d := at[start]
		if n := len(out) - 1; n >= 0 && out[n].To.Equal(d.From) && maps.Equal(out[n].tags, d.tags) {
			out[n].To = d.To
			continue
		}
		out = append(out, *d)
	}
	return out, nil
}

// addSuspects counts the suspect values of a reading in its windows.
func (m *merger) addSuspects(r reading.Reading) {
	if r.Fields[catalogue.Quality] < quality.Suspect.Code() {
		return
	}
	start, _ := m.q.Window(r.Time)
	series := r.Series()
	for key := range r.Fields {
		n, ok := m.at[fieldKey(series, key)]
		if !ok || !quality.IsSuspect(r, key) {
			continue
		}
		ws := m.out[n].Windows
		if i, ok := slices.BinarySearchFunc(ws, start, func(w Window, t time.Time) int { return w.Start.Compare(t) }); ok && ws[i].Suspect < ws[i].Count {
			ws[i].Suspect++ // a reading that was written after the windows were computed is not counted
		}
	}
}
