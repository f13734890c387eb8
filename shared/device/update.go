package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// Update is a change of the register: made in memory until Done, then stored by
// its caller, who says with Stored what became of it.
type Update struct {
	r         *Register
	st        *store.Store
	now       time.Time
	outcome   *outcome
	dependsOn []*outcome
	changed   []*Metric
}

// Find returns what a physical thing is, nil if nobody knows.
func (u *Update) Find(physical []byte) *Bound { return u.r.bound[string(physical)] }

// Bound lists all physical things.
func (u *Update) Bound(yield func(*Bound) bool) {
	for _, known := range u.r.bound {
		if !yield(known) {
			return
		}
	}
}

// Changes counts how often it changed what is what.
func (u *Update) Changes() uint64 { return u.r.changes }

// Adopt makes devices of physical things that are new, as many as there is room
// for, but for those with a name that CheckName refuses.
func (u *Update) Adopt(ctx context.Context, requests []store.DeviceRequest) error {
	requests = slices.DeleteFunc(requests, func(r store.DeviceRequest) bool { return errors.Join(CheckName(r.Physical), CheckName(r.Name)) != nil })
	requests = requests[:min(len(requests), max(0, maxDevices-len(u.r.bound)))]
	if len(requests) == 0 {
		return nil
	}
	for some := range slices.Chunk(requests, atOnce) {
		ids, err := u.st.AdoptDevices(ctx, some, u.now)
		if err != nil {
			return err
		}
		for _, id := range ids {
			u.r.bound[id.Physical] = &Bound{id, thing(u.r.things, id.Device)}
		}
	}
	u.r.changes++
	return nil
}

// Refused says why a physical thing is not found after Adopt.
func (u *Update) Refused(physical []byte) error {
	if err := CheckName(string(physical)); err != nil {
		return err
	}
	return ErrFull
}

// Leave ends what physical things are: they are gone from the house.
func (u *Update) Leave(ctx context.Context, physical []string) error {
	if err := u.st.UnbindDevices(ctx, physical, u.now); err != nil {
		return err
	}
	for _, p := range physical {
		delete(u.r.bound, p)
	}
	u.r.changes++
	return nil
}

// Describe keeps what sources say of physical things.
func (u *Update) Describe(ctx context.Context, ids []store.DeviceID) error {
	for some := range slices.Chunk(ids, atOnce) {
		if err := u.st.DescribeDevices(ctx, some); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if known := u.r.bound[id.Physical]; known != nil {
			known.Name, known.About = id.Name, id.About
		}
	}
	u.r.changes++
	return nil
}

// Configure does what a person has decided of devices.
func (u *Update) Configure(ctx context.Context, settings []store.DeviceSetting) error {
	if err := u.st.ConfigureDevices(ctx, settings, u.now); err != nil {
		return err
	}
	u.r.looked = time.Time{} // ids may have moved
	return u.r.look(ctx, u.st, u.now)
}

// Known returns a metric of a device, nil if it has none of that name yet.
func (u *Update) Known(t *Thing, key string) *Metric { return t.metrics[key] }

// Metric returns a metric of a device and makes it where it is new. What is
// planned by its state depends on the update that set it.
func (u *Update) Metric(t *Thing, key string) *Metric {
	m := t.metrics[key]
	if m == nil {
		m = &Metric{State: store.DeviceState{Device: t.ID, Metric: key}}
		t.metrics[key] = m
		u.r.series++
	}
	u.dependOn(m.changed)
	return m
}

// Room refuses more metrics than a device can need.
func (u *Update) Room(t *Thing, more int) error {
	switch {
	case more > 0 && len(t.metrics)+more > maxMetrics:
		return fmt.Errorf("%s has more than %d metrics", t.ID, maxMetrics)
	case more > 0 && u.r.series+more > maxSeries:
		return ErrFull
	}
	return nil
}

// Changed notes that the metric's state is to be stored.
func (u *Update) Changed(m *Metric) {
	if m.changed != u.outcome {
		m.changed = u.outcome
		u.changed = append(u.changed, m)
	}
}

// dependOn records that u used state that another, unstored update set: when a
// gateway dies, the connector sends again what is being written.
func (u *Update) dependOn(o *outcome) {
	if o == nil || o == u.outcome || slices.Contains(u.dependsOn, o) {
		return
	}
	if o.known() && o.err == nil {
		return
	}
	u.dependsOn = append(u.dependsOn, o)
}

// Depends reports that u used the state of updates that may not be stored.
func (u *Update) Depends() bool { return len(u.dependsOn) > 0 }

// Wait waits until what u depends on is stored. If that failed, u is not to be
// stored either: its messages come again and are planned by what is stored.
func (u *Update) Wait(ctx context.Context) error {
	for _, o := range u.dependsOn {
		if err := o.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Done gives the register free and returns what is to be stored. After an error
// that is nothing, and the register reads anew.
func (u *Update) Done(err error) store.DeviceChange {
	defer u.r.mu.Unlock()
	if err != nil {
		u.r.things, u.r.bound = nil, nil
		u.outcome.set(err)
		return store.DeviceChange{}
	}
	states := make([]store.DeviceState, len(u.changed))
	for i, m := range u.changed {
		states[i] = m.row()
	}
	u.r.unstored = append(slices.DeleteFunc(u.r.unstored, (*outcome).known), u.outcome)
	return store.DeviceChange{States: states, Function: u.r.Function, Writer: u.r.writer}
}

// Stored says what became of u after Done. What the register holds in memory is
// true only if it was stored; else it reads anew.
func (u *Update) Stored(err error) {
	u.outcome.set(err) // first: who holds the register may wait for it
	if err != nil {
		u.r.forget()
	}
}
