// Package rules compiles the rules of alerts: the defaults, of which those with a
// threshold are derived from the catalogue, and what hearth.yml changes of them, adds or
// switches off. All of it is pure.
package rules

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
)

// Set is all rules of a house. It does not change, and is safe for concurrent use.
type Set struct {
	specs        map[string]*general                // the rules without a threshold, by name
	own          []*general                         // those of them that hearth.yml adds: silent and frozen
	thresholds   map[string]map[string][]*threshold // by measurement and field
	measurements map[string]catalogue.Measurement   // those with a threshold
	names        map[string]bool                    // of all rules
}

// Metric is one number of a device or source, as rules choose it.
type Metric struct {
	Measurement string // "": unknown; then its field decides
	Field       string // its key
	Device      string // id; "": of a source
	Name        string // of the device, for people
	Room        string
}

// Compile returns the rules of a house. own are the measurements that hearth.yml adds or
// extends. It notes mistakes in the section rules of f, and leaves those rules out.
func Compile(f *settings.File, own []catalogue.Measurement) *Set {
	s := &Set{specs: map[string]*general{}, thresholds: map[string]map[string][]*threshold{}, measurements: map[string]catalogue.Measurement{}, names: map[string]bool{}}
	c := compiler{Set: s, file: f, measurements: map[string]catalogue.Measurement{}, byName: map[string][]*threshold{}}
	for _, m := range append(catalogue.All(), own...) {
		c.measurements[m.Name] = m
	}
	for name, spec := range specs {
		s.specs[name] = &general{base: &condition{Spec: spec}}
		s.names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.measurements)) {
		c.addDefaults(c.measurements[name])
	}
	for _, name := range slices.Sorted(maps.Keys(f.Rules)) {
		if path := "rules." + name; !f.Broken(path) {
			c.apply(name, path, f.Rules[name])
		}
	}
	return s
}

// Spec returns what a rule decides for its alerts of a device in a room, either of which
// may be "". on is false if it is switched off for them, or if there is no such rule.
func (s *Set) Spec(name, device, room string) (_ alert.Spec, on bool) {
	if g := s.specs[name]; g != nil {
		if c := g.of(Metric{Device: device, Room: room}); c != nil {
			return c.Spec, true
		}
	}
	return alert.Spec{}, false
}

// Names returns the names of all rules, in order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.names)) }

// Silence returns the rule that says after how long without a value a metric is silent;
// 0: as hearth has learned it. ok is false if it is never.
func (s *Set) Silence(m Metric) (_ alert.Spec, after time.Duration, ok bool) {
	return s.still(Silent, m, func(c *condition) time.Duration { return c.silent })
}

// Frozen returns the rule that says after how long without a change a metric is frozen;
// 0: as hearth has learned it. ok is false if it is never.
func (s *Set) Frozen(m Metric) (_ alert.Spec, after time.Duration, ok bool) {
	return s.still(Frozen, m, func(c *condition) time.Duration { return c.frozen })
}

// still returns the first own rule for a metric that has such a time, else the default.
func (s *Set) still(name string, m Metric, after func(*condition) time.Duration) (alert.Spec, time.Duration, bool) {
	for _, g := range append(slices.Clone(s.own), s.specs[name]) {
		if c := g.of(m); c != nil && (after(c) > 0 || g == s.specs[name]) {
			return c.Spec, after(c), true
		}
	}
	return alert.Spec{}, 0, false
}

// Of returns the rules with a threshold that judge a metric: nil for nearly all.
func (s *Set) Of(m Metric) (out []*Threshold) {
	byField := s.thresholds[m.Measurement]
	if byField == nil {
		return nil
	}
	keys := []string{m.Field}
	declared := s.measurements[m.Measurement]
	if f, ok := declared.Field(m.Field); ok && f.Key != m.Field {
		keys = append(keys, f.Key)
	}
	if base, end, ok := cutLast(m.Field, "_"); declared.Open && ok && endpoint.MatchString(end) {
		keys = append(keys, base)
	}
	for i, key := range keys {
		for _, t := range byField[key] {
			if r := t.of(m); r != nil && (i == 0 || r.Where == catalogue.Anywhere) {
				if r.device != "" { // its own limits are in place of those of all
					out = slices.DeleteFunc(out, func(o *Threshold) bool { return o.Rule == r.Rule })
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// endpoint is the name of one of a device's equal parts, as Zigbee2MQTT adds it to a key:
// contact_left, water_leak_2, smoke_l1.
// https://www.zigbee2mqtt.io/guide/usage/exposes.html
var endpoint = regexp.MustCompile(`^((l|ep|in|out)?\d{1,3}|left|right|center|middle|top|bottom|upper|lower|up|down|front|back)$`)

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Watches reports whether the rule of an alert is still there for its subject, and else
// why not.
func (s *Set) Watches(a alert.State) (why string, ok bool) {
	m := Metric{a.Measurement, a.Field, a.Device, a.Name, a.Room}
	if a.Device == "" {
		m.Device = cmp.Or(a.Name, a.Function) // of a source
	}
	is := func(g *general) bool { c := g.of(m); return c != nil && c.Spec.Rule == a.Rule }
	switch {
	case !s.names[a.Rule]:
		if a.Field == "" {
			return "", true // of no rule that hearth.yml can add
		}
		return "The rule " + a.Rule + " is no longer in hearth.yml.", false
	case s.specs[a.Rule] != nil:
		ok = is(s.specs[a.Rule])
	case slices.ContainsFunc(s.own, is):
		ok = true
	case a.Measurement == "":
		ok = !slices.ContainsFunc(s.own, func(g *general) bool { return g.changed.Rule == a.Rule })
	default:
		ok = slices.ContainsFunc(s.Of(m), func(t *Threshold) bool { return t.Spec.Rule == a.Rule })
	}
	if !ok {
		why = "The rule " + a.Rule + " is switched off for it in hearth.yml."
	}
	return why, ok
}

// filter chooses devices.
type filter struct{ fields, devices, rooms []string }

// matches reports whether a metric is chosen. A filter without anything chooses all.
func (f *filter) matches(m Metric) bool {
	return (len(f.fields) == 0 || slices.Contains(f.fields, m.Measurement+"."+m.Field) || m.Measurement == "" && slices.ContainsFunc(f.fields, func(x string) bool { return strings.HasSuffix(x, "."+m.Field) })) &&
		(len(f.devices) == 0 || slices.Contains(f.devices, m.Device)) &&
		(len(f.rooms) == 0 || slices.ContainsFunc(f.rooms, func(r string) bool { return strings.EqualFold(r, m.Room) }))
}

// general is a rule without a threshold.
type general struct {
	base    *condition // nil: off, or a rule of hearth.yml
	changed *condition // by hearth.yml, for what filter chooses; nil: off for them
	filter  *filter    // nil: hearth.yml does not change it
}

// condition is what such a rule decides.
type condition struct {
	alert.Spec
	silent, frozen time.Duration
}

// of returns what the rule decides for a metric, nil if it is off.
func (g *general) of(m Metric) *condition {
	if g.filter != nil && g.filter.matches(m) {
		return g.changed
	}
	return g.base
}
