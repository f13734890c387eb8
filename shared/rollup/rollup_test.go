package rollup

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func TestAHistoryIsRolledUpInTicksWithGrowingProgress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		begin := noon.AddDate(0, -2, 0).Add(17 * time.Minute)
		h.write(series(monthsKept, "office", begin, noon, 97*time.Minute))
		h.write(series(monthsKept, "attic", noon.AddDate(0, 0, -9), noon, 11*time.Minute))
		h.write(series("of hearth.yml", "pond", noon.AddDate(0, -1, 0), noon, 3*time.Hour))
		h.write(series(everKept, "", noon.AddDate(0, -1, 0), noon, time.Hour))
		all := h.ticks(noon)
		before := Done{}
		for _, d := range all {
			if d.done < before.done || d.done > d.of || d.of != dueAt(noon).Sub(begin.Truncate(time.Hour)) {
				t.Errorf("%+v after %+v", d, before)
			}
			before = d
		}
		if before.Backlog || before.Percent() != 100 || before.String() != "100 % of the history is rolled up: 60 of 60 days" {
			t.Errorf("%+v: %s", before, before)
		}
		t.Logf("%d ticks", len(all))
		due := noon.Add(-time.Hour) // the hour before noon ended just now
		for _, name := range []string{monthsKept, "of hearth.yml"} {
			for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
				h.same(resolution, name, noon.AddDate(-2, 0, 0), due)
				if got := h.rows(resolution, name, due, noon.Add(time.Hour)); len(got) > 0 {
					t.Errorf("an hour that is not due: %v", got)
				}
			}
		}
		if got := h.rows(store.Hour, everKept, begin, noon); len(got) > 0 || !h.state(everKept).Since.IsZero() {
			t.Errorf("readings that are kept for ever are rolled up: %v", got)
		}
		if d := h.tick(noon); d.hours != 0 || d.Deleted != 0 {
			t.Errorf("a tick more: %+v", d)
		}
		h.reopen()
		if d := h.tick(noon); d.hours != 0 {
			t.Errorf("a tick of a new process: %+v", d)
		}
	})
}

// A batch that is written while the roll-ups of its measurement begin knows nothing of them
// yet: it is found by a later look for first readings.
func TestOlderReadingsThatCameAsTheRollupsBeganAreRolledUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.write(series(monthsKept, "office", noon.AddDate(0, 0, -2), noon, 17*time.Minute))
		h.tick(noon)
		older := noon.AddDate(0, 0, -5).Add(11 * time.Minute)
		h.write(series(monthsKept, "attic", older, older.Add(7*time.Hour), 13*time.Minute))
		h.tick(noon.Add(2 * time.Hour))
		if got, want := h.state(monthsKept).Since, older.Truncate(time.Hour); !got.Equal(want) {
			t.Errorf("begin at %s, want %s", got, want)
		}
		for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
			h.same(resolution, monthsKept, noon.AddDate(-1, 0, 0), noon.Add(-time.Hour))
		}
	})
}

// An hour whose roll-up cannot be stored, here because its sum is no number, is tried again
// and again. It keeps neither the later hours nor other measurements from theirs.
func TestAnHourThatCannotBeRolledUpHoldsUpNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if h.place.file != "" {
			t.Skip("SQLite stores it")
		}
		bad := noon.AddDate(0, 0, -3)
		h.write(series(monthsKept, "office", noon.AddDate(0, 0, -5), noon, 17*time.Minute))
		h.write(series("of hearth.yml", "pond", noon.AddDate(0, 0, -5), noon, 17*time.Minute))
		for i := range 4 {
			v := 1.7e308
			if i > 1 {
				v = -v
			}
			huge := reading.Reading{Name: monthsKept, Tags: map[string]string{"device": "wild"}, Fields: map[string]float64{"v": v}, Time: bad.Add(time.Duration(i) * 4 * time.Minute)}
			if err := h.Store.Write(t.Context(), []reading.Reading{huge}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := h.roller.Tick(t.Context(), h.Store, noon); err == nil || !strings.Contains(err.Error(), monthsKept+": the hour from "+bad.Format("2006-01-02 15")) {
				t.Errorf("the error is %v, want one that names the hour", err)
			}
		}
		due := noon.Add(-time.Hour)
		for _, name := range []string{monthsKept, "of hearth.yml"} {
			if s := h.state(name); !s.Upto.Equal(due) || s.Dirty != map[string]int{monthsKept: 1}[name] {
				t.Errorf("%s: %+v", name, s)
			}
		}
		h.same(store.Hour, monthsKept, noon.AddDate(-1, 0, 0), bad.Truncate(time.Hour))
		h.same(store.Hour, monthsKept, bad.Truncate(time.Hour).Add(time.Hour), due)
		h.same(store.Hour, "of hearth.yml", noon.AddDate(-1, 0, 0), due)
	})
}
