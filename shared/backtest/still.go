package backtest

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/silence"
)

// judgeStill finds out whether a device is silent, or one of its metrics is silent or
// frozen. Nothing that reports is looked at for long: no limit is shorter than floor.
func (r *run) judgeStill(d *device, now time.Time) {
	if d.kind != "edge" && d.kind != "mapped" && d.kind != "zigbee" {
		return
	}
	own := false // a rule of hearth.yml about a field says that it is silent
	for _, m := range d.metrics {
		if m.silence.after > 0 && m.silence.after != d.silence.after {
			own = r.metricSilent(d, m, true, now) || own
		}
	}
	silent := r.deviceSilent(d, own, now)
	for _, m := range d.metrics {
		if silent {
			continue
		}
		if m.silence.after == 0 || m.silence.after == d.silence.after {
			r.metricSilent(d, m, false, now)
		}
		r.frozen(d, m, now)
	}
}

const floor = 10 * time.Minute // no limit of silence or of a frozen value is shorter, unless hearth.yml says so

// verdict moves the alert of a rule about what does not happen: it is bad, or over if it
// is active.
func (r *run) verdict(d *device, of *rule, field string, bad bool, now time.Time, text string) {
	s := r.states[of.key]
	if bad && (s.Phase == alert.Firing || s.Phase == alert.Pending) && s.Clearing.IsZero() || !bad && !r.active[of.key] {
		return
	}
	o := alert.Observation{Key: of.key, Spec: of.spec, Subject: d.subject, Verdict: alert.Good, At: now, Text: text}
	if o.Field = field; bad {
		o.Verdict = alert.Bad
	}
	r.observe(o, now)
}

// idle reports whether nothing is to be judged: what lasts for so long is too short for
// the rule, and its alert is not active.
func (r *run) idle(of *rule, lasts time.Duration) bool {
	shortest := of.after
	if shortest == 0 {
		shortest = floor
	}
	return !of.on || lasts < shortest && (len(r.active) == 0 || !r.active[of.key])
}

// deviceSilent judges whether a device reports. If a rule of hearth.yml tells its silence
// already, its own is not told besides.
func (r *run) deviceSilent(d *device, told bool, now time.Time) bool {
	quiet := now.Sub(d.seen)
	if d.seen.IsZero() || r.idle(&d.silence, quiet) {
		return false
	}
	limit, ok := d.silence.after, true
	if limit == 0 {
		limit, ok = d.cadence.Limit(d.describe(), now)
	}
	bad := ok && quiet >= limit
	text := "It reports again."
	if bad {
		text = fmt.Sprintf("It has reported nothing for %s.", alert.Span(quiet))
	}
	if !bad || !told {
		r.verdict(d, &d.silence, "", bad, now, text)
	}
	return bad
}

// metricSilent judges whether a metric is reported, while others are or if its rule is its own.
func (r *run) metricSilent(d *device, m *metric, own bool, now time.Time) bool {
	quiet := now.Sub(m.seen)
	if r.idle(&m.silence, quiet) {
		return false
	}
	limit, ok := m.silence.after, true
	if limit == 0 {
		limit, ok = m.cadence.MetricLimit(now)
	}
	others := d.seen.Sub(m.seen) >= limit/3
	bad := ok && quiet >= limit && (own || others)
	text := "It is reported again."
	if bad && !others {
		text = fmt.Sprintf("It has reported nothing for %s.", alert.Span(quiet))
	} else if bad {
		text = fmt.Sprintf("%s was last reported at %s; the device reports its other values.", catalogue.Title(m.Field), r.House.When(m.seen, now))
	}
	r.verdict(d, &m.silence, m.Field, bad, now, text)
	return bad
}

func (r *run) frozen(d *device, m *metric, now time.Time) {
	equal := m.seen.Sub(m.changed)
	if r.idle(&m.frozen, equal) {
		return
	}
	limit, ok := m.frozen.after, true
	if limit == 0 {
		limit, ok = m.cadence.Frozen(now)
	}
	bad := ok && equal >= limit && m.value != 0 && (m.value != 100 || catalogue.KeyUnit(m.Field) != "%")
	text := "The value changes again."
	if bad {
		text = fmt.Sprintf("%s is exactly %s for %s.", catalogue.Title(m.Field), alert.Number(m.value, catalogue.KeyUnit(m.Field)), alert.Span(equal))
	}
	r.verdict(d, &m.frozen, m.Field, bad, now, text)
}

// describe says how a device reports, by its kind and its metrics.
func (d *device) describe() silence.Stream {
	s := silence.Stream{Declared: catalogue.DeviceKindOf(d.kind).Pause, Rhythm: d.kind != "edge"}
	for _, m := range d.metrics {
		declared, _ := catalogue.Get(m.Measurement)
		if s.Declared == 0 {
			s.Declared = declared.Cadence
		}
		if f, ok := declared.Field(m.Field); ok && s.Rhythm && (len(f.Words) > 0 || f.Max == 1) {
			s.Events = true
		}
	}
	return s
}

// comes reports whether the data of an alert still comes.
func (r *run) comes(s *alert.State, now time.Time) bool {
	if s.Rule == rules.Silent || s.Rule == rules.Frozen || s.Measurement == "" {
		return true
	}
	d := r.devices[s.Device]
	return d == nil || !r.active[rules.Silent+"/"+s.Device] && !r.active[rules.Silent+"/"+s.Device+"/"+s.Field]
}
