package function

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
	"github.com/hearth-home/hearth/shared/why"
)

// device is a device of the register as this tick sees it.
type device struct {
	store.Device
	states  []store.DeviceState // what it reports itself
	bound   bool                // it has a physical id
	seen    time.Time           // its latest report; zero: none
	base    time.Time           // since when it is watched: silence before that is not its own
	sample  bool                // simulated
	online  *store.DeviceState  // whether it can be reached, as its source says; nil: unknown
	stream  silence.Stream
	measure catalogue.Measurement // that it most probably reports
	limit   time.Duration         // how long it may report nothing; 0: that says nothing
	usual   time.Duration         // how often it reports; 0: not learned
	spec    alert.Spec            // of its silence
	after   time.Duration         // how long that rule lets it be silent; 0: as it was learned
	watched bool                  // its silence is judged
	hidden  bool                  // an open alert explains what is wrong with it
}

const (
	keepCanary = 7 * 24 * time.Hour
	longGone   = 7 * 24 * time.Hour // what was silent for longer before it was watched is not told
)

func (t *tick) loadCanary(ctx context.Context) error {
	rs, err := t.st.Latest(ctx, "canary", t.now.Add(-keepCanary))
	for _, r := range rs {
		if r.Time.After(t.canary) {
			t.canary = r.Time
		}
	}
	return err
}

// loadDevices reads the register and the latest states.
func (t *tick) loadDevices(ctx context.Context) error {
	devices, err := t.st.Devices(ctx)
	if err != nil {
		return err
	}
	ids, err := t.st.DeviceIDs(ctx, false)
	if err != nil {
		return err
	}
	if t.states, err = t.st.DeviceStates(ctx, ""); err != nil {
		return err
	}
	t.links = topology.Of(devices, ids)
	t.devices = make(map[string]*device, len(devices))
	for _, d := range devices {
		t.devices[d.ID] = &device{Device: d}
	}
	for _, id := range ids {
		if d := t.devices[id.Device]; d != nil {
			d.bound = true
		}
	}
	for i := range t.states {
		if d := t.devices[t.states[i].Device]; d != nil {
			d.take(&t.states[i])
		}
	}
	if err := t.loadEnded(ctx); err != nil {
		return err
	}
	for _, of := range devices {
		if d := t.devices[of.ID]; t.prepare(d) {
			t.watched = append(t.watched, d)
		}
	}
	return nil
}

// take adds a state.
func (d *device) take(s *store.DeviceState) {
	switch {
	case s.Metric == "simulated":
		d.sample = s.Value == 1
	case s.Text == "" && (s.Metric == "available" || s.Metric == "online"):
		d.online = s
	case why.Reported(s.Metric):
		d.states = append(d.states, *s)
		if at := why.Seen(*s); at.After(d.seen) {
			d.seen = at
		}
	}
}

// loadEnded reads when the alerts that explain others ended.
func (t *tick) loadEnded(ctx context.Context) error {
	keys := []string{topology.Broker}
	for _, d := range t.devices {
		if key := rootKey(d); key != "" {
			keys = append(keys, key)
		}
	}
	states, err := t.st.AlertsOf(ctx, keys)
	t.ended = make(map[string]time.Time, len(states))
	for key, s := range states {
		t.ended[key] = s.Ended
	}
	return err
}

// rootKey returns the key of the alert that says that a node or bridge is offline; "" for
// other devices.
func rootKey(d *device) string {
	switch d.Kind {
	case "node":
		return topology.Node + d.ID
	case "bridge":
		return topology.Bridge + d.ID
	}
	return ""
}

// prepare finds out how long a device may be silent, and reports whether it is watched.
func (t *tick) prepare(d *device) bool {
	d.base = t.watch.Since
	for _, key := range t.links.Roots(d.ID) {
		d.base = latest(d.base, t.over(key))
	}
	if d.Kind != "edge" && d.Kind != "mapped" && d.Kind != "zigbee" || d.ReplacedBy != "" || !d.bound || d.seen.IsZero() {
		return false
	}
	d.stream = describe(d)
	return true
}

