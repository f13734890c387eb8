package store_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// longAgo is an hour whose readings have expired at noon.
var longAgo = ten.AddDate(-1, 0, -1)

// lateRows returns the roll-ups of late values: "device field start sum min max last count suspect".
func lateRows(t *testing.T, s *store.Store, name string, resolution time.Duration, hour time.Time) []string {
	t.Helper()
	all, err := s.LateRollups(t.Context(), name, resolution, hour)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range all {
		for _, r := range l.Rows {
			out = append(out, fmt.Sprint(l.Tags["device"], " ", l.Field, " ", r.Start.Format("15:04:05"), " ", r.Sum, r.Min, r.Max, r.Last, r.Count, r.Suspect))
		}
	}
	return out
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLateValuesAreOnlyRolledUp(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 1)
		at := func(minute int) time.Time { return longAgo.Add(time.Duration(minute) * time.Minute) }
		suspect := value(name, "b", at(59), 7)
		suspect.Fields["w"], suspect.Fields["quality_code"] = 8, 2
		suspect.Text = map[string]string{"suspect": "w,x", "model": "m"}
		mixed := value(name, "c", at(1), 1)
		mixed.Fields["a:b"] = 5
		text := reading.Reading{Name: name, Tags: map[string]string{"device": "c"}, Text: map[string]string{"model": "m"}, Time: at(2)}
		b := store.Batch{Now: noon, Readings: []reading.Reading{
			value(name, "a", at(6), 2), value(name, "a", at(4), 4), value(name, "a", at(0), 3), suspect, mixed, text,
			value(name, "d", noon.AddDate(-1, 0, 1).Add(time.Second), 1), value(name, "d", noon, 1),
		}}
		for range 2 { // the second time changes nothing
			commit(t, s, b)
		}
		wantLines(t, "of an hour", lateRows(t, s, name, store.Hour, longAgo),
			"a v 10:00:01 9 2 4 2 3 0", "b quality_code 10:00:01 2 2 2 2 1 0", "b v 10:00:01 7 7 7 7 1 0", "b w 10:00:01 8 8 8 8 1 1", "c v 10:00:01 1 1 1 1 1 0")
		wantLines(t, "of 5 minutes", lateRows(t, s, name, store.FiveMinutes, longAgo),
			"a v 10:00:01 7 3 4 4 2 0", "a v 10:05:01 2 2 2 2 1 0", "b quality_code 10:55:01 2 2 2 2 1 0", "b v 10:55:01 7 7 7 7 1 0", "b w 10:55:01 8 8 8 8 1 1", "c v 10:00:01 1 1 1 1 1 0")
		wantLines(t, "of another hour", lateRows(t, s, name, store.Hour, longAgo.Add(time.Hour)))
		if _, dirty := rolled(t, s, name); !slices.Equal(dirty, []time.Time{longAgo, ten.AddDate(-1, 0, 1).Add(2 * time.Hour)}) {
			t.Errorf("dirty %v", dirty)
		}
		raw, err := s.Between(t.Context(), name, nil, noon.AddDate(-2, 0, 0), noon.AddDate(1, 0, 0))
		var kept []string
		for _, r := range raw {
			kept = append(kept, fmt.Sprint(r.Tags["device"], " ", slices.Sorted(maps.Keys(r.Fields)), slices.Sorted(maps.Keys(r.Text))))
		}
		if err != nil {
			t.Fatal(err)
		}
		wantLines(t, "readings", kept, "c [a:b] []", "c [] [model]", "d [v] []", "d [v] []")
		commit(t, s, store.Batch{Now: noon.Add(time.Minute), Readings: []reading.Reading{value(name, "a", at(4), 40)}})
		wantLines(t, "another value at the same time", lateRows(t, s, name, store.Hour, longAgo)[:1], "a v 10:00:01 45 2 40 2 3 0")
	})
}

// What is kept for ever, what has no roll-ups yet, and a batch without a time have no late
// values.
func TestOldReadingsThatAreNotRolledUpAreReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 30)
		old := store.Batch{Now: noon, Readings: []reading.Reading{value("weather", "a", longAgo, 1), value("air", "a", longAgo, 1)}}
		commit(t, s, old)
		early, err := s.WriteEarly(t.Context(), store.Batch{Readings: []reading.Reading{value(name, "a", longAgo, 1)}})
		if err != nil {
			t.Fatal(err)
		}
		commit(t, s, early)
		if n := s.CountRows(t, "late_values"); n != 0 {
			t.Errorf("%d late values", n)
		}
		early, err = s.WriteEarly(t.Context(), store.Batch{Readings: []reading.Reading{value(name, "a", longAgo.Add(1), 1)}, Now: noon})
		if n := s.CountRows(t, "late_values"); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		commit(t, s, early)
		if n := s.CountRows(t, "late_values"); n != 1 {
			t.Errorf("%d late values, want the one of the early batch", n)
		}
	})
}

// canary is kept for 14 days, and late from the 13th on.
func TestEachMeasurementHasItsOwnAge(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "canary", 30)
		begun(t, s, "air", 30)
		b := store.Batch{Now: noon}
		for _, name := range []string{"canary", "air"} {
			for _, age := range []time.Duration{13*24*time.Hour - time.Second, 13*24*time.Hour + time.Second} {
				b.Readings = append(b.Readings, value(name, "a", noon.Add(-age), 1))
			}
		}
		commit(t, s, b)
		if n := s.CountRows(t, "late_values"); n != 1 {
			t.Errorf("%d late values, want 1", n)
		}
	})
}

