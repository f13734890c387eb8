package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// ten is an hour of the day of most readings in these tests.
var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// hours returns the hours from ten with these offsets.
func hours(offsets ...int) []time.Time {
	var out []time.Time
	for _, n := range offsets {
		out = append(out, ten.Add(time.Duration(n)*time.Hour))
	}
	return out
}

// rolled returns how far a measurement is, and its dirty hours.
func rolled(t *testing.T, s *store.Store, name string) (store.Rolled, []time.Time) {
	t.Helper()
	r, dirty, ok, err := s.RolledOf(t.Context(), name, ten.AddDate(-99, 0, 0), ten.AddDate(10, 0, 0))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return r, dirty
}

// begun begins the roll-ups of a measurement at ten, and advances them by some hours, which
// are rolled up.
func begun(t *testing.T, s *store.Store, name string, n int) {
	t.Helper()
	if err := s.BeginRollups(t.Context(), name, ten, noon); err != nil {
		t.Fatal(err)
	}
	advance(t, s, name, 0, n)
	finishHours(t, s, name, "begun")
}

func advance(t *testing.T, s *store.Store, name string, from, to int) {
	t.Helper()
	if ok, err := s.AdvanceRollups(t.Context(), name, hours(from)[0], hours(to)[0]); err != nil || !ok {
		t.Fatal(ok, err)
	}
}

func finishHours(t *testing.T, s *store.Store, name, claim string) []time.Time {
	t.Helper()
	claimed, err := s.ClaimDirty(t.Context(), name, claim, ten.AddDate(-99, 0, 0), ten.AddDate(10, 0, 0))
	if err := errors.Join(err, s.RolledUp(t.Context(), name, claim, claimed)); err != nil {
		t.Fatal(err)
	}
	return claimed
}

func TestRollupsBeginOnceAndAdvanceByOneOfTwo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if _, _, ok, err := s.RolledOf(t.Context(), "air", ten, noon); ok || err != nil {
			t.Error(ok, err)
		}
		for i := range 2 { // the second changes nothing
			if err := s.BeginRollups(t.Context(), "air", ten.Add(time.Duration(i)*24*time.Hour+time.Minute), noon); err != nil {
				t.Fatal(err)
			}
		}
		want := store.Rolled{Name: "air", Created: noon, Since: ten, Upto: ten, Raw: store.Expiry{Expired: ten, Deleted: ten}, Fine: store.Expiry{Expired: ten, Deleted: ten}}
		if r, dirty := rolled(t, s, "air"); r != want || len(dirty) != 0 {
			t.Errorf("%+v, %v", r, dirty)
		}
		advance(t, s, "air", 0, 3)
		if ok, err := s.AdvanceRollups(t.Context(), "air", ten, hours(2)[0]); ok || err != nil {
			t.Errorf("of two that advance, both did: %v", err)
		}
		if ok, err := s.AdvanceRollups(t.Context(), "air", hours(3)[0], hours(3)[0]); ok || err == nil {
			t.Error("advanced by nothing")
		}
		want.Upto = hours(3)[0]
		if r, dirty := rolled(t, s, "air"); r != want || !slices.Equal(dirty, hours(0, 1, 2)) {
			t.Errorf("%+v, %v", r, dirty)
		}
		_, dirty, _, err := s.RolledOf(t.Context(), "air", hours(1)[0], hours(2)[0])
		if err != nil || !slices.Equal(dirty, hours(1)) {
			t.Errorf("in a span: %v, %v", dirty, err)
		}
		advance(t, s, "air", 3, 3+1200)
		if _, dirty := rolled(t, s, "air"); len(dirty) != 1000 || dirty[999] != hours(999)[0] {
			t.Errorf("%d dirty hours, want the oldest 1000", len(dirty))
		}
		all, err := s.Rolled(t.Context())
		want.Upto, want.Dirty = hours(1203)[0], 1203
		if err != nil || len(all) != 1 || all["air"] != want {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// Of an hour that another has claimed meanwhile, the older claim may have replaced newer
// roll-ups by older ones.
func TestALostClaimMakesItsHourDirtyAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "air", 3)
		if _, dirty := rolled(t, s, "air"); len(dirty) != 0 {
			t.Fatal(dirty)
		}
		begun(t, s, "power", 1) // of another measurement
		advance(t, s, "air", 3, 6)
		first, err1 := s.ClaimDirty(t.Context(), "air", "first", ten, hours(100)[0])
		second, err2 := s.ClaimDirty(t.Context(), "air", "second", hours(4)[0], hours(5)[0])
		if err := errors.Join(err1, err2); err != nil || !slices.Equal(first, hours(3, 4, 5)) || !slices.Equal(second, hours(4)) {
			t.Fatal(first, second, err)
		}
		if err := s.RolledUp(t.Context(), "air", "first", first[:2]); err != nil {
			t.Fatal(err)
		}
		if _, dirty := rolled(t, s, "air"); !slices.Equal(dirty, hours(4, 5)) {
			t.Errorf("%v, want the lost one and the one that was not named", dirty)
		}
		if err := s.RolledUp(t.Context(), "air", "second", second); err != nil {
			t.Fatal(err)
		}
		if _, dirty := rolled(t, s, "air"); !slices.Equal(dirty, hours(4, 5)) {
			t.Errorf("%v: the first has taken the claim of the second away", dirty)
		}
		if got := finishHours(t, s, "air", "third"); !slices.Equal(got, hours(4, 5)) {
			t.Error(got)
		}
		if _, dirty := rolled(t, s, "air"); len(dirty) != 0 {
			t.Error(dirty)
		}
	})
}

