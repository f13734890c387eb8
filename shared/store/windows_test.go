package store_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the tests need time zones

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// windows computes the expected result of Windows from the readings.
func windows(rs []reading.Reading, q store.Query) []store.WindowSeries {
	type key struct {
		series, field string
		start         int64
	}
	sums := map[key]*store.Window{}
	tags := map[string]map[string]string{}
	days := map[time.Time]time.Time{} // starts of days, by a part of the day
	for _, r := range slices.SortedStableFunc(slices.Values(rs), func(a, b reading.Reading) int { return a.Time.Compare(b.Time) }) {
		for f, v := range r.Fields {
			if r.Time.Before(q.From) || !r.Time.Before(q.To) || len(q.Fields) > 0 && !slices.Contains(q.Fields, f) || r.Name != q.Name || !hasTags(r, q.Tags) {
				continue
			}
			start, ok := days[r.Time.Truncate(15*time.Minute)]
			if !ok {
				start = startOf(r.Time, q)
			}
			if q.Step >= 24*time.Hour {
				days[r.Time.Truncate(15*time.Minute)] = start
			}
			k := key{r.Series(), f, start.UnixNano()}
			tags[k.series] = r.Tags
			w := sums[k]
			if w == nil {
				w = &store.Window{Start: start, Min: v, Max: v}
				sums[k] = w
			}
			w.Mean += v // the sum; divided by Count below
			w.Min, w.Max, w.Last = math.Min(w.Min, v), math.Max(w.Max, v), v
			w.Count++
			if q.Suspects && quality.IsSuspect(r, f) {
				w.Suspect++
			}
		}
	}
	var out []store.WindowSeries
	for _, k := range slices.SortedFunc(maps.Keys(sums), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.series+"\x00"+a.field, b.series+"\x00"+b.field), cmp.Compare(a.start, b.start))
	}) {
		w := *sums[k]
		w.Mean /= float64(w.Count)
		if n := len(out) - 1; n < 0 || out[n].Field != k.field || !maps.Equal(out[n].Tags, tags[k.series]) {
			out = append(out, store.WindowSeries{Tags: tags[k.series], Field: k.field})
		}
		n := len(out) - 1
		out[n].Windows = append(out[n].Windows, w)
	}
	return out
}

func hasTags(r reading.Reading, tags map[string]string) bool {
	for k, v := range tags {
		if r.Tags[k] != v {
			return false
		}
	}
	return true
}

// startOf returns the start of t's window. It finds the start of a day by going back in
// steps of 15 minutes.
func startOf(t time.Time, q store.Query) time.Time {
	if q.Step < 24*time.Hour {
		return time.Unix(t.Unix()-t.Unix()%int64(q.Step/time.Second), 0).UTC() // all times are after 1970
	}
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	date := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	at := t.Truncate(15 * time.Minute)
	for date(at.Add(-time.Second)) == date(t) {
		at = at.Add(-15 * time.Minute)
	}
	if q.Step == 7*24*time.Hour && at.In(zone).Weekday() != time.Monday {
		return startOf(at.Add(-time.Second), q)
	}
	return at.UTC()
}

func checkWindows(t *testing.T, s *store.Store, rs []reading.Reading, q store.Query) []store.WindowSeries {
	t.Helper()
	got, err := s.Windows(t.Context(), q)
	if diff := gocmp.Diff(windows(rs, q), got, cmpopts.EquateApprox(1e-12, 1e-12), cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%+v: %v\n%.3000s", q, err, diff)
	}
	return got
}

