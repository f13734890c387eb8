package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

const long = time.Minute // a lease that does not expire during a test

func begin(t *testing.T, s *store.Store, function string, ttl time.Duration) store.Run {
	t.Helper()
	r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: "cron", Started: noon}, ttl, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finish(t *testing.T, s *store.Store, r store.Run, targets []store.Target, messages ...alert.Message) {
	t.Helper()
	r.Status = "ok"
	queue := store.Alerts{Keys: []string{"any"}, Move: func(map[string]alert.State) ([]alert.State, []alert.Message) { return nil, messages }}
	if err := s.Finish(t.Context(), r, targets, queue); err != nil {
		t.Fatal(err)
	}
}

// failing returns the alert that a source's target fails, with one message.
func failing(key, text string) store.Alerts {
	return store.Alerts{Keys: []string{key}, Move: func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		a := before[key]
		a.Key, a.Phase, a.Text, a.Told = key, alert.Firing, text, alert.ToldFiring
		return []alert.State{a}, []alert.Message{{Key: key + "#1@slack", Destination: alert.ToSlack, Channel: alert.Pipelines, What: alert.Fired, Text: text, Created: noon, Due: noon}}
	}}
}

// takeOver begins a run as soon as the previous run's lease has expired.
func takeOver(t *testing.T, s *store.Store, function string, died store.Died) store.Run {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: "http", Started: noon.Add(time.Hour)}, long, died)
		if err == nil {
			return r
		}
		if !errors.Is(err, store.ErrRunning) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestExactlyOneOfManyBeginsSucceeds(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var fence int64
		for round := range 5 {
			var won, running atomic.Int32
			var winner store.Run
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					r, err := s.Begin(t.Context(), store.Run{Function: "weather", Trigger: "cron"}, long, nil)
					switch {
					case err == nil:
						won.Add(1)
						winner = r
					case errors.Is(err, store.ErrRunning):
						running.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || running.Load() != 19 {
				t.Fatalf("%d began, %d got ErrRunning, want 1 and 19", won.Load(), running.Load())
			}
			if winner.Fence <= fence || winner.ID == "" || winner.Started.IsZero() || winner.Status != "running" {
				t.Fatalf("%+v after fence %d", winner, fence)
			}
			fence = winner.Fence
			finish(t, s, winner, nil)
			if runs, err := s.Runs(t.Context(), "weather", 100); err != nil || len(runs) != round+1 {
				t.Fatalf("%d runs, %v, want %d: a refused Begin must not store a run", len(runs), err, round+1)
			}
		}
	})
}

func TestRunsReturnsTheFinishedRun(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r, err := s.Begin(t.Context(), store.Run{ID: "mine", Function: "treasuries", Trigger: "backfill", Started: noon.Add(999),
			From: noon.AddDate(-1, 0, 0), To: noon, Sample: true}, long, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Started.Equal(noon) {
			t.Errorf("started %v, want whole microseconds", r.Started)
		}
		r.Status, r.Took, r.Stored, r.Unchanged, r.Error = "partial", 1234567*time.Microsecond, 3, 4, "a \x00 \xff sentence"
		r.Outcomes = []store.Outcome{{Target: "1y", Status: "failed", Error: `said "no"`}, {Target: "2y", Status: "ok", Readings: 3, Items: 4}}
		if err := s.Finish(t.Context(), r, nil, store.Alerts{}); err != nil {
			t.Fatal(err)
		}
		finish(t, s, begin(t, s, "weather", long), nil)
		want := r
		want.Error = "a  \uFFFD sentence"
		got, err := s.Runs(t.Context(), "treasuries", 10)
		if diff := cmp.Diff([]store.Run{want}, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if all, err := s.Runs(t.Context(), "", 1); err != nil || len(all) != 1 {
			t.Errorf("%v, %v, want one", all, err)
		}
	})
}

