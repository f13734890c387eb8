// Package rollup makes the roll-ups of all measurements from their readings, and deletes
// readings and roll-ups that are kept no longer. It works in ticks, each as long as its
// caller allows, in steps that a killed process leaves to be repeated.
package rollup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	day      = 24 * time.Hour
	settle   = 15 * time.Minute // an hour is first rolled up when it ended so long ago
	lateKept = 14 * day         // how long late values are kept, so that one that comes twice counts once
	historic = 0.7              // share of a tick that the history may use before old readings are deleted
)

// ever is before all readings.
var ever = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// Roller makes roll-ups. What it remembers only saves work. It is not safe for concurrent
// use.
type Roller struct {
	looked time.Time                // for which hour it last looked for new measurements
	spans  map[string]time.Duration // how much of a measurement it rolls up in one step
	again  map[string]bool          // measurements without roll-ups that it has rolled up again
}

// Done is what a tick did.
type Done struct {
	Progress
	hours   int // rolled up: an hour of one measurement each
	Deleted int // days that were deleted: the readings or the roll-ups of 5 minutes of one measurement each
}

// Tick rolls up what is due and deletes what is kept no longer, until all is done or ctx
// ends. What ctx cuts off is repeated by the next tick. Errors of single measurements are
// joined, and do not keep it from the others.
func (r *Roller) Tick(ctx context.Context, st *store.Store, now time.Time) (Done, error) {
	if err := st.ReadyForRollups(ctx); err != nil {
		r.looked = time.Time{} // a bucket that is created next may be empty
		return Done{}, fmt.Errorf("nothing is rolled up, and old readings are kept: %w", err)
	}
	t := &tick{Roller: r, st: st, now: now.UTC(), due: dueAt(now)}
	err := t.run(ctx)
	if states, e := st.Rolled(context.WithoutCancel(ctx)); e == nil {
		t.done.Progress = ProgressOf(states, now)
	}
	if ctx.Err() != nil {
		err = nil // its time is over, as expected
	}
	if len(t.failed) > 0 {
		r.looked = time.Time{}
	}
	return t.done, errors.Join(append(t.failed, err)...)
}

// tick is one call of Tick.
type tick struct {
	*Roller
	st     *store.Store
	now    time.Time
	due    time.Time // hours before it are to be rolled up
	all    []*measurement
	done   Done
	failed []error
}

// measurement is what a tick knows of one that is rolled up.
type measurement struct {
	name    string
	kept    catalogue.Kept
	state   store.Rolled
	cursor  time.Time     // the dirty hours before it were rolled up by this tick already
	took    time.Duration // the last step
	failed  int           // hours that could not be rolled up
	stopped bool          // it failed, or nothing is left to do
}

// run does all that fits in the time of ctx. An error means that the store cannot be reached.
func (t *tick) run(ctx context.Context) error {
	if err := t.load(ctx); err != nil {
		return err
	}
	if err := t.recent(ctx); err != nil {
		return err
	}
	first, cancel := share(ctx, historic)
	defer cancel()
	if err := t.history(first); err != nil {
		return err
	}
	if err := t.expire(ctx); err != nil {
		return err
	}
	if err := t.history(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	_, err := t.st.FoldLate(ctx, t.now.Add(-lateKept))
	return err
}

// share returns a context that ends when a share of the time that ctx has is over.
func share(ctx context.Context, part float64) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(part*float64(time.Until(end))))
}

// load reads the states, and begins measurements that have readings but no state yet. It
// looks for those once an hour, since a measurement's first hour has to end before it can
// be rolled up.
func (t *tick) load(ctx context.Context) error {
	states, err := t.st.Rolled(ctx)
	if err != nil {
		return err
	}
	if !t.looked.Equal(t.due) {
		if states, err = t.begin(ctx, states); err != nil {
			return err
		}
		t.looked = t.due
	}
	for name, s := range states {
		if k := catalogue.KeptOf(name); k.Rolled {
			t.all = append(t.all, &measurement{name: name, kept: k, state: s, cursor: ever})
		}
	}
	slices.SortFunc(t.all, func(a, b *measurement) int { return strings.Compare(a.name, b.name) })
	return nil
}

// begin makes the states of measurements that have none, drops dirty hours of those that
// are not rolled up, and returns all states. It looks for first readings again until all
// have a state: only from then on an older reading is noted by whoever writes it.
func (t *tick) begin(ctx context.Context, states map[string]store.Rolled) (map[string]store.Rolled, error) {
	if err := t.st.DropDirty(ctx); err != nil {
		return nil, err
	}
	for began := true; began; {
		began = false
		extents, err := t.st.Extents(ctx, ever, t.due)
		if err != nil {
			return nil, err
		}
		if err := t.replace(ctx, states, extents); err != nil {
			return nil, err
		}
		for _, e := range extents {
			state, has := states[e.Name]
			switch {
			case !catalogue.KeptOf(e.Name).Rolled:
				continue
			case has:
				err = t.st.ReachBack(ctx, state, e.First)
			default:
				began, err = true, t.st.BeginRollups(ctx, e.Name, e.First.Truncate(time.Hour), t.now)
			}
			if err != nil {
				return nil, err
			}
		}
		if states, err = t.st.Rolled(ctx); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// replace has those measurements rolled up again that have readings and no roll-up of a
// resolution: its bucket was deleted, or is empty on a new server. Their readings are kept
// until then. Some have nothing to be rolled up, as those of texts: once is enough.
func (t *tick) replace(ctx context.Context, states map[string]store.Rolled, extents []store.Extent) error {
	if t.again == nil {
		t.again = map[string]bool{}
	}
	for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
		names, err := t.st.RollupNames(ctx, resolution)
		if err != nil {
			return err
		}
		for _, e := range extents {
			s, key := states[e.Name], e.Name+" "+resolution.String()
			if slices.Contains(names, e.Name) {
				delete(t.again, key)
				continue
			}
			if t.again[key] || !s.Since.Before(s.Upto) {
				continue
			}
			if err := t.st.RollAgain(ctx, s); err != nil {
				return err
			}
			t.again[key] = true
		}
	}
	return nil
}

// fail notes the error of one measurement, which is not worked on any more in this tick.
// It returns an error if the store cannot be reached, so that the others would fail too.
func (t *tick) fail(ctx context.Context, m *measurement, err error) error {
	m.stopped = true
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if away := t.st.Ping(ctx); away != nil {
		return err
	}
	t.failed = append(t.failed, fmt.Errorf("%s: %w", m.name, err))
	return nil
}
