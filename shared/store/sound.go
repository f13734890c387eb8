package store

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	mostSpans  = 32 // spans of windows that are computed one by one; more are computed as one
	mostDoubts = 50 // spans with suspect values that are read one by one; more are read as one
)

// SoundWindows is Windows without the suspect values: Suspect is how many a window has beside
// its Count. A window that has only suspect values has the count 0. Where readings have
// expired, a roll-up with suspect values is left out with all its values.
func (s *Store) SoundWindows(ctx context.Context, q Query) ([]WindowSeries, error) {
	q, err := q.checked()
	if err != nil {
		return nil, err
	}
	q.Suspects = true
	all, err := s.Windows(ctx, q)
	if err != nil {
		return nil, err
	}
	spans := doubtedWindows(q, all)
	if len(spans) == 0 {
		return all, nil
	}
	m, err := s.soundIn(ctx, q, spans)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		for i, w := range one.Windows {
			if w.Suspect > 0 {
				one.Windows[i] = m.find(one, w.Start)
				one.Windows[i].Suspect = w.Suspect
			}
		}
	}
	return all, nil
}

// doubtedWindows returns spans that cover the windows with suspect values, in order.
func doubtedWindows(q Query, all []WindowSeries) []TimeSpan {
	var out []TimeSpan
	for _, one := range all {
		for _, w := range one.Windows {
			if w.Suspect > 0 {
				start, end := q.Window(w.Start)
				out = append(out, TimeSpan{later(start, q.From), earlier(end, q.To)})
			}
		}
	}
	return union(out, nil)
}

// soundIn returns the windows of q in the spans, computed without suspect values.
func (s *Store) soundIn(ctx context.Context, q Query, spans []TimeSpan) (*merger, error) {
	r, dirty, _, err := s.rolledAndDirty(ctx, q) // without one, all readings are kept
	if err != nil {
		return nil, err
	}
	m, p := newMerger(q), newPlanner(q, r, dirty)
	hourly := p.hourly()
	hours, err := s.soundHours(ctx, p, spans)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil: // the readings are there in any case
		hourly, hours = TimeSpan{q.To, q.To}, nil
	}
	if err := s.addSound(ctx, m, p, within(spans, []TimeSpan{{q.From, hourly.From}})); err != nil {
		return nil, err
	}
	if err := hours.addTo(m); err != nil {
		return nil, err
	}
	return m, s.addSound(ctx, m, p, within(spans, []TimeSpan{{hourly.To, q.To}}))
}

// addSound adds the windows of spans to m: of roll-ups where readings have expired.
func (s *Store) addSound(ctx context.Context, m *merger, p *planner, spans []TimeSpan) error {
	if n := len(spans); n > mostSpans {
		spans = []TimeSpan{{spans[0].From, spans[n-1].To}}
	}
	for _, span := range spans {
		p.out = nil
		p.withoutReadings(span.From, earlier(span.To, p.rawFrom))
		for _, one := range p.out {
			if err := s.addSoundRollups(ctx, m, one); err != nil {
				return err
			}
		}
		if err := s.addSoundReadings(ctx, m, later(span.From, p.rawFrom), span.To); err != nil {
			return err
		}
	}
	return nil
}

// addSoundRollups adds the roll-ups of a part that have no suspect values to m.
func (s *Store) addSoundRollups(ctx context.Context, m *merger, p part) error {
	q := m.q
	q.From, q.To = p.From, p.To
	return s.ReadRollups(ctx, p.resolution, q, func(tags map[string]string, field string, rows []Rollup) error {
		ws := make([]Window, 0, len(rows))
		for _, r := range rows {
			if r.Suspect == 0 {
				ws = append(ws, r.window(false))
			}
		}
		return m.add(tags, field, ws)
	})
}

// addSoundReadings adds the windows of a span to m. They are computed from pieces of at most
// five minutes; those with suspect values are made here, of the other readings.
func (s *Store) addSoundReadings(ctx context.Context, m *merger, from, to time.Time) error {
	q := m.q
	q.Step = pieceOf(q.Step)
	for end := from; from.Before(to); from = end {
		end = earlier(floor(from, FiveMinutes).Add(daysSpan), to)
		sound, err := s.soundPieces(ctx, q, from, end)
		if err != nil {
			return err
		}
		q.From, q.To = from, end
		if err := s.Aggregate(ctx, q, func(tags map[string]string, field string, ws []Window) error {
			return m.add(tags, field, sound.inPlace(fieldKey(reading.Reading{Name: q.Name, Tags: tags}.Series(), field), ws))
		}); err != nil {
			return err
		}
	}
	return nil
}

// pieceOf returns the longest piece that fits in windows of a step and in five minutes.
func pieceOf(step time.Duration) time.Duration {
	piece := FiveMinutes
	for step > 0 {
		piece, step = step, piece%step
	}
	return piece
}

// soundPieces are windows without suspect values, by fieldKey and start in unix seconds. Those
// of which nothing is left have the count 0.
type soundPieces map[string]map[int64]Window

// soundPieces returns the windows of q, which has no calendar days, in the spans that have
// suspect values.
func (s *Store) soundPieces(ctx context.Context, q Query, from, to time.Time) (soundPieces, error) {
	doubts, err := s.doubtedSpans(ctx, q, from, to)
	if n := len(doubts); n > mostDoubts {
		doubts = []doubted{{TimeSpan{doubts[0].From, doubts[n-1].To}, q.Tags}}
	}
	out := soundPieces{}
	for _, d := range doubts {
		if err != nil {
			return nil, err
		}
		_, err = s.eachReading(ctx, q.Name, d.tags, d.From, d.To, func(r reading.Reading, _ error) bool {
			out.add(q, r)
			return true
		})
	}
	return out, err
}

// add adds the values of a reading, which is later than those before of its series.
func (p soundPieces) add(q Query, r reading.Reading) {
	series, start := r.Series(), floor(r.Time, q.Step)
	for field, v := range r.Fields {
		if !q.wants(field) {
			continue
		}
		key := fieldKey(series, field)
		if p[key] == nil {
			p[key] = map[int64]Window{}
		}
		w, one := p[key][start.Unix()], Window{Start: start, Mean: v, Min: v, Max: v, Last: v, Count: 1}
		switch {
		case quality.IsSuspect(r, field): // w may be empty
		case w.Count == 0:
			w = one
		default:
			w = w.with(one)
		}
		p[key][start.Unix()] = w
	}
}

// inPlace returns the windows of a field of a series with its pieces in their place.
func (p soundPieces) inPlace(key string, ws []Window) []Window {
	out := make([]Window, 0, len(ws))
	for _, w := range ws {
		if own, ok := p[key][w.Start.Unix()]; ok {
			w = own
		}
		if w.Count > 0 {
			out = append(out, w)
		}
	}
	return out
}

// find returns the window of a series that begins at start, or one without values.
func (m *merger) find(of WindowSeries, start time.Time) Window {
	if n, ok := m.at[fieldKey(reading.Reading{Name: m.q.Name, Tags: of.Tags}.Series(), of.Field)]; ok {
		ws := m.out[n].Windows
		if i, ok := slices.BinarySearchFunc(ws, start, func(w Window, t time.Time) int { return w.Start.Compare(t) }); ok {
			return ws[i]
		}
	}
	return Window{Start: start}
}
