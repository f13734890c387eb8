package store_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestAStateIsReplacedOnlyByANewerOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		good := 7.5
		state := func(v float64, at, arrived time.Duration) store.DeviceState {
			d := store.DeviceState{Device: "d", Metric: "m", Value: v, Arrived: noon.Add(arrived), Changed: noon, Quality: "ok", Good: &good, GoodTime: noon, Counter: `{"peak":8}`}
			if at >= 0 {
				d.Time = noon.Add(at)
			}
			return d
		}
		for _, tc := range []struct {
			state store.DeviceState
			want  float64
		}{
			{state(1, -1, time.Minute), 1}, // without a time
			{state(2, -1, time.Second), 1}, // without a time, and arrived earlier
			{state(3, -1, time.Hour), 3},
			{state(4, 0, time.Second), 4}, // any time is newer than none
			{state(5, -1, 2*time.Hour), 4},
			{state(6, time.Second, time.Second), 6},
			{state(7, 0, 3*time.Hour), 6},
			{state(8, time.Second, 2*time.Second), 8}, // the same time, arrived later
			{state(9, time.Second, 2*time.Second), 8},
		} {
			if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{tc.state}}); err != nil {
				t.Fatal(err)
			}
			got, err := s.DeviceStates(t.Context(), "d")
			if err != nil || len(got) != 1 || got[0].Value != tc.want || *got[0].Good != good || got[0].Counter != tc.state.Counter {
				t.Errorf("after %v: %+v, %v", tc.state.Value, got, err)
			}
		}
		text := state(0, 2000, 5000)
		text.Text, text.Retained, text.Quality, text.Reason, text.Good = "open\x00", true, "suspect", "stuck", nil
		if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{text}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestThousandsOfStatesInOneCall(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var c store.DeviceChange
		for i := range 3000 {
			c.States = append(c.States, store.DeviceState{Device: fmt.Sprintf("d%d", i%300), Metric: fmt.Sprintf("m%d", i/300), Value: float64(i), Time: noon, Arrived: noon, Changed: noon, Quality: "ok"})
		}
		if err := saveDevices(t.Context(), s, c); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeviceStates(t.Context(), "")
		if err != nil || len(got) != 3000 {
			t.Fatalf("%d, %v", len(got), err)
		}
		if d := got[0]; d.Device != "d0" || d.Metric != "m0" || d.Good != nil || !d.Time.Equal(noon) {
			t.Errorf("%+v", d)
		}
	})
}

func TestAfterTwoProcessesHaveWrittenBothClaimAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		claim := func(writer string, want bool) {
			t.Helper()
			if was, err := s.ClaimDevices(t.Context(), "f", writer); err != nil || was != want {
				t.Errorf("%s claims: %v, %v, want %v", writer, was, err, want)
			}
		}
		write := func(writer string) {
			t.Helper()
			c := store.DeviceChange{Function: "f", Writer: writer,
				States: []store.DeviceState{{Device: "d", Metric: "m", Time: noon, Arrived: noon, Changed: noon, Quality: "ok"}}}
			if err := saveDevices(t.Context(), s, c); err != nil {
				t.Errorf("%s writes: %v", writer, err)
			}
		}
		claim("a", false)
		claim("a", true)
		write("a")
		claim("a", true)
		claim("b", false)
		write("a")
		claim("a", false)
		claim("a", true)
		write("b") // ends the claim of a, of which a transaction may still be in progress
		claim("b", false)
		write("b")
		claim("b", true)
		claim("a", false)
		if was, err := s.ClaimDevices(t.Context(), "g", "a"); was || err != nil {
			t.Errorf("another function's claim: %v, %v", was, err)
		}
	})
}

// A value that the database refuses is ErrUnstorable, unlike an outage. Otherwise the
// connector would retry its message for ever and hold up all messages behind it.
func TestARefusedValueIsErrUnstorable(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		long := make([]byte, 8000)
		rand.Read(long)
		err := saveDevices(t.Context(), s, store.DeviceChange{Dead: []store.DeadLetter{{ID: hex.EncodeToString(long), Function: "f", First: noon, Last: noon, Reported: noon}}})
		if err != nil && !errors.Is(err, store.ErrUnstorable) {
			t.Error(err)
		}
	})
}
