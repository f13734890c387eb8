package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func measured(name, writer string) []reading.Reading {
	return []reading.Reading{{Name: name, Tags: map[string]string{"writer": writer}, Fields: map[string]float64{"v": 1}, Time: noon}}
}

func TestCommitStoresReadingsAndRowsTogether(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: measured(name, "a")}, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.SaveDevices(ctx, store.DeviceChange{States: []store.DeviceState{{Device: "a", Metric: "v", Value: 1, Time: noon, Arrived: noon, Changed: noon, Quality: "ok"}}}),
				tx.SaveTargets(ctx, "weather", []store.Target{{Name: "home", LastOK: noon}}),
				tx.Queue(ctx, []alert.Message{{Key: "k", Channel: "news", Text: "hello"}}))
		})
		if err != nil {
			t.Fatal(err)
		}
		states, err1 := s.DeviceStates(t.Context(), "a")
		targets, err2 := s.Targets(t.Context(), "weather")
		due, err3 := s.Due(t.Context(), time.Now().Add(time.Hour), 10) // clock: the database has its own
		if err := errors.Join(err1, err2, err3); err != nil || len(states) != 1 || len(targets) != 1 || len(due) != 1 || due[0].Created.IsZero() {
			t.Errorf("%v, states %v, targets %v, due %v", err, states, targets, due)
		}
		if got := lines(t, s, name, nil); len(got) != 1 {
			t.Errorf("%v, want one reading", got)
		}
	})
}

// A failed commit leaves no row, and on SQLite no reading either. Repeated, it stores
// everything once.
func TestAFailedCommitCanBeRepeated(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name, broken := measurement(t), errors.New("broken")
		commit := func(outcome error) error {
			return s.Commit(t.Context(), "store a batch", store.Batch{Readings: measured(name, "a")}, func(ctx context.Context, tx *store.Tx) error {
				return errors.Join(tx.Queue(ctx, []alert.Message{{Key: "k", Created: noon}}), outcome)
			})
		}
		if err := commit(broken); !errors.Is(err, broken) {
			t.Errorf("%v, want the function's error", err)
		}
		if due, err := s.Due(t.Context(), noon, 10); err != nil || len(due) != 0 {
			t.Errorf("%v, %v, want nothing queued", due, err)
		}
		if got := lines(t, s, name, nil); len(got) != 0 && s.OneFile() {
			t.Errorf("%v, want no reading", got)
		}
		if err := commit(nil); err != nil {
			t.Fatal(err)
		}
		due, err := s.Due(t.Context(), noon, 10)
		if got := lines(t, s, name, nil); err != nil || len(due) != 1 || len(got) != 1 {
			t.Errorf("%v, %v, %v, want one message and one reading", due, got, err)
		}
	})
}

func TestCommitRefusesAWholeBatchForOneReading(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		called := false
		rs := append(measured(name, "a"), reading.Reading{Name: name, Time: noon})
		err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: rs}, func(context.Context, *store.Tx) error { called = true; return nil })
		if !errors.Is(err, store.ErrUnstorable) || called || len(lines(t, s, name, nil)) != 0 {
			t.Errorf("%v, called %v", err, called)
		}
		if err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: measured(name, "a")}, nil); err != nil || len(lines(t, s, name, nil)) != 1 {
			t.Errorf("without a function: %v", err)
		}
	})
}

// Of many concurrent calls, each third fails and each seventh panics. This does not
// affect the others.
func TestConcurrentCommitsFailAlone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all sync.WaitGroup
		var want []string
		for w := range 60 {
			writer := fmt.Sprintf("%02d", w)
			fails, panics := w%3 == 1, w%7 == 1
			if !fails && !panics {
				want = append(want, writer)
			}
			all.Go(func() {
				defer func() {
					if r := recover(); (r != nil) != panics {
						t.Errorf("writer %s: panic %v", writer, r)
					}
				}()
				err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: measured(name, writer)}, func(ctx context.Context, tx *store.Tx) error {
					if err := tx.Queue(ctx, []alert.Message{{Key: writer, Created: noon}}); err != nil {
						return err
					}
					if panics {
						panic("oh")
					}
					if fails {
						return errors.New("broken")
					}
					return nil
				})
				if (err != nil) != fails {
					t.Errorf("writer %s: %v", writer, err)
				}
			})
		}
		all.Wait()
		due, err := s.Due(t.Context(), noon, 100)
		var queued, stored []string
		for _, m := range due {
			queued = append(queued, m.Key)
		}
		rs, err2 := s.Latest(t.Context(), name, noon)
		for _, r := range rs {
			stored = append(stored, r.Tags["writer"])
		}
		if !slices.Equal(queued, want) || errors.Join(err, err2) != nil {
			t.Errorf("queued %v, want %v; %v", queued, want, err)
		}
		if s.OneFile() && !slices.Equal(stored, want) {
			t.Errorf("stored %v, want %v", stored, want)
		}
		// A series that a failed call used too can be written again.
		if err := s.Commit(t.Context(), "store a batch", store.Batch{Readings: measured(name, "01")}, nil); err != nil {
			t.Error(err)
		}
		if got := lines(t, s, name, map[string]string{"writer": "01"}); len(got) != 1 {
			t.Errorf("%v, want one reading", got)
		}
	})
}
