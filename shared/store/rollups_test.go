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

var resolutions = []time.Duration{store.FiveMinutes, store.Hour}

// hour is the start of the first roll-ups of these tests.
var hour = noon.Truncate(time.Hour)

// rowsOf returns n rows of a field, without gaps. Their counts differ, and some values are
// suspect.
func rowsOf(tags map[string]string, field string, from time.Time, resolution time.Duration, n int) store.RollupSeries {
	s := store.RollupSeries{Tags: tags, Field: field}
	for i := range n {
		v, count := float64(i%37)-12.5, 1+i%7
		s.Rows = append(s.Rows, store.Rollup{Start: from.Add(time.Duration(i) * resolution).UTC(), Sum: v * float64(count), Min: v - float64(i%5), Max: v + float64(i%11),
			Last: v + 0.25, Count: count, Suspect: (i % 3) * count / 2})
	}
	return s
}

func writeRollups(t *testing.T, s *store.Store, resolution time.Duration, name string, all ...store.RollupSeries) {
	t.Helper()
	if err := s.WriteRollups(t.Context(), resolution, name, all); err != nil {
		t.Fatal(err)
	}
}

func readRollups(t *testing.T, s *store.Store, resolution time.Duration, q store.Query) []store.RollupSeries {
	t.Helper()
	c := gatherer[store.Rollup]{}
	if err := s.ReadRollups(t.Context(), resolution, q, c.add); err != nil {
		t.Fatal(err)
	}
	var out []store.RollupSeries
	for _, k := range c.keys() {
		out = append(out, store.RollupSeries{Tags: c[k].tags, Field: c[k].field, Rows: c[k].rows})
	}
	return out
}

// gatherer gathers the rows of each series and field.
type gatherer[T any] map[string]*gathered[T]

type gathered[T any] struct {
	tags  map[string]string
	field string
	rows  []T
}

func (c gatherer[T]) add(tags map[string]string, field string, rows []T) error {
	k := reading.Reading{Tags: tags}.Series() + "\x00" + field
	if c[k] == nil {
		c[k] = &gathered[T]{tags: tags, field: field}
	}
	c[k].rows = append(c[k].rows, rows...)
	return nil
}

func (c gatherer[T]) keys() []string { return slices.Sorted(maps.Keys(c)) }

// sortedRollups returns series in the order of readRollups.
func sortedRollups(all ...store.RollupSeries) []store.RollupSeries {
	c := gatherer[store.Rollup]{}
	var out []store.RollupSeries
	for _, s := range all {
		c.add(s.Tags, s.Field, s.Rows)
	}
	for _, k := range c.keys() {
		rows := c[k].rows
		slices.SortStableFunc(rows, func(a, b store.Rollup) int { return a.Start.Compare(b.Start) })
		out = append(out, store.RollupSeries{Tags: c[k].tags, Field: c[k].field, Rows: rows})
	}
	return out
}

var approximately = gocmp.Options{cmpopts.EquateApprox(1e-12, 1e-12), cmpopts.EquateEmpty()}

func checkRollups(t *testing.T, s *store.Store, resolution time.Duration, q store.Query, want ...store.RollupSeries) {
	t.Helper()
	if diff := gocmp.Diff(sortedRollups(want...), readRollups(t, s, resolution, q), approximately); diff != "" {
		t.Errorf("roll-ups of %s, %+v:\n%.3000s", resolution, q, diff)
	}
}

