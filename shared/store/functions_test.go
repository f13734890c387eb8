package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

var micro = noon.Truncate(time.Microsecond)

func TestTheNewestDescriptionOfAFunctionIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		save := func(f store.Function) {
			t.Helper()
			if err := s.SaveFunction(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		weather := store.Function{Name: "weather", Schedule: "*/15 * * * *", Period: 15 * time.Minute, Version: "1.2.0", Configured: true, LastSeen: micro}
		save(store.Function{Name: "weather", LastSeen: micro.Add(-time.Hour)})
		save(weather)
		save(store.Function{Name: "weather", Version: "1.1.0", LastSeen: micro.Add(-time.Minute)}) // a replica that is late
		sensors := store.Function{Name: "sensors", LastSeen: micro}
		save(sensors)
		got, err := s.Functions(t.Context())
		if diff := cmp.Diff([]store.Function{sensors, weather}, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		for _, want := range []bool{true, false} {
			if known, err := s.ForgetFunction(t.Context(), "weather"); known != want || err != nil {
				t.Errorf("known %v, %v, want %v", known, err, want)
			}
		}
		for i := range 205 {
			save(store.Function{Name: fmt.Sprintf("f%03d", i), LastSeen: micro.Add(time.Duration(i+1) * time.Second)})
		}
		if got, err := s.Functions(t.Context()); err != nil || len(got) != 200 || got[0].Name != "f005" {
			t.Errorf("%d functions, %v, want the 200 seen last", len(got), err)
		}
	})
}

func TestARequestIsReturnedThreeTimes(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		add := func(r store.DeadRequest) {
			t.Helper()
			if err := s.AddDeadRequest(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		drop := store.DeadRequest{ID: "1", Action: store.Drop, Function: "sensors", Topic: "tele/#", Cause: "no mapping", Requested: micro}
		replay := store.DeadRequest{ID: "2", Action: store.Replay, Function: "zigbee", Letter: "m5k2", Requested: micro.Add(time.Second)}
		all := store.DeadRequest{ID: "3", Action: store.Replay, Requested: micro.Add(2 * time.Second)}
		add(drop)
		add(drop) // the same request again is ignored
		add(replay)
		add(all)
		take := func(after time.Duration, functions []string, limit int, want ...store.DeadRequest) {
			t.Helper()
			got, err := s.TakeDeadRequests(t.Context(), functions, micro.Add(after), limit)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("after %s: %v\n%s", after, err, diff)
			}
		}
		take(0, []string{"weather"}, 10, all)
		take(0, []string{"sensors", "weather"}, 10, drop)
		take(5*time.Second, nil, 10, replay)
		take(6*time.Second, nil, 10)
		take(10*time.Second, nil, 1, drop)
		take(15*time.Second, nil, 10, replay, all)
		take(19*time.Second, nil, 10)
		take(20*time.Second, nil, 10, drop)
		take(time.Minute, nil, 10, replay, all)
		take(time.Hour, nil, 10)
	})
}

func TestRequestsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if err := s.AddDeadRequest(t.Context(), store.DeadRequest{Action: "eat", Requested: micro}); err == nil {
			t.Error("an unknown action is accepted")
		}
		if err := s.AddDeadRequest(t.Context(), store.DeadRequest{Action: store.Drop, Requested: micro}); err == nil {
			t.Error("a drop without a filter is accepted")
		}
		now := time.Now() // clock: the store decides by its own clock which requests are old
		ask := func(at time.Time) error {
			return s.AddDeadRequest(t.Context(), store.DeadRequest{Action: store.Replay, Requested: at})
		}
		waiting := now.Add(-23 * time.Hour)
		for i := range 1000 {
			at := waiting
			if i == 0 {
				at = now.Add(-25 * time.Hour)
			}
			if err := ask(at); err != nil {
				t.Fatal(err)
			}
		}
		if err := ask(waiting); !errors.Is(err, store.ErrFull) {
			t.Errorf("%v, want ErrFull", err)
		}
		if err := ask(now.Add(48 * time.Hour)); err != nil { // the request of 25 hours ago is deleted
			t.Error(err)
		}
		if got, err := s.TakeDeadRequests(t.Context(), nil, now, 5000); err != nil || len(got) != 1000 {
			t.Errorf("%d, %v, want 1000: a clock that is ahead does not age the others", len(got), err)
		}
	})
}

func TestAnEndSetByAButtonIsReplacedAndExpires(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		at := func(kind, subject string, set, until time.Duration) store.UntilDate {
			return store.UntilDate{Kind: kind, Subject: subject, Until: micro.Add(until), Set: micro.Add(set)}
		}
		set := func(u store.UntilDate) {
			t.Helper()
			if err := s.SetUntil(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		is := func(now time.Duration, want ...store.UntilDate) {
			t.Helper()
			got, err := s.UntilDates(t.Context(), micro.Add(now))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("at %s: %v\n%s", now, err, diff)
			}
		}
		silence, maintenance := at(store.Silence, "silent/boiler", time.Second, time.Hour), at(store.Maintenance, "device/boiler", 0, 3*time.Hour)
		set(at(store.Silence, "silent/boiler", 0, 2*time.Hour))
		set(silence) // an earlier end replaces a later one
		set(silence)
		set(at(store.Silence, "silent/boiler", 0, 2*time.Hour)) // the first click, which comes again
		set(maintenance)
		is(0, maintenance, silence)
		is(time.Hour, maintenance)
		set(at(store.Silence, "silent/boiler", time.Minute, 0))
		set(silence) // it was ended after that
		is(time.Minute, maintenance)
		other := at(store.Silence, "other", 30*time.Hour, 31*time.Hour)
		set(other) // what has passed a day ago is deleted
		is(0, other)
		if err := s.SetUntil(t.Context(), store.UntilDate{Kind: "nap", Subject: "x", Until: micro.Add(1), Set: micro}); err == nil {
			t.Error("an unknown kind is accepted")
		}
	})
}
