package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
)

// device is a device, or a series of a source, and what is known of its metrics.
type device struct {
	subject alert.Subject
	kind    string // of the register; "": a series of a source
	metrics map[string]*metric
	silence rule
	still
}

// rule is a rule about what does not happen.
type rule struct {
	key   string // of its alert
	spec  alert.Spec
	after time.Duration // 0: as is learned
	on    bool
}

// metric is one number of a device.
type metric struct {
	rules.Metric
	judges          []rules.Judge
	value           float64
	silence, frozen rule
	still
}

// still is since when something is the same.
type still struct {
	cadence silence.Cadence
	from    time.Time // the first report of the latest minute with reports
	seen    time.Time // the latest report; zero: none
	changed time.Time // when the value last changed
}

func (r *run) newDevice(d store.Device) *device {
	out := &device{subject: alert.Subject{Device: d.ID, Name: d.Name, Room: d.Room}, kind: d.Kind, metrics: map[string]*metric{}}
	out.silence = rule{key: rules.Silent + "/" + d.ID}
	out.silence.spec, out.silence.after, out.silence.on = r.Rules.Rules.Silence(rules.Metric{Device: d.ID, Name: d.Name, Room: d.Room})
	return out
}

// take judges one reading.
func (r *run) take(in *reading.Reading) {
	d := r.deviceOf(in)
	suspect := in.Text[catalogue.Suspect]
	if q := in.Fields[catalogue.Quality]; q != quality.OK.Code() && suspect == "" {
		suspect = "*"
	}
	for _, key := range slices.Sorted(maps.Keys(in.Fields)) {
		if key == catalogue.Quality {
			continue
		}
		m := d.metrics[in.Name+"."+key]
		if m == nil {
			m = r.newMetric(d, in.Name, key)
		}
		v := in.Fields[key]
		m.see(in.Time, v != m.value)
		m.value = v
		if suspect == "*" || slices.Contains(strings.Split(suspect, ","), key) {
			continue
		}
		r.judge(d, m, v, in.Time)
	}
	d.see(in.Time, false)
}

// judge judges a value by the rules with a threshold.
func (r *run) judge(d *device, m *metric, v float64, at time.Time) {
	for i := range m.judges {
		j := &m.judges[i]
		if j.Instead != "" && d.has(j.Instead) != nil {
			continue
		}
		excepted := func() bool { f := d.has(j.Except); return f != nil && f.value == 1 }
		if o, ok := j.Value(v, at, false, r.active[j.Key], excepted); ok {
			r.observe(o, at)
		}
	}
}

// has returns a metric of a device by its key, nil if there is none.
func (d *device) has(key string) *metric {
	if key == "" {
		return nil
	}
	for _, m := range d.metrics {
		if m.Field == key {
			return m
		}
	}
	return nil
}

// deviceOf returns the device of a reading, or the series of a source.
func (r *run) deviceOf(in *reading.Reading) *device {
	id := in.Tags["device"]
	if id == "" {
		id = in.Series()
	}
	d := r.devices[id]
	if d == nil {
		d = r.newDevice(store.Device{ID: id})
		if in.Tags["device"] == "" {
			var labels []string
			for _, k := range slices.Sorted(maps.Keys(in.Tags)) {
				labels = append(labels, in.Tags[k])
			}
			d.subject = alert.Subject{Name: cmp.Or(strings.Join(labels, " "), in.Name)}
		}
		r.devices[id] = d
	}
	return d
}

func (r *run) newMetric(d *device, measurement, key string) *metric {
	m := &metric{Metric: rules.Metric{Measurement: measurement, Field: key, Device: d.subject.Device, Name: d.subject.Name, Room: d.subject.Room}}
	m.judges = r.Rules.Rules.Judges(m.Metric, d.subject)
	if d.subject.Device == "" {
		for i := range m.judges {
			m.judges[i].Key += d.subject.Name
		}
	}
	m.silence = rule{key: rules.Silent + "/" + m.Device + "/" + key}
	m.silence.spec, m.silence.after, m.silence.on = r.Rules.Rules.Silence(rules.Metric{Field: key, Device: m.Device, Name: m.Name, Room: m.Room})
	m.frozen = rule{key: rules.Frozen + "/" + m.Device + "/" + key}
	m.frozen.spec, m.frozen.after, m.frozen.on = r.Rules.Rules.Frozen(m.Metric)
	m.frozen.on = m.frozen.on && silence.Continuous(key)
	d.metrics[measurement+"."+key] = m
	return m
}

// see learns from a report.
func (s *still) see(at time.Time, changed bool) {
	if s.seen.IsZero() {
		s.from, s.seen, s.changed = at, at, at
		return
	}
	if !at.After(s.seen) {
		return
	}
	switch {
	case at.Sub(s.seen) >= max(floor, 3*s.cadence.Usual()): // what it was meanwhile is not known
		s.changed = at
	case changed:
		s.cadence.Changed(s.seen.Sub(s.changed), at)
		s.changed = at
	}
	if s.cadence.Learn(s.from, at) {
		s.from = at
	}
	s.seen = at
}
