package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// value is a reading of one value.
func value(name, device string, at time.Time, v float64) reading.Reading {
	return reading.Reading{Name: name, Tags: map[string]string{"device": device}, Fields: map[string]float64{"v": v}, Time: at}
}

func commit(t *testing.T, s *store.Store, b store.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), "store a batch", b, nil); err != nil {
		t.Fatal(err)
	}
}

func countReadings(t *testing.T, s *store.Store, name string) int {
	t.Helper()
	rs, err := s.Between(t.Context(), name, nil, noon.AddDate(-5, 0, 0), noon.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return len(rs)
}

func TestAReadingMakesTheHourDirtyIfItIsRolledUp(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name, other := measurement(t), measurement(t)
		begun(t, s, name, 3)
		in := func(hour, minute int) reading.Reading {
			return value(name, "a", hours(hour)[0].Add(time.Duration(minute)*time.Minute), 1)
		}
		want := func(what string, offsets ...int) {
			t.Helper()
			if _, dirty := rolled(t, s, name); !slices.Equal(dirty, hours(offsets...)) {
				t.Errorf("%s: %v, want %v", what, dirty, hours(offsets...))
			}
		}
		commit(t, s, store.Batch{Readings: []reading.Reading{in(3, 0), in(4, 10), value(other, "a", ten, 1)}, Now: noon})
		want("later ones, and those of a measurement without roll-ups")
		commit(t, s, store.Batch{Readings: []reading.Reading{in(1, 59), in(3, 1), in(1, 0), in(1, 30)}, Now: noon})
		want("one hour", 1)
		claimed, err := s.ClaimDirty(t.Context(), name, "a", ten, noon)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, s, store.Batch{Readings: []reading.Reading{in(1, 5), in(0, 0)}})
		if err := s.RolledUp(t.Context(), name, "a", claimed); err != nil {
			t.Fatal(err)
		}
		want("written while it was rolled up", 0, 1)
		finishHours(t, s, name, "b")
		want("rolled up")
		early, err := s.WriteEarly(t.Context(), store.Batch{Readings: []reading.Reading{in(2, 7)}, Now: noon})
		if n := countReadings(t, s, name); err != nil || n != 9 {
			t.Fatal(err, n)
		}
		want("written, and not committed")
		commit(t, s, early)
		want("written early", 2)
		finishHours(t, s, name, "c")
		commit(t, s, store.Batch{Known: []reading.Reading{in(0, 7)}})
		want("known", 0)
		if n := countReadings(t, s, name); n != 9 {
			t.Errorf("%d readings: the known one is written", n)
		}
		if n := s.CountRows(t, "dirty_hours"); n != 1 {
			t.Errorf("%d dirty hours", n)
		}
	})
}

// A whole backlog of an hour each.
func TestABatchOfManyHoursMarksThemAll(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 700)
		var rs []reading.Reading
		for i := range 1400 {
			rs = append(rs, value(name, "a", hours((i * 389) % 700)[0].Add(time.Duration(i)*time.Second), 1))
		}
		commit(t, s, store.Batch{Readings: rs})
		if n := s.CountRows(t, "dirty_hours"); n != 700 {
			t.Errorf("%d dirty hours, want 700", n)
		}
	})
}

// A reading that is older than all before moves the beginning of the roll-ups, as long as
// nothing has expired.
func TestAnOlderReadingMovesTheBeginning(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 30)
		old := hours(-5)[0]
		commit(t, s, store.Batch{Readings: []reading.Reading{value(name, "a", old.Add(time.Minute), 1), value(name, "a", hours(-3)[0], 1)}, Now: noon})
		want := store.Rolled{Name: name, Created: noon, Since: old, Upto: hours(30)[0], Raw: store.Expiry{Expired: old, Deleted: old}, Fine: store.Expiry{Expired: old, Deleted: old}}
		if r, dirty := rolled(t, s, name); r != want || !slices.Equal(dirty, hours(-5, -3)) {
			t.Errorf("%+v, %v", r, dirty)
		}
		finishHours(t, s, name, "a")
		if ok, err := s.Expire(t.Context(), name, 0, old, hours(2)[0]); err != nil || !ok {
			t.Fatal(ok, err)
		}
		want, dirty := rolled(t, s, name)
		commit(t, s, store.Batch{Readings: []reading.Reading{value(name, "a", hours(-9)[0], 1)}})
		if r, _ := rolled(t, s, name); r != want || len(dirty) != 0 {
			t.Errorf("%+v, %v: readings of that time are expired", r, dirty)
		}
	})
}

// A batch that fails marks nothing that it does not write.
func TestAFailedBatchOfLateValuesStoresNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		begun(t, s, name, 30)
		late := value(name, "a", noon.AddDate(-1, 0, 0), 1)
		for what, bad := range map[string]reading.Reading{
			"late": value(name, "a", noon.AddDate(-2, 0, 0), 1),
			"live": value(name, "a", noon, 1),
		} {
			bad.Fields = map[string]float64{"_field": 1}
			err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: []reading.Reading{late, bad, value(name, "a", noon, 1)}, Now: noon}, nil)
			if !errors.Is(err, store.ErrUnstorable) || s.CountRows(t, "late_values") != 0 || countReadings(t, s, name) != 0 {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := s.CountRows(t, "dirty_hours"); n != 0 {
			t.Errorf("%d dirty hours", n)
		}
	})
}
