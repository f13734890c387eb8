package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// TestTablesDoNotGrowForEver: a function's old runs and its items that were closed long
// ago are deleted.
func TestTablesDoNotGrowForEver(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const day = 24 * time.Hour
		runAt := func(function string, at time.Time, items ...string) {
			t.Helper()
			r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: "cron", Started: at}, time.Hour, nil)
			if err != nil {
				t.Fatal(err)
			}
			l := store.List{Source: function, Target: "all", Complete: true}
			for _, id := range items {
				l.Items = append(l.Items, item.Item{Source: function, Target: "all", ID: id, Title: id})
			}
			if _, _, err := s.SaveItems(t.Context(), r, []store.List{l}, nil); err != nil {
				t.Fatal(err)
			}
			finish(t, s, r, nil)
		}
		runAt("other", noon, "old")
		for _, days := range []time.Duration{0, 1, 80, 95, 370, 380} {
			runAt("feeds", noon.Add(days*day), map[time.Duration][]string{0: {"closed", "open"}, 380: {"open"}}[days]...)
		}
		last := noon.Add(380 * day)
		runs, err := s.Runs(t.Context(), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, r := range runs {
			kept = append(kept, r.Function+" "+r.Started.Format(time.DateOnly))
		}
		want := []string{"feeds " + last.Format(time.DateOnly), "feeds " + last.Add(-10*day).Format(time.DateOnly), "other " + noon.Format(time.DateOnly)}
		if !slices.Equal(kept, want) {
			t.Errorf("kept the runs %q, want %q", kept, want)
		}
		if n := s.CountItems(t); n != 2 { // the open one, and that of the other function
			t.Errorf("%d items are kept, want 2", n)
		}
	})
}
