package rollup

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// commit stores a batch as functions do.
func (h *house) commit(now time.Time, rs ...reading.Reading) {
	h.Helper()
	if err := h.Store.Commit(h.Context(), "test", store.Batch{Readings: rs, Now: now}, nil); err != nil {
		h.Fatal(err)
	}
	h.written = append(h.written, rs...)
}

func TestLateReadingsLandInTheirRollups(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, name := range []string{monthsKept, daysKept} {
			h.write(series(name, "office", noon.AddDate(0, -2, 0), noon, time.Hour))
		}
		h.tick(noon)
		now := noon.Add(2 * time.Hour) // nothing expires within the first hour
		h.tick(now)
		if got := h.state(daysKept).Raw; !got.Deleted.Equal(now.Add(-14 * day).Truncate(day)) {
			t.Fatalf("%+v: the readings of %s should be deleted", got, daysKept)
		}
		check := func(when string) {
			t.Helper()
			for _, name := range []string{monthsKept, daysKept} {
				for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
					h.same(resolution, name, noon.AddDate(-1, 0, 0), dueAt(now))
				}
			}
			if t.Failed() {
				t.Fatal(when)
			}
		}
		check("before")
		late := func(age time.Duration, device string) (rs []reading.Reading) {
			for _, name := range []string{monthsKept, daysKept} {
				rs = append(rs, series(name, device, now.Add(-age).Add(time.Minute), now.Add(-age).Add(2*time.Hour), 7*time.Minute)...)
			}
			return rs
		}
		ages := []time.Duration{day, 13*day + 12*time.Hour, 31 * day}
		for _, age := range ages {
			for range 2 { // sent twice
				h.commit(now, late(age, "office")...)
				h.commit(now, late(age, "attic")...)
				h.tick(now)
				check(age.String())
			}
		}
		now = now.Add(15 * day) // they are folded
		h.commit(now, late(day, "office")...)
		h.tick(now)
		check("folded")
		for _, age := range ages { // others, into the same hours
			for _, name := range []string{monthsKept, daysKept} {
				h.commit(now, series(name, "office", now.Add(-15*day-age).Add(3*time.Minute), now.Add(-15*day-age).Add(time.Hour), 7*time.Minute)...)
			}
		}
		h.tick(now)
		check("late again")
		if d := h.tick(now); d.hours != 0 || d.Deleted != 0 {
			t.Errorf("a tick more: %+v", d)
		}
	})
}

func TestAnHourThatIsWrittenAgainAndAgainEndsNoTick(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.write(series(monthsKept, "office", noon.AddDate(0, 0, -1), noon, time.Minute))
		h.tick(noon)
		done := make(chan struct{})
		stopped := make(chan error)
		go func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					stopped <- nil
					return
				default:
				}
				b := []reading.Reading{one(monthsKept, "attic", noon.Add(-5*time.Hour).Add(time.Duration(i)*time.Millisecond))}
				if err := h.Commit(t.Context(), "test", store.Batch{Readings: b, Now: noon}, nil); err != nil {
					stopped <- err
					return
				}
			}
		}()
		for range 3 {
			h.tick(noon)
		}
		close(done)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}

func TestADayWithADirtyHourIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.write(series(daysKept, "office", noon.Add(-16*day), noon, time.Hour))
		h.tick(noon)
		now := noon.Add(2 * time.Hour)
		tk := &tick{Roller: &h.roller, st: h.Store, now: now, due: dueAt(now)}
		if err := tk.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.commit(noon.Add(-4*day), one(daysKept, "office", noon.Add(-15*day).Add(time.Minute))) // the function's clock was late
		if err := tk.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, _ := h.counts(daysKept, noon.Add(-15*day))
		if before != 0 && h.state(daysKept).Raw.Expired.After(noon.Add(-15*day)) {
			t.Errorf("%+v", h.state(daysKept))
		}
		if _, after := h.counts(daysKept, noon.Add(-15*day)); after != 15*24+1 {
			t.Errorf("%d readings are left", after)
		}
		h.tick(now)
		h.same(store.FiveMinutes, daysKept, noon.Add(-16*day), dueAt(now))
		if before, _ := h.counts(daysKept, now.Add(-14*day).Truncate(day)); before > 0 {
			t.Errorf("%d readings are left", before)
		}
	})
}
