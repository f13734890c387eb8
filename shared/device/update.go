package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Update is a change of the register. It holds the register's lock until Done. Then
// the caller stores the DeviceChange that Done returned, and reports the outcome by
// Stored. An Update belongs to one goroutine.
type Update struct {
	r         *Register
	st        *store.Store
	now       time.Time
	outcome   *outcome
	dependsOn []*outcome
	changed   []*Metric
}

// Find returns the binding of a physical id, nil if it is bound to no device.
func (u *Update) Find(physical []byte) *Binding { return u.r.bindings[string(physical)] }

// Bindings iterates over all bindings, in no order.
func (u *Update) Bindings(yield func(*Binding) bool) {
	for _, known := range u.r.bindings {
		if !yield(known) {
			return
		}
	}
}

// Device returns the device of an id, nil if the register has none.
func (u *Update) Device(id string) *Device { return u.r.devices[id] }

// IDs returns the ids of all devices, in no order.
func (u *Update) IDs() []string { return slices.Collect(maps.Keys(u.r.devices)) }

// Version grows whenever bindings were added, changed, removed or read again.
func (u *Update) Version() uint64 { return u.r.version }

// Adopt binds each new physical id: to the unbound device of the same name, else to
// a new device. It skips requests with a name that CheckName refuses, and those for
// which the register has no room; Refused returns the reason. An error is the store's.
func (u *Update) Adopt(ctx context.Context, requests []store.DeviceRequest) error {
	var allowed []store.DeviceRequest
	for _, q := range requests {
		if errors.Join(CheckName(q.Physical), CheckName(q.Name)) == nil && u.r.reserve(&q) {
			allowed = append(allowed, q)
		}
	}
	if len(allowed) == 0 {
		return nil
	}
	for chunk := range slices.Chunk(allowed, chunkSize) {
		ids, err := u.st.AdoptDevices(ctx, chunk, u.now)
		if err != nil {
			return err
		}
		for i, id := range ids {
			d := deviceOf(u.r.devices, id.Device)
			if d.function == "" {
				d.subject.Name = chunk[i].Name
				d.function, d.publisher, d.pause = functionOf(chunk[i].Kind), chunk[i].Publisher, catalogue.DeviceKindOf(chunk[i].Kind).Pause
			}
			u.r.bindings[id.Physical] = &Binding{id, d}
		}
	}
	u.r.version++
	return nil
}

// reserve reports whether there is room for a device, and takes the room. One that the
// user named, or that takes the place of another, needs none.
func (r *Register) reserve(q *store.DeviceRequest) bool {
	if r.vacant.take(q) {
		return true
	}
	room := r.rooms.devicesOf(functionOf(q.Kind))
	if q.Publisher != "" && room.check(q.Publisher, 1) != nil {
		return false
	}
	room.add(q.Publisher, 1)
	return true
}

// Refused returns why a physical id has no binding after Adopt: its name, or that there
// is no room for a device of its publisher, which is errFull.
func (u *Update) Refused(physical []byte, kind, publisher string) error {
	if err := CheckName(string(physical)); err != nil {
		return err
	}
	if err := u.r.rooms.devicesOf(functionOf(kind)).check(publisher, 1); err != nil {
		return err
	}
	return errFull // there was none when it was requested
}

// Unbind ends the bindings of physical ids that are no longer in use. Their devices
// and readings stay.
func (u *Update) Unbind(ctx context.Context, physical []string) error {
	if err := u.st.UnbindDevices(ctx, physical, u.now); err != nil {
		return err
	}
	for _, p := range physical {
		delete(u.r.bindings, p)
	}
	u.r.version++
	return nil
}

// Describe stores the names and descriptions that sources give to physical ids.
func (u *Update) Describe(ctx context.Context, ids []store.DeviceID) error {
	for chunk := range slices.Chunk(ids, chunkSize) {
		if err := u.st.DescribeDevices(ctx, chunk); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if known := u.r.bindings[id.Physical]; known != nil {
			known.Name, known.About = id.Name, id.About
		}
	}
	u.r.version++
	return nil
}

// Configure applies the user's settings of devices, then reads the bindings again.
func (u *Update) Configure(ctx context.Context, settings []store.DeviceSetting) error {
	if err := u.st.ConfigureDevices(ctx, settings, u.now); err != nil {
		return err
	}
	u.r.refreshed = time.Time{} // the settings may have bound ids to other devices
	return u.r.refresh(ctx, u.st, u.now)
}

// Known returns a metric of a device, nil if the device has no metric of that name.
func (u *Update) Known(d *Device, key string) *Metric { return d.metrics[key] }

// Metric returns a metric of a device and creates it if it is new. From then on u
// depends on the update that set the metric's state, until that update is stored.
func (u *Update) Metric(d *Device, key string) *Metric {
	m := d.metrics[key]
	if m == nil {
		m = newMetric(store.DeviceState{Device: d.ID, Metric: key})
		d.metrics[key] = m
		u.r.rooms.metricsOf(d.function).add(d.publisher, 1)
	}
	u.dependOn(m.changed)
	return m
}

// CheckCapacity returns an error if the device or the register cannot take more new
// metrics.
func (u *Update) CheckCapacity(d *Device, more int) error {
	switch {
	case more > 0 && len(d.metrics)+more > maxMetrics:
		return fmt.Errorf("%s has more than %d metrics", d.ID, maxMetrics)
	case more > 0:
		return u.r.rooms.metricsOf(d.function).check(d.publisher, more)
	}
	return nil
}

// Changed adds the metric's state to the states that Done returns.
func (u *Update) Changed(m *Metric) {
	if m.changed != u.outcome {
		m.changed = u.outcome
		u.changed = append(u.changed, m)
	}
}

// dependOn records that u used a state that another update set and has not stored
// yet. This happens when a gateway dies: the connector sends a batch again while the
// first call still writes it.
func (u *Update) dependOn(o *outcome) {
	if o == nil || o == u.outcome || slices.Contains(u.dependsOn, o) {
		return
	}
	if o.decided() && o.err == nil {
		return
	}
	u.dependsOn = append(u.dependsOn, o)
}

// Depends reports whether u used a state of an update that was not stored at that
// moment.
func (u *Update) Depends() bool { return len(u.dependsOn) > 0 }

// Wait waits until all updates that u depends on are stored. It returns an error if
// one of them failed, or when ctx ends. Then u must not be stored either: its
// messages come again and are compared with the stored states.
func (u *Update) Wait(ctx context.Context) error {
	for _, o := range u.dependsOn {
		if err := o.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Done releases the register and returns the states to store. Call it exactly once.
// With an error it returns nothing to store, and the next update reads the register
// from the store again.
func (u *Update) Done(err error) store.DeviceChange {
	defer u.r.mu.Unlock()
	if err != nil {
		u.r.devices, u.r.bindings = nil, nil
		u.outcome.set(err)
		return store.DeviceChange{}
	}
	states := make([]store.DeviceState, len(u.changed))
	for i, m := range u.changed {
		states[i] = m.Stored()
	}
	u.r.unstored = append(slices.DeleteFunc(u.r.unstored, (*outcome).decided), u.outcome)
	return store.DeviceChange{States: states, Function: u.r.Function, Writer: u.r.writer}
}

// Stored reports whether u was stored, after Done succeeded. With an error the
// register's memory is ahead of the store, so the next update reads it again.
func (u *Update) Stored(err error) {
	u.outcome.set(err) // before locking: the holder of the lock may wait for this outcome
	if err != nil {
		u.r.forget()
	}
}