// over returns when an alert that explains others was over: now, while it is not. It is
// zero if it never was.
func (t *tick) over(key string) time.Time {
	if s, ok := t.active[key]; ok && (s.Open() || s.Phase == alert.Pending) {
		return t.now
	}
	return t.ended[key]
}

// limits sets how long a device may be silent, after this tick's reports are learned.
func (t *tick) limits(d *device) {
	var ok bool
	c := &t.f.memory.stream(metric{d.ID, ""}).Cadence
	d.usual = c.Usual()
	if d.spec, d.after, ok = t.silence(d, ""); !ok { // the rule is switched off
		return
	}
	if d.after > 0 {
		d.limit, d.watched = d.after, true
		return
	}
	d.limit, d.watched = c.Limit(d.stream, t.now)
}

// describe says how a device reports, by its kind and its metrics.
func describe(d *device) silence.Stream {
	var keys, texts []string
	for _, s := range d.states {
		if s.Text == "" {
			keys = append(keys, s.Metric)
		} else {
			texts = append(texts, s.Metric)
		}
	}
	s := silence.Stream{Declared: catalogue.DeviceKindOf(d.Kind).Pause, Rhythm: d.Kind != "edge"}
	name := "zigbee"
	if d.Kind != name {
		name, _ = catalogue.Guess(keys, texts)
	}
	if d.measure, _ = catalogue.Get(name); s.Declared == 0 {
		s.Declared = d.measure.Cadence
	}
	if d.Kind == "edge" {
		return s
	}
	measures := false
	for i := range d.states {
		s.Events = s.Events || isEvent(&d.measure, &d.states[i])
		measures = measures || silence.Continuous(d.states[i].Metric)
	}
	if d.Kind == "mapped" && measures {
		s.Events = false
	}
	return s
}

// isEvent reports whether a metric says what happened, so that it comes at any time: a
// button, a door, motion, a switch.
func isEvent(m *catalogue.Measurement, s *store.DeviceState) bool {
	switch {
	case s.Metric == "action":
		return true
	case s.Text != "" || s.Metric == "battery_low" || s.Metric == "tamper" || strings.HasPrefix(s.Metric, "update"):
		return false
	}
	if f, ok := m.Field(s.Metric); ok {
		return len(f.Words) > 0 || f.Max == 1
	}
	return catalogue.KeyUnit(s.Metric) == "" && (s.Value == 0 || s.Value == 1)
}

// subject is what an alert of a device is about.
func (t *tick) subject(d *device, field string) alert.Subject {
	return alert.Subject{Device: d.ID, Name: d.Name, Room: d.Room, Field: field, Parents: t.links.Parents(d.ID), Roots: t.links.Roots(d.ID)}
}

// learn learns from the reports since the last tick.
func (t *tick) learn() {
	m := &t.f.memory
	for _, d := range t.watched {
		kept := false
		var newest *store.DeviceState
		for i := range d.states {
			s := &d.states[i]
			at := why.Seen(*s)
			behind := !s.Time.IsZero() && s.Arrived.Sub(s.Time) > late
			if !flag(d, s) {
				m.stream(metric{d.ID, s.Metric}).see(at, s.Changed, behind, d.base)
			}
			if newest == nil || at.After(why.Seen(*newest)) {
				newest, kept = s, behind
			}
		}
		m.stream(metric{d.ID, ""}).see(d.seen, time.Time{}, kept, d.base)
		t.limits(d)
	}
}

// names returns what devices are called, at most so many: "A, B and 3 more".
func (t *tick) names(ids []string, most int) string {
	var out []string
	for _, id := range ids {
		out = append(out, cmp.Or(t.devices[id].Name, id))
	}
	slices.Sort(out)
	return join(out, most)
}

// title returns what a metric is called.
func (d *device) title(key string) string {
	if f, ok := d.measure.Field(key); ok {
		return f.Title
	}
	return catalogue.Title(key)
}
