package store_test

import (
	"errors"
	"fmt"
	"strings"
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
		if err := s.Postpone(t.Context(), []string{"a"}, "429", false, noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		waits := due(noon.Add(time.Second), "a", "b")[0] // a waits, and b behind it
		if !waits.Due.Equal(noon.Add(time.Minute)) {
			t.Errorf("it is due at %v", waits.Due)
		}
		if again := due(noon.Add(time.Minute), "a", "b")[0]; again.Tries != 1 {
			t.Errorf("%d tries, want 1", again.Tries)
		}
		if err := errors.Join(s.Sent(t.Context(), []string{"a"}, nil, noon), s.Sent(t.Context(), []string{"b"}, nil, noon.AddDate(0, 0, -100))); err != nil {
			t.Fatal(err)
		}
		due(noon.Add(time.Minute))
		finish(t, s, begin(t, s, "weather", long), nil, m("a", 0)) // also prunes b, sent 100 days ago
		due(noon.Add(time.Minute))
		finish(t, s, begin(t, s, "weather", long), nil, m("b", 0))
		due(noon.Add(time.Minute), "b")
	})
}

// What failed and waits is listed with what is due, so that the sender can hold back what
// comes after it; what is refused is not tried again, and what is only shown never is.
func TestOfEachDestinationAndChannelTheOldestMessagesAreDue(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var ms []alert.Message
		for i := range 3 {
			for _, c := range []alert.Channel{"climate", "devices"} {
				for _, d := range []string{alert.ToSlack, alert.ToNtfy, alert.ToPage} {
					ms = append(ms, alert.Message{Key: fmt.Sprint(d, c, i), Destination: d, Channel: c, Created: noon.Add(time.Duration(i) * time.Second)})
				}
			}
		}
		ms = append(ms, alert.Message{Key: "sample", Destination: alert.ToSlack, Channel: "climate", Sample: true, Created: noon},
			alert.Message{Key: "later", Destination: alert.ToSlack, Channel: "hardware", Created: noon, Due: noon.Add(time.Hour)})
		finish(t, s, begin(t, s, "weather", long), nil, ms...)
		due := func(now time.Time, each int) string {
			t.Helper()
			ms, err := s.Due(t.Context(), now, each)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, m := range ms {
				keys = append(keys, m.Key)
			}
			return strings.Join(keys, " ")
		}
		later := noon.Add(time.Minute)
		if got := due(later, 1); got != "ntfyclimate0 ntfydevices0 slackclimate0 slackdevices0" {
			t.Errorf("the oldest of each: %s", got)
		}
		if got := due(later, 100); strings.Count(got, " ") != 11 || strings.Contains(got, "page") || strings.Contains(got, "sample") || strings.Contains(got, "later") {
			t.Errorf("all: %s", got)
		}
		if err := errors.Join(s.Postpone(t.Context(), []string{"slackclimate0"}, "500", false, later.Add(time.Hour)), s.Refuse(t.Context(), []string{"slackdevices0", "ntfydevices0"}, "400", later)); err != nil {
			t.Fatal(err)
		}
		if got := due(later, 1); got != "ntfyclimate0 slackclimate0 ntfydevices1 slackdevices1" {
			t.Errorf("one waits, two are refused: %s", got)
		}
		for range 2 {
			if due, err := s.AnyDue(t.Context(), later); err != nil || !due {
				t.Errorf("any due: %v, %v", due, err)
			}
		}
		if due, err := s.AnyDue(t.Context(), noon.Add(-time.Second)); err != nil || due {
			t.Errorf("any due before: %v, %v", due, err)
		}
	})
}

func TestAnAttemptIsRememberedUntilItsEndIsKnown(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		finish(t, s, begin(t, s, "weather", long), nil, alert.Message{Key: "a", Channel: "climate", Created: noon})
		now := func() alert.Message {
			t.Helper()
			ms, err := s.Due(t.Context(), noon, 1)
			if err != nil || len(ms) != 1 {
				t.Fatalf("%v, %v", ms, err)
			}
			return ms[0]
		}
		keys := []string{"a"}
		if err := s.Attempt(t.Context(), keys, noon); err != nil || !now().Attempted.Equal(noon) {
			t.Errorf("%v; attempted %v", err, now().Attempted)
		}
		if err := s.Postpone(t.Context(), keys, "no answer", true, noon); err != nil || !now().Attempted.Equal(noon) {
			t.Errorf("%v; it may have arrived, attempted %v", err, now().Attempted)
		}
		if err := s.Missing(t.Context(), keys); err != nil || !now().Attempted.IsZero() {
			t.Errorf("%v; it is not there, attempted %v", err, now().Attempted)
		}
		if err := errors.Join(s.Attempt(t.Context(), keys, noon), s.Postpone(t.Context(), keys, "429", false, noon), s.Step(t.Context(), keys, 1)); err != nil || !now().Attempted.IsZero() || now().Step != 1 || now().Tries != 2 {
			t.Errorf("%v; %+v", err, now())
		}
		posts := []store.Post{{Alert: "co2/office", Episode: 1, Channel: "C1", TS: "1.1"}, {Alert: "co2/office", Episode: 2, Channel: "C1", TS: "1.2"}}
		if err := s.Sent(t.Context(), keys, posts, noon); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Posts(t.Context(), []string{"co2/office", "other"}); err != nil || len(got) != 1 || got["co2/office"] != posts[1] {
			t.Errorf("%v, %v", got, err)
		}
		if last, err := s.LastSent(t.Context(), noon); err != nil || len(last) != 1 || !last[[2]string{"slack", "climate"}].Equal(noon) {
			t.Errorf("%v, %v", last, err)
		}
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
