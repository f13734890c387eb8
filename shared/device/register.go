// Package device is the register of the things in the house while messages come
// in: which physical thing is which device, and the last word of each metric. The
// store keeps it for ever.
package device

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxDevices = 2000        // in the register: each is a series
	maxMetrics = 250         // of a device
	maxSeries  = 50_000      // of all devices
	atOnce     = 200         // in one transaction: a few statements each, within its deadline on a slow line
	lookAgain  = time.Minute // another function or hearth.yml may have changed what is what
)

// ErrFull says that the register takes no more devices or metrics.
var ErrFull = errors.New("the register is full")

// Register is the part of the store that every message needs, in memory. It is
// safe for concurrent use. After a failure to store, and after another process
// has written, it forgets everything and reads anew.
type Register struct {
	Function string // whose it is

	mu       sync.Mutex
	writer   string            // this process
	unstored []*outcome        // updates that are being stored
	things   map[string]*Thing // by device; nil: not read yet
	bound    map[string]*Bound // by physical id
	looked   time.Time
	changes  uint64 // of bound
	series   int    // metrics of all things
}

// Thing is a device.
type Thing struct {
	ID      string
	tags    map[string]string
	metrics map[string]*Metric
}

// Labels are the tags of what the thing says. What a simulated sensor says has a
// series of its own, which goes with the other samples.
func (t *Thing) Labels(simulated bool) map[string]string {
	if !simulated {
		return t.tags
	}
	return map[string]string{"device": t.ID, catalogue.SampleLabel: "true"}
}

// Bound is a physical thing that is a device now.
type Bound struct {
	store.DeviceID
	Thing *Thing
}

// Update returns a change of the register, which holds it until Done.
func (r *Register) Update(ctx context.Context, st *store.Store, now time.Time) (*Update, error) {
	r.mu.Lock()
	if err := r.look(ctx, st, now); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	return &Update{r: r, st: st, now: now, outcome: newOutcome()}, nil
}

// forget makes the next update read the register anew.
func (r *Register) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.things, r.bound = nil, nil
}

// look reads states once and ids every minute.
func (r *Register) look(ctx context.Context, st *store.Store, now time.Time) error {
	if r.writer == "" {
		r.writer = rand.Text()
	}
	was, err := st.ClaimDevices(ctx, r.Function, r.writer)
	if err != nil {
		return err
	}
	before := r.things
	if !was {
		r.things = nil
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	fresh := r.things == nil
	if !fresh && now.Sub(r.looked) < lookAgain && !now.Before(r.looked) {
		return nil
	}
	ids, err := st.DeviceIDs(ctx, false)
	if err != nil {
		return err
	}
	things := r.things
	if fresh {
		if things, err = r.states(ctx, st, before); err != nil {
			return err
		}
	}
	bound := make(map[string]*Bound, len(ids))
	for _, id := range ids {
		bound[id.Physical] = &Bound{id, thing(things, id.Device)}
	}
	r.things, r.bound, r.looked = things, bound, now
	r.changes++
	return nil
}

// states reads the last word of every metric. before is what was remembered.
func (r *Register) states(ctx context.Context, st *store.Store, before map[string]*Thing) (map[string]*Thing, error) {
	states, err := st.DeviceStates(ctx, "")
	if err != nil {
		return nil, err
	}
	things := map[string]*Thing{}
	for _, s := range states {
		m := stored(s)
		thing(things, s.Device).metrics[s.Metric] = m
		if old := before[s.Device]; old != nil && old.metrics[s.Metric] != nil {
			m.KeepOutliers(&old.metrics[s.Metric].History)
		}
	}
	r.series = len(states)
	return things, nil
}

// settle waits until all updates are stored or not: what they bring would be
// missed in what is read.
func (r *Register) settle(ctx context.Context) error {
	for _, o := range r.unstored {
		if err := o.wait(ctx); err != nil && ctx.Err() != nil {
			return err
		}
	}
	r.unstored = slices.DeleteFunc(r.unstored, (*outcome).known)
	return nil
}

func thing(things map[string]*Thing, id string) *Thing {
	t := things[id]
	if t == nil {
		t = &Thing{ID: id, tags: map[string]string{"device": id}, metrics: map[string]*Metric{}}
		things[id] = t
	}
	return t
}

// outcome is what became of an update: what the register holds of it is true only
// if it was stored.
type outcome struct {
	done chan struct{}
	err  error // once done is closed
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

func (o *outcome) set(err error) {
	o.err = err
	close(o.done)
}

func (o *outcome) known() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// wait returns why the update was not stored, or that this is not known in time.
func (o *outcome) wait(ctx context.Context) error {
	select {
	case <-o.done:
		if o.err != nil {
			return fmt.Errorf("the batch before was not stored: %w", o.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the batch before is not stored yet: %w", ctx.Err())
	}
}
