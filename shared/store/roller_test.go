package store_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const rolledHours = 6 // of the tests with several goroutines

// sum is the roll-up of an hour in these tests.
type sum struct {
	count int
	total float64
}

// roller makes the roll-ups of one measurement as alert-deadlines does, and keeps them in
// memory.
type roller struct {
	s    *store.Store
	name string

	mu      sync.Mutex
	written map[time.Time]sum // by start
}

// tick does one step, or dies before one of its parts if dies, the number of that part, is not
// negative. It returns the number of hours.
func (r *roller) tick(ctx context.Context, claim string, dies int) (int, error) {
	to := ten.Add(rolledHours * time.Hour)
	at, _, _, err := r.s.RolledOf(ctx, r.name, ten, to)
	if err != nil || dies == 0 {
		return 0, err
	}
	if at.Upto.Before(to) {
		if _, err := r.s.AdvanceRollups(ctx, r.name, at.Upto, at.Upto.Add(time.Hour)); err != nil || dies == 1 {
			return 1, err
		}
	}
	claimed, err := r.s.ClaimDirty(ctx, r.name, claim, ten.AddDate(-99, 0, 0), to)
	if err != nil || dies == 2 {
		return len(claimed), err
	}
	for _, hour := range claimed {
		if err := r.rollUp(ctx, hour); err != nil || dies == 3 {
			return len(claimed), err
		}
	}
	return len(claimed), r.s.RolledUp(ctx, r.name, claim, claimed)
}

func (r *roller) rollUp(ctx context.Context, hour time.Time) error {
	raw, err := rawSum(ctx, r.s, r.name, hour)
	if err != nil {
		return err
	}
	late, err := r.s.LateRollups(ctx, r.name, store.Hour, hour)
	if err != nil {
		return err
	}
	rows := map[time.Time]sum{}
	for _, l := range late {
		for _, row := range l.Rows {
			all := rows[row.Start]
			rows[row.Start] = sum{all.count + row.Count, all.total + row.Sum}
		}
	}
	if raw.count > 0 {
		rows[hour] = raw
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.written, rows)
	return nil
}

func rawSum(ctx context.Context, s *store.Store, name string, hour time.Time) (out sum, err error) {
	rs, err := s.Between(ctx, name, nil, hour, hour.Add(time.Hour))
	for _, r := range rs {
		out.count++
		out.total += r.Fields["v"]
	}
	return out, err
}

// run writes batches in several goroutines while others tick, and then ticks until nothing
// is dirty.
func (r *roller) run(t *testing.T, write func(writer, n int) error, tickers ...func(n int) error) {
	t.Helper()
	ctx := t.Context()
	if err := r.s.BeginRollups(ctx, r.name, ten, noon); err != nil {
		t.Fatal(err)
	}
	var writers, others sync.WaitGroup
	done := make(chan struct{})
	for w := range 3 {
		writers.Go(func() {
			for n := range 12 {
				if err := write(w, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, tick := range tickers {
		others.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if err := tick(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(done)
	others.Wait()
	for n := range 2 * rolledHours {
		if _, err := r.tick(ctx, fmt.Sprint("last ", n), -1); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.s.CountRows(t, "dirty_hours"); n != 0 {
		t.Errorf("%d dirty hours are left", n)
	}
}

// check compares the roll-ups with the readings.
func (r *roller) check(t *testing.T) {
	t.Helper()
	want := map[time.Time]sum{}
	total := 0
	for h := range rolledHours {
		hour := hours(h)[0]
		raw, err := rawSum(t.Context(), r.s, r.name, hour)
		if err != nil {
			t.Fatal(err)
		}
		if total += raw.count; raw.count > 0 {
			want[hour] = raw
		}
	}
	if !maps.Equal(r.written, want) || total != 3*12*2 {
		t.Errorf("of %d readings: rolled up\n%v, want\n%v", total, r.written, want)
	}
}

// anywhere returns two readings in any of the hours; no two of a test are at the same time.
func anywhere(name string, writer, n int) []reading.Reading {
	var out []reading.Reading
	for i := range 2 {
		at := hours(rand.IntN(rolledHours))[0].Add(time.Duration(writer*1000+n*10+i) * time.Second / 2)
		out = append(out, value(name, fmt.Sprint(writer), at, float64(1+rand.IntN(9))))
	}
	return out
}

// A kill at any moment, and readings that are written while their hour is rolled up.
func TestRollupsThatDieEndEqualToTheReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := &roller{s: s, name: measurement(t), written: map[time.Time]sum{}}
		r.run(t, r.write(t), func(n int) error {
			_, err := r.tick(t.Context(), fmt.Sprint("claim ", n), n%6-1)
			return err
		})
		r.check(t)
	})
}

func (r *roller) write(t *testing.T) func(writer, n int) error {
	return func(writer, n int) (err error) {
		b := store.Batch{Readings: anywhere(r.name, writer, n), Now: noon}
		if n%3 == 0 {
			if b, err = r.s.WriteEarly(t.Context(), b); err != nil {
				return err
			}
		}
		return r.s.Commit(t.Context(), "store a batch", b, nil)
	}
}

// Two at a time: one that was paused writes older roll-ups over newer ones.
func TestRollupsOfTwoAtATimeEndEqualToTheReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := &roller{s: s, name: measurement(t), written: map[time.Time]sum{}}
		var tickers []func(int) error
		for who := range 2 {
			tickers = append(tickers, func(n int) error {
				_, err := r.tick(t.Context(), fmt.Sprint(who, " claim ", n), -1)
				return err
			})
		}
		r.run(t, r.write(t), tickers...)
		r.check(t)
	})
}

// Late values that come while others are folded are in one row each.
func TestLateValuesCountOnceWhileOthersAreFolded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := &roller{s: s, name: measurement(t), written: map[time.Time]sum{}}
		write := func(writer, n int) error {
			var rs []reading.Reading
			for i := range 2 {
				at := longAgo.Add(time.Duration(rand.IntN(20))*time.Hour + time.Duration(writer*1000+n*10+i)*time.Second/2)
				rs = append(rs, value(r.name, fmt.Sprint(writer), at, 1))
			}
			return s.Commit(t.Context(), "store a batch", store.Batch{Readings: rs, Now: noon}, nil)
		}
		folded := 0
		r.run(t, write, func(n int) error {
			_, err := r.tick(t.Context(), fmt.Sprint("claim ", n), n%6-1)
			return err
		}, func(int) error {
			n, err := s.FoldLateBeyond(t.Context(), noon.Add(-time.Hour), 0)
			folded += n
			return err
		})
		count := 0
		for _, row := range r.written {
			count += row.count
		}
		if count != 3*12*2 {
			t.Errorf("%d values in %v, want %d; %d were folded meanwhile", count, r.written, 3*12*2, folded)
		}
	})
}
