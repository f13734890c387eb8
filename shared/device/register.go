// Package device holds the register of devices in memory while messages arrive: the
// binding of each physical id to a device, and the latest state of each metric. The
// store keeps both for good.
package device

import (
	"context"
	"crypto/rand"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
)

const (
	chunkSize    = 100         // devices in one transaction: a few statements each, within its deadline on a slow line
	refreshEvery = time.Minute // another function or hearth.yml may have changed the bindings
)

// Register caches the devices and states that every message needs. It is safe for
// concurrent use: one Update at a time holds it. When an update could not be stored,
// or another process has written, the next update reads everything from the store
// again.
type Register struct {
	Function string // the function that it belongs to

	mu        sync.Mutex          // held from Update to Update.Done
	writer    string              // random id of this process
	unstored  []*outcome          // of updates that are being stored
	devices   map[string]*Device  // by device id; nil: not read yet
	bindings  map[string]*Binding // by physical id
	refreshed time.Time           // when bindings were read
	version   uint64              // of bindings; see Update.Version
	rooms     rooms               // of the functions
	vacant    vacancies           // as of refreshed
}

// Device is a device of the register and its metrics.
type Device struct {
	ID        string // the logical id: the only one that stands in readings
	tags      map[string]string
	metrics   map[string]*Metric
	function  string // whose room it takes; "": it is not in the table of devices
	publisher string // whose room it takes
	pause     time.Duration
	subject   alert.Subject // of its alerts
}

// Subject returns what alerts of the device are about; the caller must not change it.
func (d *Device) Subject() *alert.Subject { return &d.subject }

// Pause returns for how long the device, which reports changes, may be quiet without
// one; 0: it reports regularly.
func (d *Device) Pause() time.Duration { return d.pause }

// Labels returns the tags of the device's readings; do not change them. Readings of a
// simulated sensor get a tag, and so a series, of their own, which is deleted together
// with other sample data.
func (d *Device) Labels(simulated bool) map[string]string {
	if !simulated {
		return d.tags
	}
	return map[string]string{"device": d.ID, catalogue.SampleLabel: "true"}
}

// Binding says which device a physical id (an ieee address, a topic) is at present.
type Binding struct {
	store.DeviceID         // the physical id, and the name and description that its source gives it
	Logical        *Device // the device
}

// Update locks the register until Update.Done and returns a change of it. An error is
// the store's, or that ctx ended; then the register is not locked.
func (r *Register) Update(ctx context.Context, st *store.Store, now time.Time) (*Update, error) {
	r.mu.Lock()
	if err := r.refresh(ctx, st, now); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	return &Update{r: r, st: st, now: now, outcome: newOutcome()}, nil
}

// forget makes the next update read the register from the store again.
func (r *Register) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.devices, r.bindings = nil, nil
}

// refresh reads what the store has and the register has not: the bindings every
// minute, the states only if another process has written or nothing is read yet.
func (r *Register) refresh(ctx context.Context, st *store.Store, now time.Time) error {
	if r.writer == "" {
		r.writer = rand.Text()
	}
	ours, err := st.ClaimDevices(ctx, r.Function, r.writer)
	if err != nil {
		return err
	}
	before := r.devices
	if !ours { // another process has written since
		r.devices = nil
		if err := r.waitUnstored(ctx); err != nil {
			return err
		}
	}
	reload := r.devices == nil
	if !reload && now.Sub(r.refreshed) < refreshEvery && !now.Before(r.refreshed) {
		return nil
	}
	if err := r.read(ctx, st, before, reload); err != nil {
		return err
	}
	r.refreshed = now
	r.version++
	return nil
}