func TestWindowsAggregateTheStoredValues(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i := range 200 {
			for _, room := range []string{"office", "bath"} {
				r := reading.Reading{Name: name, Tags: map[string]string{"room": room, "floor": "1"}, Text: map[string]string{"sky": "clear"},
					Fields: map[string]float64{"a": math.Sin(float64(i)) * 1e3, "b": float64(-i)}, Time: noon.Add(time.Duration(i) * 37 * time.Second)}
				if i > 50 && i < 120 && room == "bath" {
					continue // a gap
				}
				if i%3 == 0 {
					delete(r.Fields, "b")
				}
				all = append(all, r)
			}
		}
		all = append(all, reading.Reading{Name: name, Fields: map[string]float64{"a": 7}, Time: noon}) // without tags
		write(t, s, all[10:]...)
		write(t, s, all[:10]...) // older readings, written later
		q := store.Query{Name: name, From: noon, To: noon.Add(3 * time.Hour), Step: time.Minute}
		if got := checkWindows(t, s, all, q); len(got) != 5 {
			t.Errorf("%d series, want a and b of two rooms, and one without tags", len(got))
		}
		for _, step := range []time.Duration{time.Second, 7 * time.Second, 10 * time.Minute, time.Hour, 5 * time.Hour} {
			q.Step = step
			checkWindows(t, s, all, q)
		}
		q = store.Query{Name: name, Fields: []string{"b", "sky", "none"}, From: noon.Add(100 * time.Second), To: noon.Add(time.Hour), Step: 15 * time.Minute}
		if got := checkWindows(t, s, all, q); len(got) != 2 || got[0].Windows[0].Start.After(q.From) {
			t.Errorf("%v", got)
		}
		q.Tags = map[string]string{"room": "bath", "floor": "1"}
		if got, err := s.Windows(t.Context(), q); err != nil || len(got) != 1 || got[0].Tags["room"] != "bath" {
			t.Errorf("%v, %v", got, err)
		}
		late := reading.Reading{Name: name, Tags: all[0].Tags, Fields: map[string]float64{"b": 1e6}, Time: noon.Add(30*time.Minute + 1)}
		write(t, s, late)
		q.Tags = nil
		checkWindows(t, s, append(all, late), q)
	})
}

// A span of years and more fields than fit in one statement take several requests.
func TestDaysOfYearsAndManyFields(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i := range 60 {
			r := reading.Reading{Name: name, Tags: map[string]string{"device": fmt.Sprint(i % 3)}, Fields: map[string]float64{}, Time: noon.Add(time.Duration(i) * 91 * time.Hour)}
			for n := range 45 {
				if n%3 == i%3 {
					r.Fields[fmt.Sprintf("f%02d", n)] = float64(i * n)
				}
			}
			all = append(all, r)
		}
		write(t, s, all...)
		for _, to := range []time.Time{noon.AddDate(90, 0, 0), noon.AddDate(0, 2, 0)} {
			if got := checkWindows(t, s, all, store.Query{Name: name, From: noon.AddDate(0, -1, 0), To: to, Step: 24 * time.Hour}); len(got) != 45 {
				t.Errorf("%d series", len(got))
			}
		}
	})
}

// Suspect values are counted as they are marked: some fields of a reading, or all.
func TestWindowsCountSuspectValues(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i := range 900 {
			for n, device := range []string{"a", "b", "c"} {
				r := reading.Reading{Name: name, Tags: map[string]string{"device": device}, Fields: map[string]float64{"v": float64(i), "w": 1},
					Time: noon.Add(time.Duration(i) * time.Minute)}
				switch {
				case n == 2 || i%(50+n) > 3: // c has none
				case i%2 == 0:
					r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "*"}
				case i%3 == 0:
					r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "other,w"}
				case i%5 == 0:
					r.Fields["quality_code"] = 3 // the clock was not set: no value is suspect
				default:
					r.Fields["quality_code"] = 1
				}
				all = append(all, r)
			}
		}
		write(t, s, all...)
		q := store.Query{Name: name, From: noon.Add(-time.Hour), To: noon.Add(14*time.Hour + 30*time.Second), Suspects: true}
		for _, step := range []time.Duration{7 * time.Second, store.FiveMinutes, 2 * time.Hour, 24 * time.Hour} {
			q.Step = step
			checkWindows(t, s, all, q)
		}
		q.Tags, q.Fields = map[string]string{"device": "b"}, []string{"w"}
		got := checkWindows(t, s, all, q)
		if len(got) != 1 || len(got[0].Windows) != 2 || got[0].Windows[0].Suspect == 0 {
			t.Errorf("%+v, want suspect values of one field on two days", got)
		}
	})
}

func TestWindowsOfNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		write(t, s, reading.Reading{Name: name, Tags: map[string]string{"room": "office"}, Fields: map[string]float64{"a": 1}, Text: map[string]string{"x": "y"}, Time: noon})
		for what, q := range map[string]store.Query{
			"never written":  {Name: name + "x", From: noon, To: noon.Add(1), Step: time.Minute},
			"an empty span":  {Name: name, From: noon, To: noon, Step: time.Minute},
			"before":         {Name: name, From: noon.Add(-time.Hour), To: noon, Step: time.Minute},
			"only text":      {Name: name, Fields: []string{"x"}, From: noon, To: noon.Add(1), Step: time.Minute},
			"no such tag":    {Name: name, Tags: map[string]string{"room": "bath"}, From: noon, To: noon.Add(1), Step: time.Minute},
			"no such tag by": {Name: name, Tags: map[string]string{"floor": "1"}, From: noon, To: noon.Add(1), Step: 24 * time.Hour},
		} {
			if got, err := s.Windows(t.Context(), q); len(got) != 0 || err != nil {
				t.Errorf("%s: %v, %v", what, got, err)
			}
		}
		for _, step := range []time.Duration{0, -time.Second, time.Millisecond, 1500 * time.Millisecond, 25 * time.Hour} {
			if _, err := s.Windows(t.Context(), store.Query{Name: name, From: noon, To: noon.Add(1), Step: step}); err == nil {
				t.Errorf("a step of %s is accepted", step)
			}
		}
	})
}

// A value every five minutes around a change of the zone's clocks, with a gap of more
// than a day. The days have 23, 23.5, 24.5 and 25 hours, and one has no midnight.
func TestDaysAreCalendarDaysOfTheirZone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for name, tc := range map[string]struct {
			from  string
			hours []int // length of the first days; there are twelve values an hour
		}{
			"Europe/Berlin":       {"2026-03-28", []int{24, 23}},
			"Europe/Zurich":       {"2026-10-24", []int{24, 25}},
			"Asia/Kathmandu":      {"2026-06-01", []int{24, 24}},
			"Australia/Lord_Howe": {"2026-10-03", []int{24}},
			"America/Sao_Paulo":   {"2018-11-03", []int{24, 23}}, // no midnight
			"Pacific/Auckland":    {"2026-04-04", []int{24, 25}},
			"UTC":                 {"1969-12-30", []int{24, 24}},
		} {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			from, err := time.ParseInLocation(time.DateOnly, tc.from, zone)
			if err != nil {
				t.Fatal(err)
			}
			m := measurement(t)
			var all []reading.Reading
			for i := range 12 * 24 * 6 {
				at := from.Add(time.Duration(i) * 5 * time.Minute)
				if d := at.Sub(from); d > 60*time.Hour && d < 100*time.Hour {
					continue
				}
				all = append(all, reading.Reading{Name: m, Tags: map[string]string{"zone": name}, Fields: map[string]float64{"v": float64(i % 91)}, Time: at.UTC()})
			}
			write(t, s, all...)
			q := store.Query{Name: m, From: from, To: from.AddDate(0, 0, 30), Step: 24 * time.Hour, Zone: zone}
			got := checkWindows(t, s, all, q)
			for i, hours := range tc.hours {
				if w := got[0].Windows[i]; w.Count != 12*hours || w.Start.In(zone).Day() != from.Day()+i {
					t.Errorf("%s: day %d has %d values and begins at %s, want %d", name, i, w.Count, w.Start.In(zone), 12*hours)
				}
			}
			q.Step = 7 * 24 * time.Hour
			checkWindows(t, s, all, q)
		}
	})
}
