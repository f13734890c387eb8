package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
)

func TestCadencesAreKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if w, err := s.LastWatch(t.Context()); err != nil || w != (store.Watch{}) {
			t.Fatalf("%+v, %v", w, err)
		}
		var many []store.Cadence
		for i := range 300 {
			many = append(many, store.Cadence{Device: "a", Metric: fmt.Sprintf("m%03d", i), Learned: silence.Cadence{Gaps: []int64{60, int64(i)}, Since: noon.Unix()}})
		}
		want := store.Watch{Last: noon, Since: noon.Add(-time.Hour)}
		for range 2 {
			many[7].Learned.Gaps = append(many[7].Learned.Gaps, 90)
			if err := s.SaveCadences(t.Context(), want, many, noon); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Cadences(t.Context())
		if err != nil || !cmp.Equal(got, many) {
			t.Errorf("%v, %s", err, cmp.Diff(got, many))
		}
		if w, err := s.LastWatch(t.Context()); err != nil || !w.Last.Equal(want.Last) || !w.Since.Equal(want.Since) || !w.From.IsZero() {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

// A device that is forgotten begins anew: its learned cadence goes.
func TestForgottenDevicesLoseTheirCadence(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if _, err := s.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}, {Physical: "edge/b", Kind: "edge", Device: "b", Name: "b"}}, noon); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveCadences(t.Context(), store.Watch{Last: noon}, []store.Cadence{{Device: "a"}, {Device: "b"}}, noon); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ForgetDevices(t.Context(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Cadences(t.Context())
		if err != nil || len(got) != 1 || got[0].Device != "b" {
			t.Errorf("%+v, %v", got, err)
		}
		if w, err := s.LastWatch(t.Context()); err != nil || !w.Last.Equal(noon) {
			t.Errorf("%+v, %v", w, err)
		}
	})
}
