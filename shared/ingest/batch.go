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

// Batch gathers what the messages of one call say of devices. Begin makes it, the
// planning ends with Done, and Store writes it.
type Batch struct {
	*device.Update
	Change   store.DeviceChange // what else one call changes: numbering, dead letters
	Messages []alert.Message    // for Slack; a key that was ever queued is not queued again

	st       *store.Store
	now      time.Time
	lookup   Lookup
	listings map[string]*listing
	last     *listing

	readings []reading.Reading
	changes  int  // of states
	confirms bool // readings that an unstored batch may still be writing
	answer   Answer
}

// Begin returns a batch that holds the register until Done.
func Begin(ctx context.Context, st *store.Store, r *device.Register, lookup Lookup, now time.Time) (*Batch, error) {
	u, err := r.Update(ctx, st, now)
	if err != nil {
		return nil, err
	}
	return &Batch{Update: u, st: st, now: now, lookup: lookup}, nil
}

// AddReading takes in a reading that is of no device's metric. i is its index in
// the answer.
func (b *Batch) AddReading(i int, r reading.Reading) {
	r, dropped, err := check(r, b.lookup, b.now)
	if len(dropped) > 0 {
		err = cmp.Or(err, dropped[0])
	}
	stored := err == nil || len(dropped) > 0 && !empty(r)
	if stored {
		b.readings = append(b.readings, r)
	}
	b.answer.count(i, stored, err)
}

// State returns the last word of a metric.
func (b *Batch) State(t *device.Thing, key string) (store.DeviceState, bool) {
	m := b.Known(t, key)
	if m == nil {
		return store.DeviceState{}, false
	}
	return m.State, true
}

// Done ends the planning and gives the register free. After an error nothing is
// stored.
func (b *Batch) Done(err error) {
	c := b.Update.Done(err)
	b.Change.States, b.Change.Function, b.Change.Writer = c.States, c.Function, c.Writer
}

// Store writes the readings and then, in one transaction, what changed of the
// devices, and queues the messages. After an error nothing of the batch counts as
// stored: its caller sends it again.
func (b *Batch) Store(ctx context.Context) (Answer, error) {
	err := b.write(ctx)
	b.Stored(err)
	return b.answer, err
}

// write waits for the batches whose state b used. Where one of them may still
// write a reading that b confirms, b's readings come after it: the later write
// wins. Else they are written meanwhile.
func (b *Batch) write(ctx context.Context) error {
	readings := b.readings
	if b.Depends() && !b.confirms && len(readings) > 0 {
		if err := b.st.Write(ctx, readings); err != nil {
			return err
		}
		readings = nil
	}
	if err := b.Wait(ctx); err != nil {
		return err
	}
	if len(readings) == 0 && b.Change.Empty() && len(b.Messages) == 0 {
		return nil
	}
	return b.st.Commit(ctx, "store what devices say", readings, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Queue(ctx, b.Messages); err != nil {
			return err
		}
		return tx.SaveDevices(ctx, b.Change) // last: whoever claims the devices waits for its end
	})
}
