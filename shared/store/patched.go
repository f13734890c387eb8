package store

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// pieces are the windows of one field of a series that are computed from the readings of
// patches.
type pieces struct {
	tags  map[string]string
	field string
	ws    []Window  // each within one patch; Start is the time of its first value
	until time.Time // values before it belong to the last of ws
}

// addPatched adds the windows of a part to m: of its roll-ups and, in its patches if it has
// any, of its readings.
func (s *Store) addPatched(ctx context.Context, m *merger, p part) error {
	q := m.q
	q.From, q.To = p.From, p.To
	all, err := s.piecesOf(ctx, q, p.patches)
	if err != nil {
		return err
	}
	var suspects []TimeSpan // patches with suspect values, as their roll-ups say
	if q.Suspects && p.dirty {
		suspects = p.patches
	}
	if err := s.ReadRollups(ctx, p.resolution, q, func(tags map[string]string, field string, rows []Rollup) error {
		f := all[fieldKey(reading.Reading{Name: q.Name, Tags: tags}.Series(), field)]
		ws := make([]Window, 0, len(rows))
		for _, r := range rows {
			if n, ok := slices.BinarySearchFunc(p.patches, r.Start, TimeSpan.compare); ok {
				if q.Suspects && r.Suspect > 0 {
					suspects = union(suspects, p.patches[n:n+1])
				}
				continue
			}
			ws = append(f.before(ws, r.Start), r.window(q.Suspects))
		}
		return m.add(tags, field, ws)
	}); err != nil {
		return err
	}
	for _, f := range all {
		if err := m.add(f.tags, f.field, f.ws); err != nil {
			return err
		}
	}
	for _, span := range suspects {
		if err := s.lookThrough(ctx, m, doubted{span, q.Tags}); err != nil {
			return err
		}
	}
	return nil
}

// piecesOf returns the pieces of all fields in patches, by fieldKey.
func (s *Store) piecesOf(ctx context.Context, q Query, patches []TimeSpan) (map[string]*pieces, error) {
	out := map[string]*pieces{}
	if len(patches) == 0 {
		return out, nil
	}
	err := s.ValuesIn(ctx, q, patches, func(tags map[string]string, field string, values []Value) error {
		key := fieldKey(reading.Reading{Name: q.Name, Tags: tags}.Series(), field)
		f := out[key]
		if f == nil {
			f = &pieces{tags: tags, field: field}
			out[key] = f
		}
		for _, v := range values {
			f.add(q, patches, v)
		}
		return nil
	})
	return out, err
}

// add adds a value, which is later than those before.
func (f *pieces) add(q Query, patches []TimeSpan, v Value) {
	w := Window{Start: v.Time, Mean: v.V, Min: v.V, Max: v.V, Last: v.V, Count: 1}
	if n := len(f.ws) - 1; n >= 0 && v.Time.Before(f.until) {
		f.ws[n] = f.ws[n].with(w)
		return
	}
	f.ws = append(f.ws, w)
	_, f.until = q.Window(v.Time)
	if n, ok := slices.BinarySearchFunc(patches, v.Time, TimeSpan.compare); ok {
		f.until = earlier(f.until, patches[n].To)
	}
}

// before moves the pieces before a time to the end of ws.
func (f *pieces) before(ws []Window, t time.Time) []Window {
	if f == nil {
		return ws
	}
	n := 0
	for n < len(f.ws) && f.ws[n].Start.Before(t) {
		n++
	}
	ws, f.ws = append(ws, f.ws[:n]...), f.ws[n:]
	return ws
}

// compare returns 0 if t is in the span, -1 if the span is before t, 1 if it is after t.
func (s TimeSpan) compare(t time.Time) int {
	switch {
	case t.Before(s.From):
		return 1
	case t.Before(s.To):
		return 0
	default:
		return -1
	}
}

// window returns the row as a window.
func (r Rollup) window(suspects bool) Window {
	w := Window{Start: r.Start, Mean: r.Sum / float64(r.Count), Min: r.Min, Max: r.Max, Last: r.Last, Count: r.Count}
	if suspects {
		w.Suspect = r.Suspect
	}
	return w
}
