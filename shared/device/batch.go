package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// Batch gathers what a batch of messages says. Begin makes it, the planning ends
// with Done, and Store writes it.
type Batch struct {
	r   *Register
	st  *store.Store
	now time.Time

	Readings []reading.Reading
	Change   store.DeviceChange
	dirty    []*metric
	flight   *flight
	leans    []*flight // other batches whose word it took
	releases bool      // readings that such a batch may still be writing
}

// Value is one number of a device, in the unit that is kept.
type Value struct {
	Key   string
	V     float64
	Field *catalogue.Field // its range and step; nil: any number
	Bad   string           // why it is suspect, "" if it is not
}

// Sample is what a device said at one moment.
type Sample struct {
	Measurement string
	Thing       *Thing
	Values      []Value
	Text        map[string]string // kept with the numbers
	Notes       []Note            // kept as states alone
	Time        time.Time         // the source's clock, or arrival; zero: it is old, and only the state is of interest
	Arrived     time.Time
	Retained    bool
	Quality     Quality // by the source; "" is ok
	Reason      string
	Invented    bool // by a simulated sensor: kept as sample data
}

// Note is a text that a device said: its state, not a reading.
type Note struct{ Key, Text string }

var errNothing = errors.New("there is no number in it")

// Add takes a sample in: a Reading, and the states of its metrics. An error says
// why not, or which value was left out. Of a key that comes twice the last counts.
func (b *Batch) Add(s Sample) error {
	if len(s.Values)+len(s.Text)+len(s.Notes) == 0 {
		return errNothing
	}
	if err := b.check(&s); err != nil {
		return err
	}
	if s.Quality == "" {
		s.Quality = OK
	}
	r := reading.Reading{Name: s.Measurement, Tags: s.Thing.labels(s.Invented), Fields: make(map[string]float64, len(s.Values)+2), Text: s.Text, Time: s.Time.UTC()}
	worst := s.Quality
	m := &mark{name: s.Measurement, tags: r.Tags, time: r.Time}
	var bad error
	for i, v := range s.Values {
		if !finite(v.V) {
			bad = cmp.Or(bad, fmt.Errorf("%s is %v, no number", v.Key, v.V))
			continue
		}
		if slices.ContainsFunc(s.Values[i+1:], func(next Value) bool { return next.Key == v.Key }) {
			continue
		}
		got, again := b.value(&s, v, m)
		if again {
			continue
		}
		r.Fields[v.Key] = v.V
		if got.counted {
			r.Fields[deltaKey(v.Key)] = got.delta
		}
		if got.quality == Suspect {
			m.fields = append(m.fields, v.Key)
			worst = Suspect
		}
	}
	for k, text := range s.Text {
		b.text(&s, k, text)
	}
	for _, n := range s.Notes {
		b.text(&s, n.Key, n.Text)
	}
	if s.Time.IsZero() || len(r.Fields)+len(r.Text) == 0 {
		return bad
	}
	if worst != OK {
		b.flag(&r, worst, m.fields, s.Quality == Suspect)
	}
	b.Readings = append(b.Readings, r)
	return bad
}

// value judges one number and makes it the metric's state if it is the newest.
// again reports that it is what the state is already, of the same time: an edge
// sent it twice, or a bridge from its cache.
func (b *Batch) value(s *Sample, v Value, reading *mark) (got verdict, again bool) {
	m := b.metric(s.Thing, v.Key)
	if m.state.Value == v.V && m.state.Text == "" && !s.Time.IsZero() && m.state.Time.Equal(s.Time) {
		return got, true
	}
	newest := m.newer(s.Time, s.Arrived)
	got = verdict{quality: s.Quality, reason: s.Reason}
	switch {
	case v.Bad != "":
		got = verdict{quality: Suspect, reason: v.Bad}
	case s.Quality == OK || s.Quality == ClockUnsynced:
		if got = m.judge(v.Field, v.V, s.Time, newest); got.quality == OK {
			got.quality, got.reason = s.Quality, s.Reason
		}
	}
	if got.step {
		m.pending = append(m.pending, reading)
	}
	for _, old := range got.released {
		b.release(old, v.Key)
	}
	if !newest {
		return got, false
	}
	changed := s.Time
	if changed.IsZero() {
		changed = s.Arrived
	}
	if m.state.Value == v.V && m.state.Text == "" && !m.state.Changed.IsZero() {
		changed = m.state.Changed
	}
	m.state.Value, m.state.Text, m.state.Changed = v.V, "", changed
	b.touch(m, s, got.quality, got.reason)
	return got, false
}