func TestOnlyWhatIsRolledUpExpires(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, of := range []struct {
			resolution time.Duration
			expiry     func(store.Rolled) store.Expiry
		}{{0, func(r store.Rolled) store.Expiry { return r.Raw }}, {store.FiveMinutes, func(r store.Rolled) store.Expiry { return r.Fine }}} {
			name := measurement(t) + of.resolution.String()
			expire := func(from, to int, want bool) {
				t.Helper()
				if ok, err := s.Expire(t.Context(), name, of.resolution, hours(from)[0], hours(to)[0]); err != nil || ok != want {
					t.Errorf("%s: %v, %v, want %v", of.resolution, ok, err, want)
				}
			}
			begun(t, s, name, 48)
			expire(0, 49, false)
			expire(0, 24, true)
			expire(0, 24, false)
			expire(24, 24, false)
			advance(t, s, name, 48, 50)
			expire(24, 48, true)
			expire(48, 49, false) // dirty
			if err := s.Deleted(t.Context(), name, of.resolution, hours(49)[0]); err != nil {
				t.Fatal(err)
			}
			if r, _ := rolled(t, s, name); of.expiry(r) != (store.Expiry{Expired: hours(48)[0], Deleted: ten}) {
				t.Errorf("%s: %+v: what is not expired is not deleted", of.resolution, r)
			}
			for _, upto := range hours(48, 24) { // a late call changes nothing
				if err := s.Deleted(t.Context(), name, of.resolution, upto); err != nil {
					t.Fatal(err)
				}
			}
			r, _ := rolled(t, s, name)
			if of.expiry(r) != (store.Expiry{Expired: hours(48)[0], Deleted: hours(48)[0]}) || r.Raw == r.Fine {
				t.Errorf("%s: %+v", of.resolution, r)
			}
		}
		if _, err := s.Expire(t.Context(), "air", store.Hour, ten, noon); err == nil {
			t.Error("the roll-ups of an hour expire")
		}
		if err := s.Deleted(t.Context(), "air", store.Hour, ten); err == nil {
			t.Error("the roll-ups of an hour are deleted")
		}
	})
}

func TestDirtyHoursOfNothingAreDropped(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "air", 1)
		advance(t, s, "air", 1, 2)
		begun(t, s, "power", 1)
		advance(t, s, "power", 1, 2)
		s.Exec(t, `delete from rolled where name = 'air'`)
		if err := s.DropDirty(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.CountRows(t, "dirty_hours"); n != 1 {
			t.Errorf("%d dirty hours, want that of power", n)
		}
	})
}

func TestRollupsWithoutTheirTablesAreErrNotMigrated(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, table := range []string{"rolled", "dirty_hours", "late_values", "late_hours"} {
			s.Exec(t, `drop table `+table)
		}
		_, err1 := s.Rolled(t.Context())
		_, _, _, err2 := s.RolledOf(t.Context(), "air", ten, noon)
		err3 := s.BeginRollups(t.Context(), "air", ten, noon)
		_, err4 := s.AdvanceRollups(t.Context(), "air", ten, noon)
		_, err5 := s.ClaimDirty(t.Context(), "air", "a", ten, noon)
		err6 := s.RolledUp(t.Context(), "air", "a", hours(0))
		err7 := s.DropDirty(t.Context())
		_, err8 := s.Expire(t.Context(), "air", 0, ten, noon)
		err9 := s.Deleted(t.Context(), "air", 0, ten)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9} {
			if !errors.Is(err, store.ErrNotMigrated) {
				t.Errorf("call %d: %v", i+1, err)
			}
		}
	})
}
