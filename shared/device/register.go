package device

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

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

// Register is the part of the store that every message needs, in memory. It is
// safe for concurrent use. After a failure to store, and after another process
// has written, it forgets everything and reads anew.
type Register struct {
	Function string // whose it is

	mu     sync.Mutex
	writer string            // this process
	old    atomic.Bool       // another one wrote since it was read
	flying []*flight         // batches that are being stored
	things map[string]*Thing // by device; nil: not read yet
	bound  map[string]*Bound // by physical id
	looked time.Time
	known  uint64 // counts changes of bound
	series int    // metrics of all things
}

// ErrFull and errName are why a physical thing is not found after Adopt.
var (
	ErrFull = errors.New("the register is full")
	errName = errors.New("a name holds a control character or is not UTF-8")
)

// CheckName reports a name that no database and no page shows as it is.
func CheckName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%w: %.100q", errName, name)
	}
	return nil
}

// Thing is a device.
type Thing struct {
	ID      string
	tags    map[string]string
	metrics map[string]*metric
}

// labels are the tags of what the thing says. What is invented has a series of
// its own, which goes with the other samples.
func (t *Thing) labels(invented bool) map[string]string {
	if !invented {
		return t.tags
	}
	return map[string]string{"device": t.ID, catalogue.SampleLabel: "true"}
}

// Bound is a physical thing that is a device now.
type Bound struct {
	store.DeviceID
	Thing *Thing
}

// Begin returns a batch that holds the register until Done.
func (r *Register) Begin(ctx context.Context, st *store.Store, now time.Time) (*Batch, error) {
	r.mu.Lock()
	if err := r.look(ctx, st, now); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	return &Batch{r: r, st: st, now: now, flight: newFlight()}, nil
}

// Forget makes the next batch read the register anew.
func (r *Register) Forget() {
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
	if old := r.old.Swap(false); old || !was {
		r.things = nil
		if err := r.land(ctx); err != nil {
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
		things = map[string]*Thing{}
	}
	bound := make(map[string]*Bound, len(ids))
	for _, id := range ids {
		bound[id.Physical] = &Bound{id, thing(things, id.Device)}
	}
	if fresh {
		states, err := st.DeviceStates(ctx, "")
		if err != nil {
			return err
		}
		for _, s := range states {
			t := thing(things, s.Device)
			t.metrics[s.Metric] = remembered(s)
			if old := before[s.Device]; old != nil {
				t.metrics[s.Metric].doubts(old.metrics[s.Metric])
			}
		}
		r.series = len(states)
	}
	r.things, r.bound, r.looked = things, bound, now
	r.known++
	return nil
}

// land waits until all batches are stored or not: what they bring would be missed
// in what is read.
func (r *Register) land(ctx context.Context) error {
	for _, f := range r.flying {
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("the batch before is not stored yet: %w", ctx.Err())
		}
	}
	return nil
}

func thing(things map[string]*Thing, id string) *Thing {
	t := things[id]
	if t == nil {
		t = &Thing{ID: id, tags: map[string]string{"device": id}, metrics: map[string]*metric{}}
		things[id] = t
	}
	return t
}

// Find returns what a physical thing is, nil if nobody knows.
func (b *Batch) Find(physical []byte) *Bound { return b.r.bound[string(physical)] }

// Bound lists all physical things.
func (b *Batch) Bound(yield func(*Bound) bool) {
	for _, known := range b.r.bound {
		if !yield(known) {
			return
		}
	}
}

// Refused says why a physical thing is not found after Adopt.
func (b *Batch) Refused(physical []byte) error {
	if err := CheckName(string(physical)); err != nil {
		return err
	}
	return ErrFull
}

// Adopt makes devices of physical things that are new, as many as there is room
// for, but for those with a name that CheckName refuses.
func (b *Batch) Adopt(ctx context.Context, wishes []store.DeviceWish) error {
	wishes = slices.DeleteFunc(wishes, func(w store.DeviceWish) bool { return errors.Join(CheckName(w.Physical), CheckName(w.Name)) != nil })
	wishes = wishes[:min(len(wishes), max(0, maxDevices-len(b.r.bound)))]
	if len(wishes) == 0 {
		return nil
	}
	for some := range slices.Chunk(wishes, atOnce) {
		ids, err := b.st.AdoptDevices(ctx, some, b.now)
		if err != nil {
			return err
		}
		for _, id := range ids {
			b.r.bound[id.Physical] = &Bound{id, thing(b.r.things, id.Device)}
		}
	}
	b.r.known++
	return nil
}

// Known counts how often it changed what is what.
func (b *Batch) Known() uint64 { return b.r.known }

// Leave ends what physical things are: they are gone from the house.
func (b *Batch) Leave(ctx context.Context, physical []string) error {
	if err := b.st.LeaveDevices(ctx, physical, b.now); err != nil {
		return err
	}
	for _, p := range physical {
		delete(b.r.bound, p)
	}
	b.r.known++
	return nil
}

// Describe keeps what sources say of physical things.
func (b *Batch) Describe(ctx context.Context, ids []store.DeviceID) error {
	for some := range slices.Chunk(ids, atOnce) {
		if err := b.st.DescribeDevices(ctx, some); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if known := b.r.bound[id.Physical]; known != nil {
			known.Name, known.About = id.Name, id.About
		}
	}
	b.r.known++
	return nil
}

// Configure does what a person has decided of devices.
func (b *Batch) Configure(ctx context.Context, settings []store.DeviceSetting) error {
	if err := b.st.ConfigureDevices(ctx, settings, b.now); err != nil {
		return err
	}
	b.r.looked = time.Time{} // ids may have moved
	return b.r.look(ctx, b.st, b.now)
}
