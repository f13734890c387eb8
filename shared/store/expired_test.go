package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// expire deletes the readings (resolution 0) or roll-ups before a time.
func (h *house) expire(resolution time.Duration, to time.Time) {
	h.Helper()
	ctx := h.Context()
	r, _, _, err := h.s.RolledOf(ctx, h.name, h.from, h.from)
	if err != nil {
		h.Fatal(err)
	}
	from := r.Raw.Expired
	if resolution != 0 {
		from = r.Fine.Expired
	}
	if ok, err := h.s.Expire(ctx, h.name, resolution, from, to); err != nil || !ok {
		h.Fatal(ok, err)
	}
	if resolution == 0 {
		err = h.s.DeleteRange(ctx, h.name, nil, from, to)
	} else {
		err = h.s.DeleteRollups(ctx, resolution, h.name, nil, from, to)
	}
	if err == nil {
		err = h.s.Deleted(ctx, h.name, resolution, to)
	}
	if err != nil {
		h.Fatal(err)
	}
}

// blocks returns everything ever written by time. Readings before a time are moved to the
// start of their block.
func (h *house) blocks(before time.Time, block time.Duration) []reading.Reading {
	rs := slices.SortedFunc(maps.Values(h.all), func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
	for i := range rs {
		if rs[i].Time.Before(before) {
			rs[i].Time = rs[i].Time.Truncate(block)
		}
	}
	return rs
}

// expect compares a query with readings.
func (h *house) expect(q store.Query, rs []reading.Reading) {
	h.Helper()
	got, err := h.s.Windows(h.Context(), q)
	if diff := gocmp.Diff(windows(rs, q), got, cmpopts.EquateApprox(1e-9, 1e-9), cmpopts.EquateEmpty()); err != nil || diff != "" {
		h.Fatalf("%+v: %v\n%.3000s", q, err, diff)
	}
}

// Windows of whole hours stay what they were when readings have expired. Of others, a
// roll-up counts to the window in which it starts.
func TestWindowsOutliveTheReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 3, 24, 5, 0, 0, 0, time.UTC)
		h := newHouse(t, s, 9, from, 14*24*time.Hour)
		h.rollUp(from.Add(13 * 24 * time.Hour))
		fine, raw := from.Add(3*24*time.Hour), from.Add(8*24*time.Hour)
		zones := locations(t, "Europe/Berlin", "America/New_York", "Asia/Kolkata")
		check := func() {
			t.Helper()
			begin, end := from.Add(-100*time.Hour), from.Add(15*24*time.Hour)
			q := store.Query{Name: h.name, From: begin, To: end, Suspects: true}
			for _, q.Step = range []time.Duration{time.Hour, 7 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
				for _, q.Zone = range zones[:2] {
					h.check(q)
				}
			}
			q.From = fine // roll-ups of 5 minutes are left
			for _, q.Step = range []time.Duration{5 * time.Minute, 15 * time.Minute, 150 * time.Minute} {
				h.check(q)
			}
			q.Step, q.Zone = 24*time.Hour, zones[2]
			h.check(q)
			for _, q.Step = range []time.Duration{time.Minute, 7 * time.Minute, 63072 * time.Second} {
				h.expect(q, h.blocks(raw, store.FiveMinutes))
			}
			q.From, q.To = begin, fine
			for _, q.Step = range []time.Duration{time.Minute, 15 * time.Minute, 63072 * time.Second} {
				h.expect(q, h.blocks(fine, store.Hour))
			}
		}
		h.expire(0, raw)
		h.expire(store.FiveMinutes, fine)
		check()
		h.late(0, from)
		h.rollUp(from.Add(14 * 24 * time.Hour))
		check()
	})
}

// series is a Series that does something before its first call of a kind.
type series struct {
	store.Series
	aggregate, rollups func() error // nil: nothing
	patched            bool         // roll-ups are read even where readings are faster
}

func (s *series) ReadingsAreFaster(ctx context.Context, resolution time.Duration, q store.Query, spans int) (bool, error) {
	faster, err := s.Series.ReadingsAreFaster(ctx, resolution, q, spans)
	return faster && !s.patched, err
}

func (s *series) Aggregate(ctx context.Context, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
	if first := s.aggregate; first != nil {
		s.aggregate = nil
		if err := first(); err != nil {
			return err
		}
	}
	return s.Series.Aggregate(ctx, q, fn)
}

func (s *series) AggregateRollups(ctx context.Context, resolution time.Duration, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
	if s.rollups != nil {
		if err := s.Series.AggregateRollups(ctx, resolution, q, fn); err != nil { // some windows may have come before the error
			return err
		}
		return s.rollups()
	}
	return s.Series.AggregateRollups(ctx, resolution, q, fn)
}

func (s *series) ReadRollups(ctx context.Context, resolution time.Duration, q store.Query, fn func(map[string]string, string, []store.Rollup) error) error {
	if err := s.Series.ReadRollups(ctx, resolution, q, fn); err != nil || s.rollups == nil {
		return err
	}
	return s.rollups()
}

// Readings that expire while a query runs are not missing in its answer.
func TestWindowsOfReadingsThatExpireMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
		h := newHouse(t, s, 5, from, 3*24*time.Hour)
		h.rollUp(from.Add(2 * 24 * time.Hour))
		h.s = s.With(&series{Series: s.Series, aggregate: func() error {
			within := *h
			within.s = s
			within.expire(0, from.Add(24*time.Hour))
			return nil
		}})
		q := store.Query{Name: h.name, From: from, To: from.Add(3 * 24 * time.Hour), Step: time.Minute}
		h.expect(q, h.blocks(from.Add(24*time.Hour), store.FiveMinutes))
	})
}

// Without roll-ups, windows come from readings as long as all are kept. Then the error is
// returned: an answer with a hole would look like one without readings.
func TestWindowsWhenRollupsCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
		h := newHouse(t, s, 6, from, 2*24*time.Hour)
		h.rollUp(from.Add(2 * 24 * time.Hour))
		gone := errors.New("the bucket is missing")
		h.s = s.With(&series{Series: s.Series, rollups: func() error { return gone }})
		steps := []time.Duration{time.Hour, 3 * time.Hour}
		q := store.Query{Name: h.name, From: from, To: from.Add(2 * 24 * time.Hour)}
		for _, q.Step = range steps {
			h.check(q)
		}
		h.s = s
		h.expire(0, from.Add(time.Hour))
		for _, q.Step = range steps {
			if got, err := s.With(&series{Series: s.Series, rollups: func() error { return gone }}).Windows(t.Context(), q); !errors.Is(err, gone) {
				t.Errorf("windows of %s: %d series, %v", q.Step, len(got), err)
			}
		}
	})
}
