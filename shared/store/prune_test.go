package store_test

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// ran stores a run that ended.
func ran(t *testing.T, s *store.Store, function, trigger, status string, at time.Time) {
	t.Helper()
	r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: trigger, Started: at}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status = status; status == "running" {
		if err := s.Release(t.Context(), function, r.Fence); err != nil {
			t.Fatal(err)
		}
		return
	}
	finish(t, s, r, nil)
}

func TestTheLastFinishedRunIsThatOfTheSchedule(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"weather", "stocks"} {
			if err := s.SaveFunction(t.Context(), store.Function{Name: name, LastSeen: noon}); err != nil {
				t.Fatal(err)
			}
		}
		ran(t, s, "weather", "cron", "ok", noon.Add(-3*time.Hour))
		ran(t, s, "weather", "http", "failed", noon.Add(-2*time.Hour))
		ran(t, s, "weather", "backfill", "ok", noon.Add(-time.Hour))
		ran(t, s, "weather", "cron", "running", noon)
		ran(t, s, "removed", "cron", "ok", noon)
		last, err := s.LastFinished(t.Context())
		if at := last["weather"].Started; err != nil || len(last) != 1 || !at.Equal(noon.Add(-2*time.Hour)) {
			t.Errorf("%v, %v", last, err)
		}
	})
}

func TestOldRowsAreDeletedAlsoOfRemovedFunctions(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ran(t, s, "removed", "cron", "ok", noon.AddDate(0, 0, -91))
		ran(t, s, "removed", "cron", "ok", noon.AddDate(0, 0, -89))
		if err := s.Prune(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
		if runs, err := s.Runs(t.Context(), "removed", 10); err != nil || len(runs) != 1 {
			t.Errorf("%v, %v", runs, err)
		}
	})
}

func TestTheOldestUnsentMessageWaitsSinceItIsDue(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		oldest := func(want time.Time) {
			t.Helper()
			if got, err := s.OldestUnsent(t.Context(), []string{alert.ToSlack, alert.ToNtfy}); err != nil || !got.Equal(want) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		}
		oldest(time.Time{})
		message := func(key, destination string, created, due time.Time) alert.Message {
			return alert.Message{Key: key, Destination: destination, Channel: alert.Devices, Text: key, Created: created, Due: due}
		}
		night := message("night", alert.ToSlack, noon.Add(-8*time.Hour), noon.Add(time.Hour))
		ms := []alert.Message{night, message("page", alert.ToPage, noon.Add(-9*time.Hour), time.Time{}), message("old", alert.ToNtfy, noon, time.Time{})}
		if err := s.Queue(t.Context(), ms); err != nil {
			t.Fatal(err)
		}
		oldest(noon)
		if err := s.Sent(t.Context(), []string{"old"}, nil, noon); err != nil {
			t.Fatal(err)
		}
		oldest(night.Due)
		if err := s.Postpone(t.Context(), []string{"night"}, "503", false, noon.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		oldest(night.Created)
	})
}

func TestTheLastGoodRunIsTheNewestThatFetchedSomething(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for h, status := range []string{"ok", "partial", "failed", "not_configured"} {
			r, err := s.Begin(t.Context(), store.Run{Function: "asana", Trigger: "cron", Started: noon.Add(time.Duration(h) * time.Hour)}, time.Minute, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Status = status
			if err := s.Finish(t.Context(), r, nil, store.Alerts{}); err != nil {
				t.Fatal(err)
			}
		}
		for h, want := range map[int]time.Time{-1: {}, 0: noon, 1: noon.Add(time.Hour), 9: noon.Add(time.Hour)} {
			if got, err := s.LastGood(t.Context(), "asana", noon.Add(time.Duration(h)*time.Hour)); err != nil || !got.Equal(want) {
				t.Errorf("after %d h: %v, %v, want %v", h, got, err, want)
			}
		}
	})
}