func TestExpiredLeaseClosesItsRunAndFencesIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		late := begin(t, s, "feeds", time.Millisecond)
		next := takeOver(t, s, "feeds", nil)
		if next.Fence <= late.Fence {
			t.Errorf("fence %d after %d", next.Fence, late.Fence)
		}
		runs, err := s.Runs(t.Context(), "feeds", 10)
		if err != nil || len(runs) != 2 || runs[0].ID != next.ID || runs[1].Status != "died" || runs[1].Error == "" {
			t.Fatalf("%+v, %v", runs, err)
		}
		late.Status = "ok"
		if err := s.Finish(t.Context(), late, []store.Target{{Name: "x"}}, failing("late", "late")); !errors.Is(err, store.ErrFenced) {
			t.Errorf("late Finish: %v", err)
		}
		list := store.List{Source: "feeds", Target: "x", Items: []item.Item{{ID: "1", Title: "late"}}}
		if _, _, err := s.SaveItems(t.Context(), late, []store.List{list}, nil); !errors.Is(err, store.ErrFenced) {
			t.Errorf("late SaveItems: %v", err)
		}
		if runs, _ := s.Runs(t.Context(), "feeds", 10); runs[1].Status != "died" {
			t.Errorf("a late Finish changed the status to %s", runs[1].Status)
		}
		states, err1 := s.Targets(t.Context(), "feeds")
		items, err2 := s.OpenItems(t.Context(), "feeds", 10)
		due, err3 := s.Due(t.Context(), noon.AddDate(1, 0, 0), 10)
		alerts, err4 := s.Alerts(t.Context(), 10)
		if err := errors.Join(err1, err2, err3, err4); err != nil || len(states)+len(items)+len(due)+len(alerts) != 0 {
			t.Errorf("a late run wrote %v, %v, %v, %v (%v)", states, items, due, alerts, err)
		}
		finish(t, s, next, nil)
	})
}

func TestTargetsAndAlertsOfADiedRunAreStoredWithIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, "stocks", long)
		works := store.Target{Name: "AAPL", LastOK: noon}
		finish(t, s, r, []store.Target{works})
		dead := begin(t, s, "stocks", time.Millisecond)
		fails := store.Target{Name: "AAPL", Failing: noon, Reason: "it died", LastOK: noon}
		takeOver(t, s, "stocks", func(r store.Run, before map[string]store.Target) ([]store.Target, store.Alerts) {
			if r.ID != dead.ID || r.Trigger != "cron" || !r.Started.Equal(dead.Started) || !cmp.Equal(before["AAPL"], works) {
				t.Errorf("died %+v, before %+v", r, before)
			}
			return []store.Target{fails}, failing("source-failing/stocks/AAPL", "it died")
		})
		got, err1 := s.Targets(t.Context(), "stocks")
		due, err2 := s.Due(t.Context(), time.Now().Add(time.Hour), 10) // clock: the database has its own
		alerts, err3 := s.ActiveAlerts(t.Context())
		if err := errors.Join(err1, err2, err3); err != nil || !cmp.Equal(got["AAPL"], fails) || len(due) != 1 || due[0].Text != "it died" || len(alerts) != 1 || alerts[0].Version != 1 {
			t.Errorf("%v, %v, %v, %v", got, due, alerts, err)
		}
	})
}

func TestTargetsAreReplacedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, "stocks", long)
		fails := store.Target{Name: "NOPE", Failing: noon, Reason: "no such symbol", LastOK: noon.Add(-time.Hour)}
		works := store.Target{Name: "AAPL", LastOK: noon}
		finish(t, s, r, []store.Target{fails, works})
		r = begin(t, s, "stocks", long)
		works.LastOK = noon.Add(time.Hour)
		finish(t, s, r, []store.Target{works})
		got, err := s.Targets(t.Context(), "stocks")
		if diff := cmp.Diff(map[string]store.Target{"NOPE": fails, "AAPL": works}, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if other, err := s.Targets(t.Context(), "weather"); err != nil || len(other) != 0 {
			t.Errorf("%v, %v", other, err)
		}
	})
}

func TestLeaseIsHeldReleasedAndFenced(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first, err := s.Lease(t.Context(), "outbox", "a", long)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Lease(t.Context(), "outbox", "b", long); !errors.Is(err, store.ErrRunning) {
			t.Errorf("taken twice: %v", err)
		}
		if err := s.Release(t.Context(), "outbox", first-1); err != nil {
			t.Error(err)
		}
		if _, err := s.Lease(t.Context(), "outbox", "b", long); !errors.Is(err, store.ErrRunning) {
			t.Errorf("released by another fence: %v", err)
		}
		if err := s.Release(t.Context(), "outbox", first); err != nil {
			t.Error(err)
		}
		second, err := s.Lease(t.Context(), "outbox", "b", long)
		if err != nil || second <= first {
			t.Errorf("fence %d after %d, %v", second, first, err)
		}
	})
}

func TestLastRunsReturnsTheNewestOfEachFunction(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for i, function := range []string{"weather", "stocks", "weather", "weather", "feeds"} {
			r, err := s.Begin(t.Context(), store.Run{ID: fmt.Sprint(i), Function: function, Trigger: "cron", Started: noon.Add(time.Duration(i%3) * time.Minute)}, long, nil)
			if err != nil {
				t.Fatal(err)
			}
			finish(t, s, r, nil)
		}
		got, err := s.LastRuns(t.Context(), []string{"weather", "stocks", "never"})
		if err != nil || len(got) != 2 || got["weather"].ID != "2" || got["weather"].Status != "ok" || got["stocks"].ID != "1" {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := s.LastRuns(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of none: %v, %v", got, err)
		}
	})
}