// release takes a field off the suspects of a reading that is stored.
func (b *Batch) release(old *mark, key string) {
	rest := old.fields[:0]
	for _, f := range old.fields {
		if f != key {
			rest = append(rest, f)
		}
	}
	old.fields = rest
	b.releases = true
	r := reading.Reading{Name: old.name, Tags: old.tags, Time: old.time,
		Fields: map[string]float64{catalogue.Quality: 0}, Text: map[string]string{catalogue.Suspect: strings.Join(rest, ",")}}
	if len(rest) > 0 {
		r.Fields[catalogue.Quality] = Suspect.code()
	}
	b.Readings = append(b.Readings, r)
}

// flag marks a reading with its quality and the fields that are suspect.
func (b *Batch) flag(r *reading.Reading, q Quality, fields []string, all bool) {
	r.Fields[catalogue.Quality] = q.code()
	if q != Suspect {
		return
	}
	text := map[string]string{catalogue.Suspect: strings.Join(fields, ",")}
	if all {
		text[catalogue.Suspect] = "*"
	}
	for k, v := range r.Text {
		text[k] = v
	}
	r.Text = text
}

func (b *Batch) text(s *Sample, key, text string) {
	m := b.metric(s.Thing, key)
	if text == "" || !m.newer(s.Time, s.Arrived) {
		return
	}
	if m.state.Text != text {
		m.state.Changed = s.Arrived
		if !s.Time.IsZero() {
			m.state.Changed = s.Time
		}
	}
	m.state.Text, m.state.Value = text, 0
	b.touch(m, s, s.Quality, s.Reason)
}

func (b *Batch) metric(t *Thing, key string) *metric {
	m := t.metrics[key]
	if m == nil {
		m = &metric{state: store.DeviceState{Device: t.ID, Metric: key}}
		t.metrics[key] = m
		b.r.series++
	}
	b.lean(m.flight)
	return m
}

func (b *Batch) touch(m *metric, s *Sample, q Quality, reason string) {
	m.state.Time, m.state.Arrived, m.state.Retained = s.Time, s.Arrived, s.Retained
	m.state.Quality, m.state.Reason = string(q), reason
	if m.batch != b {
		m.batch, m.flight = b, b.flight
		b.dirty = append(b.dirty, m)
	}
}

// SetState makes a text or, if that is "", a number the state of a metric that
// has no readings.
func (b *Batch) SetState(t *Thing, key, text string, v float64, arrived time.Time, retained bool) {
	s := Sample{Thing: t, Time: arrived, Arrived: arrived, Retained: retained, Quality: OK}
	if text != "" {
		b.text(&s, key, text)
		return
	}
	b.value(&s, Value{Key: key, V: v}, nil)
}

// SetNote makes a text that was said at t the state of a metric.
func (b *Batch) SetNote(thing *Thing, key, text string, t, arrived time.Time, retained bool) {
	b.text(&Sample{Thing: thing, Time: t, Arrived: arrived, Retained: retained, Quality: OK}, key, text)
}

// State returns the last word of a metric.
func (b *Batch) State(t *Thing, key string) (store.DeviceState, bool) {
	m := t.metrics[key]
	if m == nil {
		return store.DeviceState{}, false
	}
	return m.state, true
}

func deltaKey(key string) string {
	if head, ok := strings.CutSuffix(key, "_kwh"); ok {
		return head + "_delta_kwh"
	}
	return key + "_delta"
}

// Done ends the planning and gives the register free. After an error nothing is
// stored, and the register reads anew.
func (b *Batch) Done(err error) {
	defer b.r.mu.Unlock()
	if err != nil {
		b.r.things, b.r.bound = nil, nil
		b.flight.land(err)
		return
	}
	b.Change.States = make([]store.DeviceState, len(b.dirty))
	for i, m := range b.dirty {
		b.Change.States[i] = m.row()
		m.batch = nil
	}
	b.r.flying = append(slices.DeleteFunc(b.r.flying, (*flight).landed), b.flight)
}

// Store writes the readings and then what changed of the devices. What the
// register holds in memory is true only if that succeeds.
func (b *Batch) Store(ctx context.Context) error {
	err := b.write(ctx)
	b.flight.land(err) // first: who holds the register may wait for it
	if err != nil {
		b.r.Forget()
	}
	return err
}

func (b *Batch) write(ctx context.Context) error {
	if b.releases { // the later write wins
		if err := b.landed(ctx); err != nil {
			return err
		}
	}
	if len(b.Readings) > 0 {
		if err := b.st.Write(ctx, b.Readings); err != nil {
			return err
		}
	}
	if err := b.landed(ctx); err != nil {
		return err
	}
	b.Change.Function, b.Change.Writer, b.Change.Overtaken = b.r.Function, b.r.writer, func() { b.r.old.Store(true) }
	return b.st.SaveDevices(ctx, b.Change)
}
