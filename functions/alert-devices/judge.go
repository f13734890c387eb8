package function

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
	"github.com/hearth-home/hearth/shared/why"
)

// judge judges each watched device that nothing else explains: whether it can be reached,
// whether it or one of its metrics is silent, and whether a value is frozen.
func (t *tick) judge(ctx context.Context) (out []alert.Observation, err error) {
	for _, d := range t.watched {
		d.hidden = t.explained(d)
		if d.hidden {
			continue
		}
		if o := t.offline(d); o != nil {
			out = append(out, *o)
			if o.Verdict == alert.Bad {
				continue
			}
		}
		o, err := t.silent(ctx, d)
		if err != nil {
			return nil, err
		}
		silent := o != nil && o.Verdict == alert.Bad
		if silent {
			t.answer.Silent++
		}
		ms, err := t.metrics(ctx, d, silent)
		if err != nil {
			return nil, err
		}
		if out = append(out, ms...); o != nil && (!silent || len(ms) == 0 || t.active[o.Key].Key != "") {
			out = append(out, *o)
		}
	}
	return out, nil
}

// metrics judges the metrics of a device one by one. Of a silent device it judges only those
// whose silence has a rule of its own in hearth.yml, and returns what is silent of them: that
// is told in place of the device's silence.
func (t *tick) metrics(ctx context.Context, d *device, silent bool) (out []alert.Observation, err error) {
	for i := range d.states {
		s := &d.states[i]
		o, own, err := t.metricSilent(ctx, d, s)
		if err != nil {
			return nil, err
		}
		if o != nil && (!silent || own && o.Verdict == alert.Bad) {
			out = append(out, *o)
		}
		if o := t.frozen(d, s); o != nil && !silent {
			out = append(out, *o)
		}
	}
	return out, nil
}

// explained reports whether an alert that is open or pending explains what is wrong with
// the device.
func (t *tick) explained(d *device) bool {
	for _, key := range t.links.Roots(d.ID) {
		if t.house.Roots[key] {
			return true
		}
	}
	return !t.canary.IsZero() && t.now.Sub(t.canary) > canaryTime
}

// observation begins an observation of a rule, and marks its alert as judged.
func (t *tick) observation(d *device, key string, spec alert.Spec, field string, bad bool) *alert.Observation {
	t.judged[key] = true
	o := &alert.Observation{Key: key, Spec: spec, Subject: t.subject(d, field), At: t.now, Verdict: alert.Good, Sample: d.sample}
	if bad {
		o.Verdict = alert.Bad
	}
	return o
}

// offline judges what the source of a device says of it; nil: it says nothing.
func (t *tick) offline(d *device) *alert.Observation {
	spec, on := t.rules.Spec(rules.DeviceOffline, d.ID, d.Room)
	key := topology.Offline + d.ID
	if !on || d.online == nil {
		return nil
	}
	bad := d.online.Value == 0
	if bad && t.active[key].Key == "" && t.now.Sub(latest(d.seen, d.online.Changed)) > longGone {
		return nil
	}
	o := t.observation(d, key, spec, "", bad)
	if o.Text = "It can be reached again."; bad {
		o.LastOK = d.seen
		o.Text = fmt.Sprintf("It cannot be reached since %s. Its last report was at %s.", t.house.When(d.online.Changed, t.now), t.house.When(d.seen, t.now))
	}
	return o
}

// silence returns the rule for the silence of a device, or of one of its metrics.
func (t *tick) silence(d *device, field string) (spec alert.Spec, after time.Duration, ok bool) {
	return t.rules.Silence(rules.Metric{Field: field, Device: d.ID, Name: d.Name, Room: d.Room})
}

// silent judges whether a device reports; nil: that cannot be said.
func (t *tick) silent(ctx context.Context, d *device) (*alert.Observation, error) {
	key := rules.Silent + "/" + d.ID
	before, open := t.active[key]
	if !d.watched {
		if !open || !d.seen.After(before.Seen) {
			return nil, nil
		}
		o := t.observation(d, key, before.Spec, "", false) // it reports again, and its silence says nothing now
		o.Text = "It reports again."
		return o, nil
	}
	quiet := t.now.Sub(latest(d.seen, d.base))
	bad := quiet >= d.limit
	if bad && !open && t.now.Sub(d.seen) > longGone || !bad && open && t.now.Sub(d.seen) >= d.limit {
		return nil, nil
	}
	o := t.observation(d, key, d.spec, "", bad)
	o.LastOK = d.seen
	if o.Text = "It reports again."; !bad || open {
		return o, nil
	}
	var err error
	o.Text, err = t.silenceText(ctx, d)
	return o, err
}

