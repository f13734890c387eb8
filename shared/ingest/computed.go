package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/computed"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// derived is the part of a batch that computes values of devices from those of others.
// It uses the states as they are stored: a member may be of another function or be
// written by another process, whose states this register does not have.
type derived struct {
	values  *computed.Set            // nil: none
	due     map[*computed.Value]bool // of which the batch has reports of members
	events  []event                  // the states of members that the batch sets, in its order
	members []string                 // the devices whose states they need
	pauses  map[string]time.Duration // of these
	about   map[string]alert.Subject // of the devices of the values that are due
}

// event is a state of a member as a report sets it.
type event struct {
	store.DeviceState
	simulated bool
	due       []*computed.Value
}

// Compute makes Store compute values after the batch is stored.
func (b *Batch) Compute(values *computed.Set) { b.derived.values = values }

// noteMember notes which values a report changes. A report that is stored already counts
// too: the process may have died before it computed the value.
func (b *Batch) noteMember(r *Report) {
	if b.values == nil || r.Time.IsZero() {
		return
	}
	for i := range r.Values {
		due := b.values.Of(r.Device.ID, r.Values[i].Key)
		for _, v := range due {
			if b.due == nil {
				b.due = map[*computed.Value]bool{}
			}
			b.due[v] = true
		}
		if len(due) == 0 {
			continue
		}
		if m := b.Known(r.Device, r.Values[i].Key); m != nil && m.State.Time.Equal(r.Time) {
			b.events = append(b.events, event{inMicroseconds(m.Stored()), r.Simulated, due})
		}
	}
}

// gatherMembers notes, while the batch holds the register, which states are needed.
func (b *Batch) gatherMembers() {
	if len(b.due) == 0 {
		return
	}
	var known []string
	for v := range b.due {
		if v.Grouped() && known == nil {
			known = b.IDs()
		}
		b.members = append(append(b.members, v.Device), v.Members(known)...)
	}
	slices.Sort(b.members)
	b.members = slices.Compact(b.members)
	b.pauses, b.about = map[string]time.Duration{}, map[string]alert.Subject{}
	for _, id := range b.members {
		if d := b.Device(id); d != nil {
			b.pauses[id] = d.Pause()
			b.about[id] = *d.Subject()
		}
	}
}

// compute writes the values that are due, unless they are stored already. It runs after
// the batch is stored: so of two batches that change members at one time, the later one
// has the states of both.
func (b *Batch) compute(ctx context.Context) error {
	if len(b.due) == 0 {
		return nil
	}
	states, err := b.memberStates(ctx)
	if err != nil {
		return err
	}
	var out outputs
	out.addAll(b.values, b.due, states, b.pauses)
	if len(out.states) == 0 {
		return nil
	}
	seen := b.observeComputed(&out)
	return b.st.Commit(ctx, "store computed values", store.Batch{Readings: out.marked(), Now: b.now}, func(ctx context.Context, tx *store.Tx) error {
		if len(seen) > 0 {
			if err := seen.move(ctx, tx, b.watch.House, b.now); err != nil {
				return err
			}
		}
		return tx.SaveDevices(ctx, store.DeviceChange{States: out.states})
	})
}

// inMicroseconds returns a state with the times that it has when it is read again.
func inMicroseconds(s store.DeviceState) store.DeviceState {
	s.Time, s.Arrived, s.GoodTime = s.Time.Truncate(time.Microsecond), s.Arrived.Truncate(time.Microsecond), s.GoodTime.Truncate(time.Microsecond)
	return s
}

// memberStates reads the states of the members, and of the devices that are computed.
func (b *Batch) memberStates(ctx context.Context) (computed.States, error) {
	rows, err := b.st.StatesOf(ctx, b.members)
	states := computed.States{}
	for _, s := range rows {
		states.Set(s)
	}
	return states, err
}

// computeEarlier adds the values at all times of the batch but its last to the readings:
// compute has only the states after the whole batch. After an outage a batch has many.
func (b *Batch) computeEarlier(ctx context.Context) error {
	if len(b.events) == 0 || !slices.ContainsFunc(b.events, func(e event) bool { return !e.Time.Equal(b.events[0].Time) }) {
		return nil
	}
	states, err := b.memberStates(ctx)
	if err != nil {
		return err
	}
	var out outputs
	due := map[*computed.Value]bool{}
	for i, e := range b.events {
		if i > 0 && !e.Time.Equal(b.events[i-1].Time) {
			out.addAll(b.values, due, states, b.pauses)
			clear(due)
		}
		if !e.Time.Before(states[e.Device][e.Metric].Time) {
			states.Set(e.DeviceState)
			states.SetSimulated(e.Device, e.simulated)
			for _, v := range e.due {
				due[v] = true
			}
		}
	}
	b.readings = append(b.readings, out.marked()...)
	return nil
}

