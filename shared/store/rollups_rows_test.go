package store_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func TestDeleteRollupsDeletesOnlyTheRange(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		office, bath := map[string]string{"room": `it's "here"`, "floor": "1"}, map[string]string{"room": "bath", "floor": "1"}
		always := store.Query{Name: name, From: hour.AddDate(-1, 0, 0), To: hour.AddDate(1, 0, 0)}
		all := func(resolution time.Duration) []store.RollupSeries {
			return []store.RollupSeries{rowsOf(office, "a", hour, resolution, 12), rowsOf(office, "b", hour, resolution, 12), rowsOf(bath, "a", hour, resolution, 12)}
		}
		raw := reading.Reading{Name: name, Tags: bath, Fields: map[string]float64{"a": 1}, Time: hour.Add(time.Minute)}
		write(t, s, raw)
		for _, resolution := range resolutions {
			writeRollups(t, s, resolution, name, all(resolution)...)
			writeRollups(t, s, resolution, name+"b", all(resolution)...)
		}
		five := all(store.FiveMinutes)
		for _, d := range []struct {
			tags     map[string]string
			from, to int
		}{{bath, 2, 4}, {nil, 6, 7}, {map[string]string{"room": "cellar"}, 0, 12}, {nil, 3, 3}, {office, 9, 100}} {
			from, to := hour.Add(time.Duration(d.from)*store.FiveMinutes), hour.Add(time.Duration(d.to)*store.FiveMinutes)
			if err := s.DeleteRollups(t.Context(), store.FiveMinutes, name, d.tags, from, to); err != nil {
				t.Fatal(err)
			}
			for i := range five {
				five[i].Rows = slices.DeleteFunc(five[i].Rows, func(r store.Rollup) bool {
					return (d.tags == nil || maps.Equal(d.tags, five[i].Tags)) && !r.Start.Before(from) && r.Start.Before(to)
				})
			}
		}
		checkRollups(t, s, store.FiveMinutes, always, five...)
		checkRollups(t, s, store.Hour, always, all(store.Hour)...)
		if got := lines(t, s, name, nil); len(got) != 1 {
			t.Errorf("readings %v", got)
		}
		if err := s.DeleteRange(t.Context(), name, nil, always.From, always.To); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteRollups(t.Context(), store.Hour, name, nil, time.Time{}, hour.AddDate(300, 0, 0)); err != nil {
			t.Fatal(err)
		}
		checkRollups(t, s, store.FiveMinutes, always, five...) // they outlast the readings
		checkRollups(t, s, store.Hour, always)
		always.Name += "b"
		for _, resolution := range resolutions {
			checkRollups(t, s, resolution, always, all(resolution)...)
		}
		for name, tags := range map[string]map[string]string{"": nil, name: {"room": ""}} {
			if err := s.DeleteRollups(t.Context(), store.Hour, name, tags, time.Time{}, hour); err == nil {
				t.Errorf("%q %v is deleted", name, tags)
			}
		}
	})
}

func TestValuesInReturnsOnlyThoseOfTheSpans(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i := range 3000 {
			r := reading.Reading{Name: name, Tags: map[string]string{"room": []string{"office", "bath"}[i%2], "floor": "1"}, Text: map[string]string{"sky": "clear"},
				Fields: map[string]float64{"a": float64(i), "b": float64(-i) / 7}, Time: hour.Add(time.Duration(i) * 61 * time.Second)}
			if i%5 == 0 {
				delete(r.Fields, "b")
			}
			if i > 700 && i < 1200 {
				continue // a gap
			}
			all = append(all, r)
		}
		write(t, s, all[1000:]...)
		write(t, s, all[:1000]...)
		at := func(d time.Duration) time.Time { return hour.Add(d) }
		for what, spans := range map[string][]store.TimeSpan{
			"none":          nil,
			"before":        {{at(-time.Hour), at(0)}},
			"one reading":   {{at(61 * time.Second), at(61*time.Second + 1)}},
			"none is in it": {{at(61*time.Second + 1), at(122 * time.Second)}},
			"all":           {{at(-100 * day), at(100 * day)}},
			"side by side":  {{at(0), at(time.Hour)}, {at(time.Hour), at(2 * time.Hour)}},
			"hours":         hoursEach(17*time.Hour+31*time.Minute, 4),
			"many":          hoursEach(2*time.Hour, 500), // of which most are behind the readings
			"minutes":       {{at(90 * time.Second), at(200 * time.Second)}, {at(4 * time.Hour), at(4*time.Hour + 3*time.Minute)}, {at(40 * time.Hour), at(40*time.Hour + 7)}},
		} {
			for _, q := range []store.Query{
				{Name: name},
				{Name: name, Tags: map[string]string{"room": "bath", "floor": "1"}},
				{Name: name, Fields: []string{"b", "sky", "none"}},
				{Name: name, Tags: map[string]string{"room": "cellar"}},
			} {
				c := gatherer[store.Value]{}
				if err := s.ValuesIn(t.Context(), q, spans, c.add); err != nil {
					t.Fatal(what, err)
				}
				got := map[string][]store.Value{}
				for k, v := range c {
					got[k] = v.rows
				}
				if diff := gocmp.Diff(valuesIn(all, q, spans), got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s, %+v:\n%.3000s", what, q, diff)
				}
			}
		}
	})
}

// hoursEach returns n spans of an hour.
func hoursEach(step time.Duration, n int) (out []store.TimeSpan) {
	for i := range n {
		from := hour.Add(time.Duration(i) * step)
		out = append(out, store.TimeSpan{From: from, To: from.Add(time.Hour)})
	}
	return out
}

// valuesIn computes the expected values of each series and field.
func valuesIn(all []reading.Reading, q store.Query, spans []store.TimeSpan) map[string][]store.Value {
	out := map[string][]store.Value{}
	for _, r := range slices.SortedFunc(slices.Values(all), func(a, b reading.Reading) int { return a.Time.Compare(b.Time) }) {
		in := slices.ContainsFunc(spans, func(s store.TimeSpan) bool { return !r.Time.Before(s.From) && r.Time.Before(s.To) })
		for k, v := range q.Tags {
			in = in && r.Tags[k] == v
		}
		for f, v := range r.Fields {
			if in && (q.Fields == nil || slices.Contains(q.Fields, f)) {
				key := reading.Reading{Tags: r.Tags}.Series() + "\x00" + f
				out[key] = append(out[key], store.Value{Time: r.Time, V: v})
			}
		}
	}
	return out
}
