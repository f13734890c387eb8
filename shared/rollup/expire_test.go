package rollup

import (
	"context"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// counts returns the number of stored readings of a measurement before and from a time on.
func (h *house) counts(name string, at time.Time) (before, after int) {
	h.Helper()
	for _, span := range []struct {
		from, to time.Time
		n        *int
	}{{at.AddDate(-5, 0, 0), at, &before}, {at, at.AddDate(5, 0, 0), &after}} {
		rs, err := h.Between(h.Context(), name, nil, span.from, span.to)
		if err != nil {
			h.Fatal(err)
		}
		*span.n = len(rs)
	}
	return before, after
}

func TestOnlyWhatTheClassSaysIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		names := []string{monthsKept, daysKept, everKept}
		begin := noon.Add(-369 * day).Add(5 * time.Hour)
		for _, name := range names { // the newest ones, and a few that are older than a year
			h.write(series(name, "office", begin, begin.Add(6*day), 5*time.Hour))
			h.write(series(name, "office", noon.Add(-18*day), noon, 5*time.Hour))
		}
		limits := map[string]time.Time{monthsKept: noon.Add(-365 * day).Truncate(day), daysKept: noon.Add(-14 * day).Truncate(day), everKept: {}}
		want := map[string]int{}
		for _, name := range names {
			if limits[name].IsZero() {
				limits[name] = begin
			}
			_, want[name] = h.counts(name, limits[name])
		}
		h.ticks(noon.Add(-2 * time.Hour))
		if h.state(monthsKept).Raw.Expired != h.state(monthsKept).Since {
			t.Error("readings are deleted within the first hour")
		}
		// ticks in new processes, with little time; a canceled one is like a killed one
		for most := 50 * time.Millisecond; ; most += 10 * time.Millisecond {
			h.reopen()
			ctx, cancel := context.WithTimeout(t.Context(), most)
			_, err := h.roller.Tick(ctx, h.Store, noon)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			left := 0
			for _, name := range names {
				before, after := h.counts(name, limits[name])
				if after != want[name] {
					t.Fatalf("%s: %d readings are left of %d that are kept", name, after, want[name])
				}
				left += before
			}
			if left == 0 && h.state(daysKept).Fine.Deleted.Equal(limits[monthsKept]) && h.state(monthsKept).Fine.Deleted.Equal(limits[monthsKept]) {
				break
			}
		}
		due := dueAt(noon)
		for _, name := range []string{monthsKept, daysKept} {
			h.same(store.Hour, name, begin, due)
			h.same(store.FiveMinutes, name, limits[monthsKept], due)
			if got := h.rows(store.FiveMinutes, name, begin, limits[monthsKept]); len(got) > 0 {
				t.Errorf("%s: %d old roll-ups of 5 minutes are left", name, len(got))
			}
		}
	})
}