// outputs are the readings and states of computed values.
type outputs struct {
	readings []reading.Reading
	suspects []quality.Flagged // of each reading
	states   []store.DeviceState
	values   []computedValue // in the order of states, without those that say simulated
}

// computedValue is a computed state and its measurement.
type computedValue struct {
	store.DeviceState
	measurement string
	simulated   bool
}

// addAll computes the values that are due and adds them.
func (o *outputs) addAll(values *computed.Set, due map[*computed.Value]bool, states computed.States, pauses map[string]time.Duration) {
	for _, v := range values.Sorted(due) {
		if r, ok := values.Compute(v, states, pauses); ok {
			o.add(v, r, states[v.Device])
		}
	}
}

// add adds a value, if it is newer than what the device has, or another at the same time.
func (o *outputs) add(v *computed.Value, r computed.Result, has map[string]store.DeviceState) {
	old, known := has[v.Key]
	same := known && old.Value == r.V && old.Text == ""
	if known && !old.Time.IsZero() {
		c := r.Time.Compare(old.Time)
		if c < 0 || c == 0 && same {
			return
		}
		if c == 0 && !r.Arrived.After(old.Arrived) {
			r.Arrived = old.Arrived.Add(time.Microsecond) // else the store keeps the old state
		}
	}
	verdict := (&quality.History{}).Judge(v.Field, r.V, r.Time, false) // its range only
	s := store.DeviceState{Device: v.Device, Metric: v.Key, Value: r.V, Time: r.Time, Arrived: r.Arrived, Changed: r.Time,
		Quality: string(verdict.Quality), Reason: verdict.Reason, Good: old.Good, GoodTime: old.GoodTime}
	if same {
		s.Changed = old.Changed
	}
	if verdict.Quality == quality.OK {
		s.Good, s.GoodTime = &r.V, r.Time
	}
	o.states = append(o.states, s)
	o.values = append(o.values, computedValue{s, v.Measurement, r.Simulated})
	o.markSimulated(v.Device, r, has)
	i := o.reading(v, r)
	o.readings[i].Fields[v.Key] = r.V
	if verdict.Quality == quality.Suspect {
		o.suspects[i].Fields = append(o.suspects[i].Fields, v.Key)
	}
}

// markSimulated keeps as a state of the device whether a member is simulated.
func (o *outputs) markSimulated(id string, r computed.Result, has map[string]store.DeviceState) {
	is := 0.0
	if r.Simulated {
		is = 1
	}
	done := func(s store.DeviceState) bool { return s.Device == id && s.Metric == computed.Simulated }
	if has[computed.Simulated].Value != is && !slices.ContainsFunc(o.states, done) {
		o.states = append(o.states, store.DeviceState{Device: id, Metric: computed.Simulated, Value: is,
			Time: r.Arrived, Arrived: r.Arrived, Changed: r.Arrived, Quality: string(quality.OK)})
	}
}

// reading returns the index of the reading for a value: one for all values of a device
// at one time.
func (o *outputs) reading(v *computed.Value, r computed.Result) int {
	tags := map[string]string{"device": v.Device}
	if r.Simulated {
		tags[catalogue.SampleLabel] = "true"
	}
	i := slices.IndexFunc(o.readings, func(old reading.Reading) bool {
		return old.Name == v.Measurement && old.Time.Equal(r.Time) && maps.Equal(old.Tags, tags)
	})
	if i >= 0 {
		return i
	}
	o.readings = append(o.readings, reading.Reading{Name: v.Measurement, Tags: tags, Fields: map[string]float64{}, Time: r.Time.UTC()})
	o.suspects = append(o.suspects, quality.Flagged{})
	return len(o.readings) - 1
}

// marked returns the readings, with the marks of suspect values.
func (o *outputs) marked() []reading.Reading {
	for i := range o.readings {
		if s := &o.suspects[i]; len(s.Fields) > 0 {
			markQuality(&o.readings[i], quality.OK, s)
		}
	}
	return o.readings
}
