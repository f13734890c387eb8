package ingest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

// aheadTime is how far ahead a forecast is judged.
const aheadTime = 24 * time.Hour

// observed returns the change of alerts by what a run for now has decoded, also where it is
// stored already: of each series the latest reading, of a forecast those of the next day.
func (w *Watch) observed(run store.Run, found []Checked) store.Alerts {
	if w == nil || !run.From.IsZero() {
		return store.Alerts{}
	}
	var seen []alert.Observation
	for _, c := range found {
		series := map[string][]reading.Reading{}
		var order []string
		for _, r := range c.found.Readings {
			m, _ := catalogue.Get(r.Name)
			of := labelsOf(&m, r.Tags)
			key := r.Name + "/" + of
			if series[key] == nil {
				order = append(order, key)
			}
			series[key] = append(series[key], r)
		}
		for _, key := range order {
			m, _ := catalogue.Get(series[key][0].Name)
			o := observer{w, &m, run, c.found.List.Target, labelsOf(&m, series[key][0].Tags)}
			seen = append(seen, o.series(series[key])...)
		}
	}
	return store.Observed(w.House, seen, run.Started)
}

// labelsOf returns the labels of a series as the subject of an alert, in the order of the
// catalogue.
func labelsOf(m *catalogue.Measurement, tags map[string]string) string {
	var parts []string
	for _, k := range m.Labels {
		v := tags[k]
		if len(m.Labels) > 1 {
			v = strings.NewReplacer("%", "%25", "/", "%2F").Replace(v)
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, "/")
}

// observer judges one series of a run.
type observer struct {
	*Watch
	m      *catalogue.Measurement
	run    store.Run
	target string
	labels string
}

func (w *observer) series(rs []reading.Reading) (seen []alert.Observation) {
	slices.SortStableFunc(rs, func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
	at := w.run.Started // of a whole day, and of a forecast, the value is what is known now
	switch last := rs[len(rs)-1]; {
	case w.m.Ahead > 0:
		rs = slices.DeleteFunc(slices.Clone(rs), func(r reading.Reading) bool { return r.Time.Before(at) || r.Time.Sub(at) > aheadTime })
	case w.m.Day:
		rs = []reading.Reading{last}
	default:
		rs, at = []reading.Reading{last}, last.Time
	}
	fields := map[string]bool{}
	for _, r := range rs {
		for key := range r.Fields {
			fields[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		for _, t := range w.Rules.Of(rules.Metric{Measurement: w.m.Name, Field: key, Device: w.labels, Name: w.labels}) {
			if o, ok := w.observe(t, key, rs, at); ok {
				seen = append(seen, o)
			}
		}
	}
	return seen
}

// observe returns what a rule says of the values of a key: of several the worst.
func (w *observer) observe(t *rules.Threshold, key string, rs []reading.Reading, at time.Time) (worst alert.Observation, ok bool) {
	name := t.Spec.Rule + "/" + w.labels + "/" + key
	of := alert.Subject{Function: w.run.Function, Target: w.target, Name: w.labels, Measurement: w.m.Name, Field: key}
	for _, r := range rs {
		v, has := r.Fields[key]
		if !has {
			continue
		}
		verdict := t.Verdict(v, w.House.Away, func() bool { return r.Fields[t.Except] == 1 })
		o := t.Observe(name, of, v, verdict, at, w.House.Away)
		if !ok || verdict > worst.Verdict || verdict == worst.Verdict && o.Value != nil && worst.Value != nil && (o.Below && *o.Value < *worst.Value || !o.Below && *o.Value > *worst.Value) {
			worst, ok = o, true
		}
	}
	worst.Sample, worst.Group = w.run.Sample, "run/"+w.run.ID
	return worst, ok && (worst.Verdict == alert.Bad || w.House.Active[name])
}