func TestRollupsAreReadAsWritten(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if err := s.ReadyForRollups(t.Context()); err != nil {
			t.Fatal(err)
		}
		name := measurement(t)
		office, bath := map[string]string{"room": `it's "the" office`, "floor": "1"}, map[string]string{"room": "bath", "floor": "1"}
		always := store.Query{Name: name, From: hour.AddDate(-1, 0, 0), To: hour.AddDate(1, 0, 0)}
		for _, resolution := range resolutions {
			a, b := rowsOf(office, "co2_ppm", hour, resolution, 30), rowsOf(office, "temperature_celsius", hour, resolution, 20)
			c, none := rowsOf(bath, "co2_ppm", hour.Add(resolution), resolution, 10), rowsOf(nil, "co2_ppm", hour, resolution, 2)
			writeRollups(t, s, resolution, name, a, b, c, none)
			writeRollups(t, s, resolution, name+"other", a)
			writeRollups(t, s, resolution, name)                                                        // nothing
			writeRollups(t, s, resolution, name, store.RollupSeries{Tags: bath, Field: "without rows"}) // nothing
			checkRollups(t, s, resolution, always, a, b, c, none)

			q := always
			q.Tags = map[string]string{"floor": "1", "room": office["room"]}
			checkRollups(t, s, resolution, q, a, b)
			q.Fields = []string{"temperature_celsius", "none"}
			checkRollups(t, s, resolution, q, b)
			q.From, q.To = hour.Add(3*resolution), hour.Add(5*resolution)
			b.Rows = b.Rows[3:5]
			checkRollups(t, s, resolution, q, b)
			q.From, q.To = q.From.Add(1), q.To.Add(1) // the start of a row counts
			b = rowsOf(office, "temperature_celsius", hour, resolution, 20)
			checkRollups(t, s, resolution, q, store.RollupSeries{Tags: office, Field: b.Field, Rows: b.Rows[4:6]})
			q.Name = name + "unknown"
			checkRollups(t, s, resolution, q)

			// A row replaces the one before, also its suspect values.
			a.Rows[4] = store.Rollup{Start: a.Rows[4].Start, Sum: 8, Min: 1, Max: 7, Last: 7, Count: 2}
			a.Rows[5] = store.Rollup{Start: a.Rows[5].Start, Sum: 3, Min: 3, Max: 3, Last: 3, Count: 1, Suspect: 1}
			writeRollups(t, s, resolution, name, store.RollupSeries{Tags: office, Field: a.Field, Rows: a.Rows[4:6]})
			checkRollups(t, s, resolution, always, a, b, c, none)
		}
		if rs, err := s.BetweenAtMost(t.Context(), 1, name, nil, always.From, always.To); err != nil || len(rs) != 0 {
			t.Errorf("%d readings, %v: roll-ups are none", len(rs), err)
		}
		if err := s.WriteRollups(t.Context(), time.Minute, name, []store.RollupSeries{rowsOf(bath, "co2_ppm", hour, time.Minute, 1)}); err == nil {
			t.Error("roll-ups of a minute are accepted")
		}
	})
}

// foldedWindows computes the expected windows from roll-ups.
func foldedWindows(q store.Query, all ...store.RollupSeries) []store.WindowSeries {
	var out []store.WindowSeries
	for _, s := range sortedRollups(all...) {
		ws := store.WindowSeries{Tags: s.Tags, Field: s.Field}
		for _, r := range s.Rows {
			if r.Start.Before(q.From) || !r.Start.Before(q.To) {
				continue
			}
			start := startOf(r.Start, q)
			if n := len(ws.Windows) - 1; n < 0 || !ws.Windows[n].Start.Equal(start) {
				ws.Windows = append(ws.Windows, store.Window{Start: start, Min: r.Min, Max: r.Max})
			}
			w := &ws.Windows[len(ws.Windows)-1]
			w.Mean += r.Sum // divided below
			w.Min, w.Max, w.Last, w.Count = min(w.Min, r.Min), max(w.Max, r.Max), r.Last, w.Count+r.Count
			if q.Suspects {
				w.Suspect += r.Suspect
			}
		}
		for i := range ws.Windows {
			ws.Windows[i].Mean /= float64(ws.Windows[i].Count)
		}
		if len(ws.Windows) > 0 {
			out = append(out, ws)
		}
	}
	return out
}

// aggregateRollups returns what AggregateRollups calls fn with. It merges parts of a day.
func aggregateRollups(t *testing.T, s *store.Store, resolution time.Duration, q store.Query) []store.WindowSeries {
	t.Helper()
	c := gatherer[store.Window]{}
	if err := s.AggregateRollups(t.Context(), resolution, q, c.add); err != nil {
		t.Fatal(err)
	}
	var out []store.WindowSeries
	for _, k := range c.keys() {
		ws := store.WindowSeries{Tags: c[k].tags, Field: c[k].field}
		for _, w := range c[k].rows {
			w.Start, _ = q.Window(w.Start)
			n := len(ws.Windows) - 1
			if n < 0 || !ws.Windows[n].Start.Equal(w.Start) {
				ws.Windows = append(ws.Windows, w)
				continue
			}
			p := &ws.Windows[n]
			p.Mean = (p.Mean*float64(p.Count) + w.Mean*float64(w.Count)) / float64(p.Count+w.Count)
			p.Min, p.Max, p.Last, p.Count, p.Suspect = min(p.Min, w.Min), max(p.Max, w.Max), w.Last, p.Count+w.Count, p.Suspect+w.Suspect
		}
		out = append(out, ws)
	}
	return out
}

