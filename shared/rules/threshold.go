package rules

import (
	"cmp"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
)

// Threshold is a rule that judges the values of one field.
type Threshold struct {
	alert.Spec
	Where   catalogue.Where
	Instead string // key of another metric: a device that has it is not judged by this rule
	Except  string // key of a flag of the device: while it is 1, the condition does not begin
	Switch  bool   // the field is 0 or 1: other numbers are not judged

	field        catalogue.Field
	unit         string
	above, below *limit // nil: no such side
	away         catalogue.Away
	device       string // "": each
}

// limit is where a condition begins and where it ends.
type limit struct{ enter, leave float64 }

// threshold is a Threshold, and what hearth.yml makes of it for some devices.
type threshold struct {
	base    *Threshold // nil: a rule of hearth.yml
	changed *Threshold // for what filter chooses; nil: off for them
	filter  *filter    // nil: hearth.yml does not change it
}

// of returns the rule for a metric, nil if it is off or does not hold there.
func (t *threshold) of(m Metric) *Threshold {
	r := t.base
	if t.filter != nil && t.filter.matches(m) {
		r = t.changed
	}
	if r == nil || !holds(r.Where, m) || r.device != "" && r.device != m.Device {
		return nil
	}
	return r
}

// judge returns what the rule says of a value alone. Between the thresholds for enter and
// leave it is neither good nor bad, and so is a number that is no switch.
func (r *Threshold) judge(v float64) alert.Verdict {
	switch {
	case r.Switch && v != 0 && v != 1:
		return alert.Between
	case r.above != nil && v > r.above.enter, r.below != nil && v < r.below.enter:
		return alert.Bad
	case r.above != nil && v > r.above.leave, r.below != nil && v < r.below.leave:
		return alert.Between
	}
	return alert.Good
}

// Verdict returns what the rule says of a value. away says that nobody is at home, excepted
// that the flag Except is 1: then the condition does not begin.
func (r *Threshold) Verdict(v float64, away bool, excepted func() bool) alert.Verdict {
	verdict := r.judge(v)
	if verdict == alert.Bad && (r.away == catalogue.AwayOnly && !away || r.Except != "" && excepted()) {
		return alert.Between
	}
	return verdict
}

// Observe returns the observation of a value, with this verdict, at a time.
func (r *Threshold) Observe(key string, of alert.Subject, v float64, verdict alert.Verdict, at time.Time, away bool) alert.Observation {
	o := alert.Observation{Key: key, Spec: r.Spec, Subject: of, Verdict: verdict, At: at}
	if away && r.away != catalogue.AwaySame {
		o.Severity, o.For = alert.Critical, 0
	}
	if r.field.Word(v) != "" {
		return o // the title says it all
	}
	side, word := r.side(v)
	o.Value, o.Limit, o.Unit, o.Below = &v, &side.enter, r.unit, word == "below"
	o.Text = r.field.TitleOf(of.Field) + " is " + alert.Number(v, r.unit)
	if verdict == alert.Bad {
		o.Text += ", " + word + " " + alert.Number(side.enter, r.unit)
	}
	return o
}

// side returns the limit that a value is compared with: the nearer one.
func (r *Threshold) side(v float64) (*limit, string) {
	if r.above == nil || r.below != nil && v-r.below.enter < r.above.enter-v {
		return r.below, "below"
	}
	return r.above, "above"
}

// usual is the default hysteresis of values by their unit.
var usual = map[string]float64{"°C": 0.5, "K": 0.5, "%": 3, "ppm": 100, "µg/m³": 5, "hPa": 1, "V": 2}

// hysteresis returns by how much a value must be back before a condition ends that began
// at enter: what the field has, else what is usual of the unit, else a twentieth.
func hysteresis(f catalogue.Field, unit string, enter float64) float64 {
	for _, t := range append([]catalogue.Threshold{f.Warn}, f.Alerts...) {
		if t.Hysteresis > 0 {
			return t.Hysteresis
		}
	}
	if enter < 0 {
		enter = -enter
	}
	if f.Word(0) != "" {
		return 0
	}
	return cmp.Or(usual[unit], enter/20)
}

// Judge is a rule for one metric, with what it remembers of it.
type Judge struct {
	*Threshold
	Key string // of the alert

	subject alert.Subject
	raised  bool      // a value was bad, and none has been good since
	judged  time.Time // of the latest value that was judged
	good    float64   // the last good value
	goodAt  time.Time
}

// Judges returns the rules with a threshold that judge a metric. of is its device.
func (s *Set) Judges(m Metric, of alert.Subject) []Judge {
	found := s.Of(m)
	if len(found) == 0 {
		return nil
	}
	of.Measurement, of.Field = m.Measurement, m.Field
	out := make([]Judge, len(found))
	for i, t := range found {
		out[i] = Judge{Threshold: t, Key: t.Spec.Rule + "/" + m.Device + "/" + m.Field, subject: of}
	}
	return out
}

// Remember takes over what an earlier Judge of the same alert remembers.
func (j *Judge) Remember(earlier []Judge) {
	for i := range earlier {
		if e := &earlier[i]; e.Key == j.Key {
			j.raised, j.judged, j.good, j.goodAt = e.raised, e.judged, e.good, e.goodAt
		}
	}
}

// Value judges a value of a time, if it is newer than the last one. ok is false if nothing
// is to be observed: nothing is wrong, and the alert is not active.
func (j *Judge) Value(v float64, at time.Time, away, active bool, excepted func() bool) (_ alert.Observation, ok bool) {
	if !at.After(j.judged) {
		return alert.Observation{}, false
	}
	j.judged = at
	verdict := j.Verdict(v, away, excepted)
	before, beforeAt := j.good, j.goodAt
	if verdict == alert.Good {
		j.good, j.goodAt = v, at
	}
	if verdict != alert.Bad && !j.raised && !active {
		return alert.Observation{}, false
	}
	j.raised = verdict == alert.Bad || verdict == alert.Between && j.raised
	o := j.Observe(j.Key, j.subject, v, verdict, at, away)
	if verdict != alert.Good && !beforeAt.IsZero() && o.Value != nil {
		good := before // only here, as it is allocated
		o.Good, o.GoodAt = &good, beforeAt
	}
	return o, true
}