// read reads the devices and their bindings, and with reload their states. before are
// the devices as they were in memory: their pending outliers stay.
func (r *Register) read(ctx context.Context, st *store.Store, before map[string]*Device, reload bool) error {
	rows, err := st.Devices(ctx)
	if err != nil {
		return err
	}
	ids, err := st.DeviceIDs(ctx, true)
	if err != nil {
		return err
	}
	devices := r.devices
	if reload {
		if devices, err = states(ctx, st, rows, before); err != nil {
			return err
		}
	}
	bindings := make(map[string]*Binding, len(ids))
	for _, id := range ids {
		if id.Until.IsZero() {
			bindings[id.Physical] = &Binding{id, deviceOf(devices, id.Device)}
		}
	}
	r.devices, r.bindings, r.vacant = devices, bindings, vacanciesOf(rows, ids)
	r.count(rows)
	r.describe(rows, topology.Of(rows, ids))
	return nil
}

// count counts the devices and metrics of each publisher.
func (r *Register) count(rows []store.Device) {
	r.rooms = newRooms()
	for _, row := range rows {
		d := deviceOf(r.devices, row.ID)
		d.function, d.publisher, d.pause = functionOf(row.Kind), row.Publisher, catalogue.DeviceKindOf(row.Kind).Pause
		r.rooms.devicesOf(d.function).add(d.publisher, 1)
		r.rooms.metricsOf(d.function).add(d.publisher, len(d.metrics))
	}
}

// describe sets what alerts of the devices say of them. Where that has changed, their
// metrics are judged by other rules.
func (r *Register) describe(rows []store.Device, of *topology.Map) {
	for _, row := range rows {
		d := r.devices[row.ID]
		s := alert.Subject{Device: row.ID, Name: row.Name, Room: row.Room, Parents: of.Parents(row.ID), Roots: of.Roots(row.ID)}
		if !reflect.DeepEqual(d.subject, s) {
			d.subject = s
			for _, m := range d.metrics {
				m.JudgedBy = nil
			}
		}
	}
}

// states reads the latest state of every metric of the devices in rows.
func states(ctx context.Context, st *store.Store, rows []store.Device, before map[string]*Device) (map[string]*Device, error) {
	all, err := st.DeviceStates(ctx, "")
	if err != nil {
		return nil, err
	}
	devices := map[string]*Device{}
	for _, row := range rows {
		deviceOf(devices, row.ID)
	}
	for _, s := range all {
		d := devices[s.Device]
		if d == nil {
			continue // it was forgotten
		}
		m := fromRow(s)
		d.metrics[s.Metric] = m
		if old := before[s.Device]; old != nil && old.metrics[s.Metric] != nil {
			m.KeepOutliers(&old.metrics[s.Metric].History)
		}
	}
	return devices, nil
}

// waitUnstored waits until every update of this process is stored or has failed. A
// reload before that would miss their states.
func (r *Register) waitUnstored(ctx context.Context) error {
	for _, o := range r.unstored {
		if err := o.wait(ctx); err != nil && ctx.Err() != nil {
			return err
		}
	}
	r.unstored = slices.DeleteFunc(r.unstored, (*outcome).decided)
	return nil
}

// deviceOf returns the device of an id, and adds it if it is missing.
func deviceOf(devices map[string]*Device, id string) *Device {
	d := devices[id]
	if d == nil {
		d = &Device{ID: id, tags: map[string]string{"device": id}, metrics: map[string]*Metric{}, subject: alert.Subject{Device: id}}
		devices[id] = d
	}
	return d
}

// outcome tells whether an update was stored. Until then its states stand in memory
// only.
type outcome struct {
	done chan struct{} // closed when the outcome is decided
	err  error         // nil: stored; read it only after done is closed
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

func (o *outcome) set(err error) {
	o.err = err
	close(o.done)
}

func (o *outcome) decided() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// wait waits for the outcome. It returns nil if the update was stored, else why not,
// or that ctx ended first.
func (o *outcome) wait(ctx context.Context) error {
	select {
	case <-o.done:
		if o.err != nil {
			return fmt.Errorf("the batch before was not stored: %w", o.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait until the batch before is stored: %w", ctx.Err())
	}
}