func checkAggregate(t *testing.T, s *store.Store, resolution time.Duration, q store.Query, all ...store.RollupSeries) {
	t.Helper()
	want := foldedWindows(q, all...)
	if len(want) == 0 {
		t.Fatalf("nothing is expected of %+v", q)
	}
	if diff := gocmp.Diff(want, aggregateRollups(t, s, resolution, q), approximately); diff != "" {
		t.Errorf("windows from roll-ups of %s, %+v:\n%.3000s", resolution, q, diff)
	}
}

func TestRollupsAreAggregatedByTheirWeight(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		office, bath := map[string]string{"room": "office"}, map[string]string{"room": "bath"}
		for _, resolution := range resolutions {
			all := []store.RollupSeries{rowsOf(office, "a", hour, resolution, 400), rowsOf(office, "b", hour, resolution, 10), rowsOf(bath, "a", hour.Add(7*resolution), resolution, 90)}
			all[0].Rows = slices.Delete(all[0].Rows, 100, 220) // a gap
			for i, late := range []int{0, 3, 4, 250} {         // rows of late values, at the start and the end of windows
				at := hour.Add(time.Duration(late) * resolution)
				all[0].Rows = append(all[0].Rows, store.Rollup{Start: at.Add(2 * time.Second), Sum: -100, Min: -60, Max: -40, Last: float64(-i), Count: 2, Suspect: 1})
			}
			writeRollups(t, s, resolution, name, all...)
			for _, step := range []time.Duration{5 * time.Minute, time.Hour, 18 * time.Hour, 7 * time.Minute, 63_072 * time.Second, day, 7 * day} {
				for _, suspects := range []bool{false, true} {
					q := store.Query{Name: name, From: hour, To: hour.AddDate(0, 1, 0), Step: step, Suspects: suspects}
					checkAggregate(t, s, resolution, q, all...)
					q.From, q.To = hour.Add(3*resolution+time.Second), hour.Add(300*resolution+time.Second)
					checkAggregate(t, s, resolution, q, all...)
				}
			}
			q := store.Query{Name: name, Tags: office, Fields: []string{"b", "none"}, From: hour.AddDate(-1, 0, 0), To: hour.AddDate(1, 0, 0), Step: time.Hour, Suspects: true}
			checkAggregate(t, s, resolution, q, all[1])
			for what, q := range map[string]store.Query{
				"another name": {Name: name + "x", From: hour, To: hour.AddDate(1, 0, 0), Step: time.Hour},
				"before":       {Name: name, From: hour.AddDate(-1, 0, 0), To: hour, Step: day},
				"no such tag":  {Name: name, Tags: map[string]string{"room": "cellar"}, From: hour, To: hour.AddDate(1, 0, 0), Step: time.Hour},
			} {
				if got := aggregateRollups(t, s, resolution, q); len(got) != 0 {
					t.Errorf("%s: %v", what, got)
				}
			}
		}
	})
}

const day = 24 * time.Hour

// Days have 23 and 25 hours, or no midnight.
func TestRollupsOfCalendarDays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for name, dates := range map[string][]string{
			"Europe/Berlin":     {"2026-03-20", "2026-10-20"},
			"America/Sao_Paulo": {"2018-10-28"}, // no midnight
			"Asia/Kathmandu":    {"2026-06-01"},
			"UTC":               {"1969-12-20"},
		} {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, date := range dates {
				from, err := time.ParseInLocation(time.DateOnly, date, zone)
				if err != nil {
					t.Fatal(err)
				}
				m := measurement(t)
				first := time.Unix(from.Unix()/3600*3600, 0) // where days do not begin with an hour
				all := rowsOf(map[string]string{"zone": name}, "v", first, store.Hour, 24*16)
				writeRollups(t, s, store.Hour, m, all)
				for _, step := range []time.Duration{day, 3 * day, 7 * day} {
					q := store.Query{Name: m, From: from.Add(5 * time.Hour), To: from.AddDate(0, 0, 15), Step: step, Zone: zone, Suspects: true}
					if step != 3*day { // startOf knows none
						checkAggregate(t, s, store.Hour, q, all)
					}
					for _, ws := range aggregateRollups(t, s, store.Hour, q) {
						for i, w := range ws.Windows[1:] {
							if _, end := q.Window(ws.Windows[i].Start); !end.Equal(w.Start) {
								t.Errorf("%s: the windows of %s begin at %s and %s", name, step, ws.Windows[i].Start, w.Start)
							}
						}
					}
				}
			}
		}
	})
}
