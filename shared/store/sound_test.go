package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// sound computes the expected result of SoundWindows from everything that was ever written.
// Of readings before a time, blocks with suspect values are left out.
func (h *house) sound(q store.Query, before time.Time, block time.Duration) []store.WindowSeries {
	rs := slices.SortedFunc(maps.Values(h.all), func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
	of := func(r reading.Reading, field string) string {
		return fmt.Sprint(r.Series(), " ", field, " ", r.Time.Truncate(block))
	}
	bad := map[string]bool{} // blocks with suspect values
	for _, r := range rs {
		for f := range r.Fields {
			if quality.IsSuspect(r, f) && r.Time.Before(before) {
				bad[of(r, f)] = true
			}
		}
	}
	kept := make([]reading.Reading, len(rs))
	for i, r := range rs {
		kept[i] = r
		kept[i].Fields = maps.Clone(r.Fields)
		maps.DeleteFunc(kept[i].Fields, func(f string, _ float64) bool { return quality.IsSuspect(r, f) || bad[of(r, f)] })
	}
	q.Suspects = true
	all, left := windows(rs, q), windows(kept, q)
	for _, s := range all {
		for i, w := range s.Windows {
			if w.Suspect == 0 {
				continue
			}
			s.Windows[i] = store.Window{Start: w.Start}
			for _, l := range left {
				if at, ok := slices.BinarySearchFunc(l.Windows, w.Start, func(w store.Window, t time.Time) int { return w.Start.Compare(t) }); ok && l.Field == s.Field && maps.Equal(l.Tags, s.Tags) {
					s.Windows[i] = l.Windows[at]
				}
			}
			s.Windows[i].Suspect = w.Suspect
		}
	}
	return all
}

// checkSound compares SoundWindows with what was written, and returns how many suspect values
// were left out.
func (h *house) checkSound(q store.Query, before time.Time, block time.Duration) (n int) {
	h.Helper()
	got, err := h.s.SoundWindows(h.Context(), q)
	want := h.sound(q, before, block)
	if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9), cmpopts.EquateEmpty()); err != nil || diff != "" {
		h.Fatalf("%+v: %v\n%.3000s", q, err, diff)
	}
	for _, s := range got {
		for _, w := range s.Windows {
			n += w.Suspect
		}
	}
	return n
}

func TestSoundWindowsLeaveSuspectValuesOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 3, 24, 5, 0, 0, 0, time.UTC)
		h := newHouse(t, s, 4, from, 5*24*time.Hour)
		q := store.Query{Name: h.name, From: from.Add(30 * time.Hour).Add(77 * time.Second), To: from.Add(4*24*time.Hour + 13*time.Second)}
		q.Zone = locations(t, "Asia/Kathmandu")[0]
		check := func(steps ...time.Duration) {
			t.Helper()
			for _, q.Step = range steps {
				if n := h.checkSound(q, time.Time{}, time.Hour); n < 20 {
					t.Errorf("by %s only %d values were left out", q.Step, n)
				}
			}
		}
		check(90*time.Second, 7*time.Minute, 24*time.Hour) // from readings
		h.rollUp(from.Add(3 * 24 * time.Hour))
		check(5*time.Minute, 2*time.Hour, 24*time.Hour)
		q.Tags, q.Fields, q.Step = map[string]string{"device": "b"}, []string{"w"}, 24*time.Hour
		h.checkSound(q, time.Time{}, time.Hour)
	})
}

func TestSoundWindowsLeaveOutRollupsOfExpiredReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 3, 24, 5, 0, 0, 0, time.UTC)
		h := newHouse(t, s, 5, from, 6*24*time.Hour)
		h.rollUp(from.Add(5 * 24 * time.Hour))
		fine, raw := from.Add(2*24*time.Hour), from.Add(4*24*time.Hour)
		h.expire(0, raw)
		h.expire(store.FiveMinutes, fine)
		q := store.Query{Name: h.name, From: from.Add(-time.Hour), To: from.Add(7 * 24 * time.Hour)}
		for _, q.Step = range []time.Duration{time.Hour, 24 * time.Hour} {
			h.checkSound(q, raw, store.Hour)
		}
		q.From = fine
		q.Step = 15 * time.Minute
		h.checkSound(q, raw, store.FiveMinutes)
	})
}

// A value far from all others, as a loose wire gives it, leaves no trace: a mean that it was
// taken from again would not be exact.
func TestASoundWindowIsExact(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		r := reading.Reading{Name: name, Tags: map[string]string{"device": "a"}, Fields: map[string]float64{"v": 21.5}, Time: ten}
		bad, next := r, r
		bad.Time, bad.Fields, bad.Text = ten.Add(time.Minute), map[string]float64{"v": 1e300, "quality_code": 2}, map[string]string{"suspect": "v"}
		next.Time, next.Fields = ten.Add(2*time.Minute), map[string]float64{"v": 22.5}
		alone := bad
		alone.Time = ten.Add(time.Hour)
		write(t, s, r, bad, next, alone)
		got, err := s.SoundWindows(t.Context(), store.Query{Name: name, Fields: []string{"v"}, From: ten, To: ten.Add(2 * time.Hour), Step: time.Hour})
		want := []store.Window{{Start: ten, Mean: 22, Min: 21.5, Max: 22.5, Last: 22.5, Count: 2, Suspect: 1}, {Start: ten.Add(time.Hour), Suspect: 1}}
		if err != nil || len(got) != 1 || !slices.Equal(got[0].Windows, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	})
}

// TestSoundWindowsReadOnlyHoursWithSuspectValues: the others come from their roll-ups, even when
// their readings are not there any more.
func TestSoundWindowsReadOnlyHoursWithSuspectValues(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		h := &house{t, s, rand.New(rand.NewPCG(6, 1)), measurement(t), from, 12 * day, map[string]reading.Reading{}}
		var rs []reading.Reading
		suspect := func(n int) bool { return n%90 == 7 && n/144%4 != 0 || n == 700 || n > 1640 } // not on some days; the last of them are not rolled up
		for n := range 12 * 144 {
			for _, device := range []string{"a", "b"} {
				r := reading.Reading{Name: h.name, Tags: map[string]string{"device": device}, Time: from.Add(time.Duration(n) * 10 * time.Minute), Fields: map[string]float64{"v": float64(h.rand.IntN(1000)), "w": 1}}
				if suspect(n) && device == "a" {
					r.Fields["v"], r.Fields["quality_code"], r.Text = 1e9, 2, map[string]string{"suspect": "v"}
				}
				rs = append(rs, r)
			}
		}
		h.write(rs)
		h.rollUp(from.Add(11 * day))
		h.late(2, from.Add(4*day)) // hours that are dirty
		q := store.Query{Name: h.name, Fields: []string{"v"}, From: from.Add(90 * time.Minute), To: from.Add(11*day + 13*time.Hour + 20*time.Second)}
		check := func(steps ...time.Duration) {
			t.Helper()
			for _, q.Step = range steps {
				if n := h.checkSound(q, time.Time{}, time.Hour); n < 30 {
					t.Errorf("by %s only %d values were left out", q.Step, n)
				}
			}
		}
		q.Zone = locations(t, "Asia/Kathmandu")[0]
		check(18*time.Hour+10*time.Minute, day) // which cut hours
		q.Zone = time.UTC
		gone := from.Add(5*day + 10*time.Hour)
		if err := s.DeleteRange(t.Context(), h.name, nil, gone, gone.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		check(2*time.Hour, 18*time.Hour, day)
	})
}
