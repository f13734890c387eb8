package ingest

import (
	"cmp"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// Batch gathers the reports of one call. Begin makes it and locks the register; Add,
// AddReading, SetState and SetTextState fill it; Done releases the register; Store
// writes it. A Batch belongs to one goroutine.
type Batch struct {
	*device.Update
	Change   store.DeviceChange // changes of the caller's own: edge numbering, dead letters; Done adds the states
	Messages []alert.Message    // for Slack; a key that was queued once is never queued again

	st     *store.Store
	now    time.Time
	lookup Lookup
	watch  *Watch // nil: nothing is judged
	observed
	derived

	declarations    map[string]*declaration // by measurement
	lastDeclaration *declaration

	readings  []reading.Reading
	setStates int  // how often a state was set
	rewrites  bool // readings holds marks of earlier readings, which an unstored batch may still be writing
	answer    Answer
}

// Begin returns a batch that locks the register until Done. Times are compared with
// now. An error is the store's.
func Begin(ctx context.Context, st *store.Store, r *device.Register, lookup Lookup, now time.Time) (*Batch, error) {
	u, err := r.Update(ctx, st, now)
	if err != nil {
		return nil, err
	}
	return &Batch{Update: u, st: st, now: now, lookup: lookup}, nil
}

// AddReading adds a reading that is no state of a device. i is its index in the
// answer.
func (b *Batch) AddReading(i int, r reading.Reading) {
	r, dropped, err := checkReading(r, b.lookup, b.now)
	if len(dropped) > 0 {
		err = cmp.Or(err, dropped[0])
	}
	stored := err == nil || len(dropped) > 0 && !isEmpty(r)
	if stored {
		b.readings = append(b.readings, r)
	}
	b.answer.count(i, stored, err)
}

// State returns the latest state of a metric; false: the device has no such metric.
func (b *Batch) State(d *device.Device, key string) (store.DeviceState, bool) {
	m := b.Known(d, key)
	if m == nil {
		return store.DeviceState{}, false
	}
	return m.State, true
}

// Done releases the register. Call it exactly once. With an error nothing may be
// stored: do not call Store then.
func (b *Batch) Done(err error) {
	b.gatherMembers()
	c := b.Update.Done(err)
	b.Change.States, b.Change.Function, b.Change.Writer = c.States, c.Function, c.Writer
}

// Store writes the readings and then, in one transaction, the device states, Change
// and Messages. Then it writes the values that are computed from them. After an error
// the caller retries the whole batch: a part may be stored, and storing it again changes
// nothing.
func (b *Batch) Store(ctx context.Context) (Answer, error) {
	err := b.computeEarlier(ctx)
	if err == nil {
		err = b.write(ctx)
	}
	b.Stored(err)
	if err == nil {
		err = b.compute(ctx)
	}
	return b.answer, err
}

// write writes the readings at once, and waits for the batches that b depends on
// before it writes the states. If b changes the marks of readings that such a batch
// may still be writing, it waits before it writes the readings too: the last write of
// a reading wins.
func (b *Batch) write(ctx context.Context) error {
	out := store.Batch{Readings: b.readings, Now: b.now}
	if b.Depends() && !b.rewrites && len(b.readings) > 0 {
		var err error
		if out, err = b.st.WriteEarly(ctx, out); err != nil {
			return err
		}
	}
	if err := b.Wait(ctx); err != nil {
		return err
	}
	if len(b.readings) == 0 && b.Change.Empty() && len(b.Messages) == 0 {
		return nil // then there are no observations either
	}
	return b.st.Commit(ctx, "store device states", out, func(ctx context.Context, tx *store.Tx) error {
		if len(b.observed) > 0 {
			if err := b.observed.move(ctx, tx, b.watch.House, b.now); err != nil {
				return err
			}
		}
		if err := tx.Queue(ctx, b.Messages); err != nil {
			return err
		}
		return tx.SaveDevices(ctx, b.Change) // last: it locks a row that another process needs to claim the devices
	})
}