func TestLateValuesAreFoldedWhenTheyAreRolledUp(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 30)
		before1970 := time.Date(1969, 12, 31, 22, 0, 0, 0, time.UTC)
		send := func(at time.Time, v float64, day int) {
			t.Helper()
			commit(t, s, store.Batch{Now: noon.AddDate(0, 0, day), Readings: []reading.Reading{value(name, "a", at, v)}})
		}
		fold := func(what string, day, want int) {
			t.Helper()
			if n, err := s.FoldLate(t.Context(), noon.AddDate(0, 0, day)); err != nil || n != want {
				t.Errorf("%s: folded %d, %v, want %d", what, n, err, want)
			}
		}
		send(longAgo, 1, 0)
		send(longAgo.Add(time.Minute), 2, 3)
		send(longAgo.Add(time.Hour), 3, 0)
		send(before1970.Add(59*time.Minute), 4, 0)
		fold("dirty", 10, 0)
		finishHours(t, s, name, "a")
		send(longAgo.Add(time.Hour), 3, 0)
		fold("one arrived later, one is dirty", 3, 1)
		wantLines(t, "before 1970", lateRows(t, s, name, store.Hour, before1970))
		finishHours(t, s, name, "b")
		fold("all", 4, 3)
		fold("again", 10, 0)
		wantLines(t, "folded", lateRows(t, s, name, store.Hour, longAgo))
		send(longAgo.Add(2*time.Minute), 5, 5)
		send(before1970.Add(time.Minute), 6, 5)
		wantLines(t, "rows beside the folded ones", lateRows(t, s, name, store.FiveMinutes, longAgo), "a v 10:00:02 5 5 5 5 1 0")
		wantLines(t, "before 1970 too", lateRows(t, s, name, store.Hour, before1970), "a v 22:00:02 6 6 6 6 1 0")
		finishHours(t, s, name, "c")
		fold("the second time", 6, 2)
		send(longAgo.Add(2*time.Minute), 5, 7)
		wantLines(t, "the third", lateRows(t, s, name, store.Hour, longAgo), "a v 10:00:03 5 5 5 5 1 0")
	})
}

// The rows of an hour's late values stay within their windows: the last of them are not folded.
func TestThePartsOfAnHourAreCapped(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "air", 30)
		commit(t, s, store.Batch{Now: noon, Readings: []reading.Reading{value("air", "a", longAgo, 1)}})
		finishHours(t, s, "air", "a")
		if n, err := s.FoldLate(t.Context(), noon.Add(time.Hour)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		for _, part := range []int{297, 298} {
			s.Exec(t, fmt.Sprintf(`update late_hours set part = %d`, part))
			commit(t, s, store.Batch{Now: noon, Readings: []reading.Reading{value("air", "a", longAgo, 1)}})
			finishHours(t, s, "air", "b")
			want := map[int]int{297: 1}[part]
			if n, err := s.FoldLate(t.Context(), noon.Add(time.Hour)); n != want || err != nil {
				t.Errorf("part %d: %d, %v", part, n, err)
			}
		}
		wantLines(t, "the last", lateRows(t, s, "air", store.FiveMinutes, longAgo), "a v 10:04:59 1 1 1 1 1 0")
	})
}

func TestTheOldestLateValuesAreFoldedEarlyWhenThereAreTooMany(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 30)
		for i := range 250 {
			commit(t, s, store.Batch{Now: noon.Add(time.Duration(i) * time.Second), Readings: []reading.Reading{value(name, "a", longAgo.Add(time.Duration(-i)*time.Hour), 1)}})
		}
		finishHours(t, s, name, "a")
		for _, most := range []int{300, 250} {
			if n, err := s.FoldLateBeyond(t.Context(), noon, most); n != 0 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if n, err := s.FoldLateBeyond(t.Context(), noon, 20); n != 230 || err != nil {
			t.Errorf("%d, %v, want 230", n, err)
		}
		wantLines(t, "the oldest", lateRows(t, s, name, store.Hour, longAgo))
		if got := lateRows(t, s, name, store.Hour, longAgo.Add(-240*time.Hour)); len(got) != 1 {
			t.Errorf("the newest: %v", got)
		}
	})
}

func TestLateValuesOfSamplesAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "air", 30)
		begun(t, s, "power", 30)
		sample, of := value("air", "b", longAgo, 1), value("power", "c", longAgo, 1)
		sample.Tags["sample"], of.Tags["sample"] = "true", "true"
		commit(t, s, store.Batch{Now: noon, Readings: []reading.Reading{value("air", "a", longAgo, 1), sample, of}})
		if err := s.DeleteLate(t.Context(), "air", map[string]string{"sample": "true"}); err != nil {
			t.Fatal(err)
		}
		wantLines(t, "air", lateRows(t, s, "air", store.Hour, longAgo), "a v 10:00:01 1 1 1 1 1 0")
		wantLines(t, "power", lateRows(t, s, "power", store.Hour, longAgo), "c v 10:00:01 1 1 1 1 1 0")
	})
}