// silenceText says since when a device is silent, and how far its messages come.
func (t *tick) silenceText(ctx context.Context, d *device) (string, error) {
	text := fmt.Sprintf("It has reported nothing for %s.", alert.Span(t.now.Sub(d.seen)))
	if d.usual > 0 {
		text += fmt.Sprintf(" It is usually quiet for %s at most.", alert.Span(d.usual))
	}
	var err error
	if t.why == nil {
		if t.why, err = why.Read(ctx, t.st, t.now); err != nil {
			return "", err
		}
	}
	r, err := t.why.Device(ctx, d.ID)
	if err != nil {
		return "", err
	}
	r.Zone = t.house.Zone
	return strings.Join(append(append([]string{text}, r.Way()...), r.Advice()), "\n"), nil
}

// metricSilent judges whether a metric comes that used to, while the device reports others;
// nil: that cannot be said. own says that hearth.yml has a rule for it, which holds also if the
// device reports nothing.
func (t *tick) metricSilent(ctx context.Context, d *device, s *store.DeviceState) (o *alert.Observation, own bool, err error) {
	key := rules.Silent + "/" + d.ID + "/" + s.Metric
	open := t.active[key].Key != ""
	at := why.Seen(*s)
	behind := t.now.Sub(latest(at, d.base))
	if !open && behind < brief {
		return nil, false, nil
	}
	spec, limit, ok := t.silence(d, s.Metric)
	if limit == d.after && spec.Rule == d.spec.Rule { // the rule is about the device as a whole
		limit = 0
	}
	if own = ok && limit > 0; ok && !own {
		if !open && (behind < floor || flag(d, s)) {
			return nil, false, nil
		}
		limit, ok = t.f.memory.stream(metric{d.ID, s.Metric}).MetricLimit(t.now)
	}
	others := d.seen.Sub(at) >= limit/3 // are reported
	bad := ok && behind >= limit && (own || others)
	if !open && (!bad || t.now.Sub(at) > longGone) || open && !bad && (!ok || t.now.Sub(at) >= limit) && !at.After(t.active[key].Seen) {
		return nil, own, nil
	}
	o = t.observation(d, key, spec, s.Metric, bad)
	switch o.LastOK, o.Text = at, "It is reported again."; {
	case bad && others:
		o.Text = fmt.Sprintf("%s was last reported at %s; the device reports its other values.", d.title(s.Metric), t.house.When(at, t.now))
	case bad && !open:
		o.Text, err = t.silenceText(ctx, d)
	}
	return o, own, err
}

// flag reports whether a metric is a word or a switch, which comes when it changes.
func flag(d *device, s *store.DeviceState) bool { return s.Text != "" || isEvent(&d.measure, s) }

// frozen judges whether a value changes that used to; nil: that cannot be said.
func (t *tick) frozen(d *device, s *store.DeviceState) *alert.Observation {
	key := rules.Frozen + "/" + d.ID + "/" + s.Metric
	open := t.active[key].Key != ""
	learned := t.f.memory.stream(metric{d.ID, s.Metric})
	equal := why.Seen(*s).Sub(latest(s.Changed, learned.resumed)) // what it was while it reported nothing is not known
	if s.Text != "" || s.Quality != "ok" || !open && equal < brief {
		return nil
	}
	of := rules.Metric{Field: s.Metric, Device: d.ID, Name: d.Name, Room: d.Room}
	spec, limit, ok := t.rules.Frozen(of)
	of.Field = ""
	if general, after, _ := t.rules.Frozen(of); general.Rule == spec.Rule && after == limit && !silence.Continuous(s.Metric) {
		return nil
	}
	if ok && limit == 0 {
		limit, ok = learned.Frozen(t.now)
	}
	bad := ok && equal >= limit && !atEnd(s)
	if !open && !bad || open && !bad && equal >= limit && !atEnd(s) {
		return nil
	}
	o := t.observation(d, key, spec, s.Metric, bad)
	v := s.Value
	o.Value, o.Unit, o.LastOK = &v, catalogue.KeyUnit(s.Metric), s.Changed
	if o.Text = "The value changes again."; bad {
		o.Text = fmt.Sprintf("%s is exactly %s for %s.", d.title(s.Metric), alert.Number(v, o.Unit), alert.Span(equal))
	}
	return o
}

// atEnd reports whether a value is at an end of its range, where it may stay: no dust, no
// humidity, or as much as there can be.
func atEnd(s *store.DeviceState) bool {
	return s.Value == 0 || s.Value == 100 && catalogue.KeyUnit(s.Metric) == "%"
}
