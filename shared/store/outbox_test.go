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
	"github.com/hearth-home/hearth/shared/store"
)

func TestQuotaIsNeverExceeded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		q := store.Quota{Key: "alphavantage", Limit: 25, Window: 24 * time.Hour, Reserve: 5}
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

func TestTheLatestTurnOfEachTargetIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, turn := range []struct {
			function, target string
			at               time.Time
		}{
			{"feeds", "a/b c%_ü", noon}, {"feeds", "a/b c%_ü", noon.Add(time.Hour)}, {"feeds", "a/b c%_ü", noon.Add(-time.Hour)},
			{"feeds", "other", noon}, {"feedsx", "other", noon.Add(time.Minute)},
		} {
			if err := s.Turn(t.Context(), turn.function, turn.target, turn.at); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Hold(t.Context(), "feeds/host", noon); err != nil {
			t.Fatal(err)
		}
		got, err := s.Turns(t.Context(), "feeds")
		if want := map[string]time.Time{"a/b c%_ü": noon.Add(time.Hour), "other": noon}; err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
		later := noon.AddDate(0, 0, 31)
		if err := s.Turn(t.Context(), "feeds", "new", later); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Turns(t.Context(), "feeds"); err != nil || !cmp.Equal(got, map[string]time.Time{"new": later}) {
			t.Errorf("a month later: %v, %v; want only the new one", got, err)
		}
		if until, err := s.HeldUntil(t.Context(), "feeds/host"); err != nil || !until.Equal(noon) {
			t.Errorf("the pause: %v, %v", until, err)
		}
	})
}

func TestUnscheduledCallsLeaveTheReserve(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		q := store.Quota{Key: "k", Limit: 10, Window: time.Minute, Reserve: 4}
		step := func(n int, scheduled, fits bool) {
			t.Helper()
			err := s.Take(t.Context(), q, n, scheduled, noon)
			if _, refused := errors.AsType[*store.SpentError](err); refused == fits || !refused && err != nil {
				t.Errorf("take %d, scheduled %v: %v", n, scheduled, err)
			}
		}
		step(7, false, false) // 7 + 4 reserved > 10: nothing is counted
		step(5, false, true)  // 5 used
		step(2, false, false) // 7 + 4 > 10
		step(3, true, true)   // 8 used, 1 still reserved
		step(1, false, true)  // 9 used
		step(1, false, false) // the last call is reserved for the schedule
		step(1, true, true)
		step(1, true, false)
		step(11, true, false)
	})
}

func TestOldWindowsOfAQuotaAreDeleted(t *testing.T) {
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
		m := func(key string, d time.Duration) alert.Message {
			return alert.Message{Key: key, Channel: "failures", Text: "weather fails \x00", Created: noon.Add(d)}
		}
		finish(t, s, begin(t, s, "weather", long), nil, m("b", 1), m("a", 0), m("a", 2), m("late", time.Hour))
		finish(t, s, begin(t, s, "weather", long), nil, m("a", 0))
		due := func(now time.Time, want ...string) []alert.Message {
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
		if want := (alert.Message{Key: "a", Destination: alert.ToSlack, Channel: "failures", What: alert.News, Text: "weather fails ", Created: noon, Due: noon}); first != want {
			t.Errorf("%+v, want %+v", first, want)
		}
		if err := s.Postpone(t.Context(), "a", "429", noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		due(noon.Add(time.Second)) // b is younger
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

func TestAMessageWaitsForOlderMessagesOfItsChannel(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		m := func(key string, channel alert.Channel, d time.Duration) alert.Message {
			return alert.Message{Key: key, Channel: channel, Text: key, Created: noon.Add(d)}
		}
		finish(t, s, begin(t, s, "weather", long), nil,
			m("failing", "failures", 1), m("works", "failures", time.Second), m("entry", "news", time.Minute))
		due := func(now time.Time, want ...string) {
			t.Helper()
			ms, err := s.Due(t.Context(), now, 10)
			keys := []string{}
			for _, m := range ms {
				keys = append(keys, m.Key)
			}
			if diff := cmp.Diff(append([]string{}, want...), keys); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		}
		later := noon.Add(time.Hour)
		if err := s.Postpone(t.Context(), "failing", "500", later.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		due(later, "entry")
		due(later.Add(time.Second), "failing", "works", "entry")
		if err := s.Postpone(t.Context(), "failing", "400", later.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := s.Refuse(t.Context(), "failing", "400", later); err != nil {
			t.Fatal(err)
		}
		due(later, "works", "entry")
		due(later.AddDate(1, 0, 0), "works", "entry") // a refused message is not tried again
	})
}

func TestOutboxTakesManyMessagesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var many []alert.Message
		for i := range 1201 {
			many = append(many, alert.Message{Key: fmt.Sprint(i), Created: noon})
		}
		finish(t, s, begin(t, s, "feeds", long), nil, many...)
		if due, err := s.Due(t.Context(), noon, 5000); err != nil || len(due) != len(many) {
			t.Errorf("%d, %v, want %d", len(due), err, len(many))
		}
	})
}

func TestOnlyMessagesOfTheWantedChannelsAreDue(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var ms []alert.Message
		for i, channel := range []alert.Channel{"failures", "news", "failures", "digest"} {
			ms = append(ms, alert.Message{Key: fmt.Sprint(channel, i), Channel: channel, Created: noon.Add(time.Duration(i) * time.Millisecond)})
		}
		finish(t, s, begin(t, s, "weather", long), nil, ms...)
		for want, channels := range map[string][]alert.Channel{
			"[failures0 news1 failures2 digest3]": nil,
			"[failures0 failures2]":               {"failures"},
			"[news1 digest3]":                     {"digest", "news"},
			"[]":                                  {"'); drop table outbox; --"},
		} {
			due, err := s.Due(t.Context(), noon.Add(time.Second), 10, channels...)
			keys := []string{}
			for _, m := range due {
				keys = append(keys, m.Key)
			}
			if fmt.Sprint(keys) != want || err != nil {
				t.Errorf("%v: %v, %v, want %s", channels, keys, err, want)
			}
		}
		if due, err := s.Due(t.Context(), noon.Add(time.Second), 1, "news"); err != nil || len(due) != 1 {
			t.Errorf("a message behind those of other channels: %v, %v", due, err)
		}
	})
}

func TestOldUnsentMessagesAreGivenUp(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var ms []alert.Message
		for i := range 5010 {
			ms = append(ms, alert.Message{Key: fmt.Sprintf("m%04d", i), Channel: "news", Created: noon.Add(time.Duration(i) * time.Second)})
		}
		ms = append(ms, alert.Message{Key: "month", Channel: "news", Created: noon.AddDate(0, 0, -31)})
		finish(t, s, begin(t, s, "weather", long), nil, ms...)
		for _, want := range []int64{11, 0} {
			if n, err := s.GiveUp(t.Context(), noon); n != want || err != nil {
				t.Errorf("%d given up, %v; want %d", n, err, want)
			}
		}
		due, err := s.Due(t.Context(), noon.AddDate(0, 0, 1), 6000)
		if err != nil || len(due) != 5000 || due[0].Key != "m0010" {
			t.Errorf("%d left, %v; want the newest 5000", len(due), err)
		}
	})
}
