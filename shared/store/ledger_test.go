package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

const long = time.Minute // a lease that does not expire during a test

func begin(t *testing.T, s *store.Store, function string, ttl time.Duration) store.Run {
	t.Helper()
	r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: "cron", Started: noon}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finish(t *testing.T, s *store.Store, r store.Run, states []store.TargetState, messages ...store.Message) {
	t.Helper()
	r.Status = "ok"
	if err := s.Finish(t.Context(), r, states, messages); err != nil {
		t.Fatal(err)
	}
}

// takeOver begins a run as soon as the lease of the one before has expired.
func takeOver(t *testing.T, s *store.Store, function string) store.Run {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		r, err := s.Begin(t.Context(), store.Run{Function: function, Trigger: "http", Started: noon.Add(time.Hour)}, long)
		if err == nil {
			return r
		}
		if !errors.Is(err, store.ErrRunning) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestOfManyBeginsExactlyOneWins(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var fence int64
		for round := range 5 {
			var won, running atomic.Int32
			var winner store.Run
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					r, err := s.Begin(t.Context(), store.Run{Function: "weather", Trigger: "cron"}, long)
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
				t.Fatalf("%d won, %d saw a run, want 1 and 19", won.Load(), running.Load())
			}
			if winner.Fence <= fence || winner.ID == "" || winner.Started.IsZero() || winner.Status != "running" {
				t.Fatalf("%+v after fence %d", winner, fence)
			}
			fence = winner.Fence
			finish(t, s, winner, nil)
			if runs, err := s.Runs(t.Context(), "weather", 100); err != nil || len(runs) != round+1 {
				t.Fatalf("%d runs, %v, want %d: a refused Begin is no run", len(runs), err, round+1)
			}
		}
	})
}

func TestRunComesBackAsItWasFinished(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r, err := s.Begin(t.Context(), store.Run{ID: "mine", Function: "treasuries", Trigger: "backfill", Started: noon.Add(999),
			From: noon.AddDate(-1, 0, 0), To: noon, Sample: true}, long)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Started.Equal(noon) {
			t.Errorf("started %v, want whole microseconds", r.Started)
		}
		r.Status, r.Took, r.Stored, r.Unchanged, r.Error = "partial", 1234567*time.Microsecond, 3, 4, "a \x00 \xff sentence"
		r.Outcomes = []store.Outcome{{Target: "1y", Status: "failed", Error: `said "no"`}, {Target: "2y", Status: "ok", Readings: 3, Items: 4}}
		if err := s.Finish(t.Context(), r, nil, nil); err != nil {
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
		next := takeOver(t, s, "feeds")
		if next.Fence <= late.Fence {
			t.Errorf("fence %d after %d", next.Fence, late.Fence)
		}
		runs, err := s.Runs(t.Context(), "feeds", 10)
		if err != nil || len(runs) != 2 || runs[0].ID != next.ID || runs[1].Status != "died" || runs[1].Error == "" {
			t.Fatalf("%+v, %v", runs, err)
		}
		late.Status = "ok"
		message := store.Message{Key: "late", Text: "late", Created: noon}
		if err := s.Finish(t.Context(), late, []store.TargetState{{Target: "x"}}, []store.Message{message}); !errors.Is(err, store.ErrFenced) {
			t.Errorf("late Finish: %v", err)
		}
		list := store.List{Source: "feeds", Target: "x", Items: []item.Item{{ID: "1", Title: "late"}}}
		if _, _, err := s.SaveItems(t.Context(), late, []store.List{list}, nil); !errors.Is(err, store.ErrFenced) {
			t.Errorf("late SaveItems: %v", err)
		}
		if runs, _ := s.Runs(t.Context(), "feeds", 10); runs[1].Status != "died" {
			t.Errorf("a late Finish made its run %s", runs[1].Status)
		}
		states, err1 := s.Targets(t.Context(), "feeds")
		items, err2 := s.OpenItems(t.Context(), "feeds", 10)
		due, err3 := s.Due(t.Context(), noon.AddDate(1, 0, 0), 10)
		if err := errors.Join(err1, err2, err3); err != nil || len(states)+len(items)+len(due) != 0 {
			t.Errorf("a late run wrote %v, %v, %v (%v)", states, items, due, err)
		}
		finish(t, s, next, nil)
	})
}

func TestTargetsAreRememberedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, "stocks", long)
		failing := store.TargetState{Target: "NOPE", Failing: noon, Told: true, Reason: "no such symbol", LastOK: noon.Add(-time.Hour)}
		works := store.TargetState{Target: "AAPL", LastOK: noon}
		finish(t, s, r, []store.TargetState{failing, works})
		r = begin(t, s, "stocks", long)
		works.LastOK = noon.Add(time.Hour)
		finish(t, s, r, []store.TargetState{works})
		got, err := s.Targets(t.Context(), "stocks")
		if diff := cmp.Diff(map[string]store.TargetState{"NOPE": failing, "AAPL": works}, got); err != nil || diff != "" {
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

func TestQuotaIsNeverExceeded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		q := store.Quota{Key: "alphavantage", Limit: 25, Window: 24 * time.Hour, Spare: 5}
		var taken, spent atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for range 3 {
					err := s.Take(t.Context(), q, 1, true, noon)
					if e, ok := errors.AsType[*store.SpentError](err); ok {
						spent.Add(1)
						if want := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC); !e.Until.Equal(want) || e.Key != q.Key {
							t.Errorf("%v, want until %v", e, want)
						}
					} else if err != nil {
						t.Error(err)
					} else {
						taken.Add(1)
					}
				}
			})
		}
		all.Wait()
		if taken.Load() != 25 || spent.Load() != 35 {
			t.Errorf("%d taken, %d refused, want 25 and 35", taken.Load(), spent.Load())
		}
		if err := s.Take(t.Context(), q, 25, true, noon.AddDate(0, 0, 1)); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

func TestUnscheduledCallsLeaveWhatTheScheduleNeeds(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		q := store.Quota{Key: "k", Limit: 10, Window: time.Minute, Spare: 4}
		step := func(n int, scheduled, fits bool) {
			t.Helper()
			err := s.Take(t.Context(), q, n, scheduled, noon)
			if _, refused := errors.AsType[*store.SpentError](err); refused == fits || !refused && err != nil {
				t.Errorf("take %d, scheduled %v: %v", n, scheduled, err)
			}
		}
		step(7, false, false) // 7 + 4 spare > 10, nothing counted
		step(5, false, true)  // 5 used
		step(2, false, false) // 7 + 4 > 10
		step(3, true, true)   // 8 used, of the spare 1 is left
		step(1, false, true)  // 9 used
		step(1, false, false) // the last one is the schedule's
		step(1, true, true)
		step(1, true, false)
		step(11, true, false)
	})
}

func TestOldWindowsOfAQuotaGo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		q := store.Quota{Key: "finnhub", Limit: 60, Window: time.Minute}
		for i := range 10 {
			if err := s.Take(t.Context(), q, 60, false, noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.CountQuotaRows(t); n > 2 {
			t.Errorf("%d rows, want the last two", n)
		}
	})
}

func TestMessageIsSentOncePerKey(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		m := func(key string, d time.Duration) store.Message {
			return store.Message{Key: key, Channel: "failures", Text: "weather fails \x00", Created: noon.Add(d)}
		}
		finish(t, s, begin(t, s, "weather", long), nil, m("b", 1), m("a", 0), m("a", 2), m("late", time.Hour))
		finish(t, s, begin(t, s, "weather", long), nil, m("a", 0))
		due := func(now time.Time, want ...string) []store.Message {
			t.Helper()
			ms, err := s.Due(t.Context(), now, 10)
			keys := []string{}
			for _, m := range ms {
				keys = append(keys, m.Key)
			}
			if diff := cmp.Diff(append([]string{}, want...), keys); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			return ms
		}
		first := due(noon.Add(time.Microsecond), "a", "b")[0]
		if want := (store.Message{Key: "a", Channel: "failures", Text: "weather fails ", Created: noon}); first != want {
			t.Errorf("%+v, want %+v", first, want)
		}
		if err := s.Postpone(t.Context(), "a", "429", noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		due(noon.Add(time.Second), "b")
		if again := due(noon.Add(time.Minute), "a", "b")[0]; again.Tries != 1 {
			t.Errorf("%d tries, want 1", again.Tries)
		}
		if err := errors.Join(s.Sent(t.Context(), "a", noon), s.Sent(t.Context(), "b", noon.AddDate(0, 0, -100))); err != nil {
			t.Fatal(err)
		}
		due(noon.Add(time.Minute))
		finish(t, s, begin(t, s, "weather", long), nil, m("a", 0)) // also prunes b, sent 100 days ago
		due(noon.Add(time.Minute))
		finish(t, s, begin(t, s, "weather", long), nil, m("b", 0))
		due(noon.Add(time.Minute), "b")
	})
}

func TestOutboxTakesManyMessagesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var many []store.Message
		for i := range 1201 {
			many = append(many, store.Message{Key: fmt.Sprint(i), Created: noon})
		}
		finish(t, s, begin(t, s, "feeds", long), nil, many...)
		if due, err := s.Due(t.Context(), noon, 5000); err != nil || len(due) != len(many) {
			t.Errorf("%d, %v, want %d", len(due), err, len(many))
		}
	})
}
