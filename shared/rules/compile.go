package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/settings"
)

// compiler makes a Set.
type compiler struct {
	*Set
	file         *settings.File
	measurements map[string]catalogue.Measurement // all
	byName       map[string][]*threshold          // a rule may be about several fields
}

// addDefaults adds the rules of the catalogue for a measurement.
func (c *compiler) addDefaults(m catalogue.Measurement) {
	for _, f := range m.Fields {
		for _, t := range append([]catalogue.Threshold{f.Warn}, f.Alerts...) {
			if t.HasAbove || t.HasBelow {
				name := c.nameOf(m, f, t)
				c.add(name, m, f.Key, &threshold{base: defaultOf(name, m, f, t)})
			}
		}
	}
}

func (c *compiler) add(name string, m catalogue.Measurement, key string, t *threshold) {
	byField := c.thresholds[m.Name]
	if byField == nil {
		byField = map[string][]*threshold{}
		c.thresholds[m.Name], c.Set.measurements[m.Name] = byField, m
	}
	byField[key] = append(byField[key], t)
	c.byName[name], c.names[name] = append(c.byName[name], t), true
}

// nameOf returns the name of a default rule: air-co2-high.
func (c *compiler) nameOf(m catalogue.Measurement, f catalogue.Field, t catalogue.Threshold) string {
	end := t.Rule
	if end == "" {
		end = catalogue.WithoutUnit(f.Key)
		switch {
		case f.Word(0) != "":
		case t.HasAbove && t.HasBelow:
			end += "-range"
		case t.HasAbove:
			end += "-high"
		default:
			end += "-low"
		}
	}
	name := strings.ReplaceAll(m.Name+"-"+end, "_", "-")
	if c.names[name] && t.Rule == "" && t.Device == "" { // two fields that differ only by their unit or switch
		name = strings.ReplaceAll(m.Name+"-"+f.Key, "_", "-") + "-limit"
	}
	return name
}

// defaultOf returns the rule for a threshold of the catalogue.
func defaultOf(name string, m catalogue.Measurement, f catalogue.Field, t catalogue.Threshold) *Threshold {
	r := &Threshold{field: f, unit: cmp.Or(f.Unit, catalogue.KeyUnit(f.Key)), Where: t.Where, Instead: t.Instead, Except: t.Except, device: t.Device, Switch: f.Word(0) != "", away: t.Away,
		Spec: alert.Spec{Rule: name, Channel: alert.Channel(cmp.Or(t.Channel, string(channelOf(m)))), Severity: alert.Warning, Title: t.Title, Next: t.Next,
			For: t.For, ClearFor: t.ClearFor, Remind: remindEvery, Comfort: t.Comfort}}
	if t.Critical || t.Away == catalogue.AwayOnly {
		r.Severity = alert.Critical
	}
	if t.HasAbove {
		r.above = &limit{t.Above, t.Above - t.Hysteresis}
	}
	if t.HasBelow {
		r.below = &limit{t.Below, t.Below + t.Hysteresis}
	}
	if t.Hysteresis == 0 && !r.Switch {
		r.leaveBy(hysteresis(f, r.unit, t.Above+t.Below))
	}
	r.Title = cmp.Or(r.Title, titleOf(r))
	return r
}

// leaveBy sets where the condition ends.
func (r *Threshold) leaveBy(hysteresis float64) {
	if r.above != nil {
		r.above = &limit{r.above.enter, r.above.enter - hysteresis}
	}
	if r.below != nil {
		r.below = &limit{r.below.enter, r.below.enter + hysteresis}
	}
}

// titleOf returns the title of an alert: "CO₂ is high", "Water leak".
func titleOf(r *Threshold) string {
	switch {
	case r.Switch && r.field.Words != nil && r.above == nil:
		return r.field.Title + ": " + r.field.Word(0)
	case r.Switch:
		return r.field.Title
	case r.above != nil && r.below != nil:
		return r.field.Title + " is out of its range"
	case r.above != nil:
		return r.field.Title + " is high"
	}
	return r.field.Title + " is low"
}

// channelOf returns what the alerts of a measurement are about.
func channelOf(m catalogue.Measurement) alert.Channel {
	switch m.Name {
	case "air", "soil":
		return alert.Climate
	case "ups", "host", "power":
		return alert.Hardware
	case "canary":
		return alert.Pipelines
	}
	switch m.Function {
	case "weather":
		return alert.Climate
	case "github":
		return alert.Pipelines
	case "stocks", "treasuries":
		return alert.Products
	}
	return alert.Devices
}

// apply applies one rule of hearth.yml.
func (c *compiler) apply(name, path string, r settings.Rule) {
	only := &filter{devices: r.Device, rooms: r.Room}
	switch g, t := c.specs[name], c.byName[name]; {
	case g != nil:
		c.change(name, path, r, g, only)
	case t != nil:
		c.changeThresholds(path, r, t, only)
	case r.Off && r.Field == "" || r.Field == "" || r.Above == nil && r.Below == nil && r.Silent == 0 && r.Frozen == 0 && !r.Off:
		hint := ""
		if near := nearest.Of(name, c.Names()); near != "" {
			hint = ": did you mean " + near + "?"
		}
		c.file.Mistake(path, "there is no rule %q%s A rule of your own needs a field and a condition, as in {field: air.co2_ppm, above: 1200}", name, cmp.Or(hint, "."))
	case r.Off:
	case r.Silent > 0 || r.Frozen > 0:
		only.fields = []string{r.Field}
		spec := c.specs[Silent].base
		if r.Frozen > 0 {
			spec = c.specs[Frozen].base
		}
		changed := &condition{Spec: spec.Spec, silent: r.Silent, frozen: r.Frozen}
		changed.Rule = name
		change(&changed.Spec, r)
		c.own = append(c.own, &general{changed: changed, filter: only})
		c.names[name] = true
	default:
		c.addOwn(name, path, r, only)
	}
}

// change applies hearth.yml to a rule without a threshold.
func (c *compiler) change(name, path string, r settings.Rule, g *general, only *filter) {
	if r.Above != nil || r.Below != nil || r.Unit != "" || (r.Silent > 0 || r.Field != "") && name != Silent && name != Frozen || r.Silent > 0 && name == Frozen || r.Frozen > 0 && name != Frozen {
		c.file.Mistake(path, "the rule %s has no such condition: write a rule with another name", name)
		return
	}
	if r.Field != "" {
		only.fields = []string{r.Field}
	}
	g.filter = only
	if !r.Off {
		changed := *g.base
		changed.silent, changed.frozen = r.Silent, r.Frozen
		change(&changed.Spec, r)
		g.changed = &changed
	}
}

// changeThresholds applies hearth.yml to a default rule with a threshold, for each of its
// fields.
func (c *compiler) changeThresholds(path string, r settings.Rule, ts []*threshold, only *filter) {
	if r.Silent > 0 || r.Frozen > 0 {
		c.file.Mistake(path, "this rule is about a threshold: write a rule with another name for silence, or for a value that does not change")
		return
	}
	_, key, _ := strings.Cut(r.Field, ".")
	if r.Field != "" && !slices.ContainsFunc(ts, func(t *threshold) bool { return t.base.field.Key == key }) {
		c.file.Mistake(path+".field", "this rule is about %s: write a rule with another name", ts[0].base.field.Key)
		return
	}
	for _, t := range ts {
		if r.Field == "" || t.base.field.Key == key {
			c.changeThreshold(path, r, t, only)
		}
	}
}

func (c *compiler) changeThreshold(path string, r settings.Rule, t *threshold, only *filter) {
	changed := *t.base
	if len(only.devices)+len(only.rooms) > 0 {
		changed.Where = catalogue.Anywhere // the user knows better what it is
	}
	if !r.Off && !c.setLimits(&changed, path, r) {
		return
	}
	change(&changed.Spec, r)
	t.filter, t.changed = only, &changed
	if r.Off {
		t.changed = nil
	}
}

// addOwn adds a rule with a threshold that the catalogue does not have.
func (c *compiler) addOwn(name, path string, r settings.Rule, only *filter) {
	measurement, key, _ := strings.Cut(r.Field, ".")
	m, ok := c.measurements[measurement]
	if !ok {
		return // package mapping notes it
	}
	f, known := m.Field(key)
	if !known {
		if !m.Open {
			return
		}
		f = catalogue.Field{Key: key, Title: catalogue.Title(key), Unit: catalogue.KeyUnit(key)}
	}
	own := &Threshold{field: f, Switch: f.Word(0) != "", unit: cmp.Or(f.Unit, catalogue.KeyUnit(f.Key)),
		Spec: alert.Spec{Rule: name, Channel: cmp.Or(alert.Channel(f.Warn.Channel), channelOf(m)), Severity: alert.Warning, Remind: remindEvery}}
	if !c.setLimits(own, path, r) {
		return
	}
	own.Title = titleOf(own)
	change(&own.Spec, r)
	c.add(name, m, key, &threshold{changed: own, filter: only})
}

// setLimits sets the limits that a rule of hearth.yml has, in the unit that is stored.
func (c *compiler) setLimits(t *Threshold, path string, r settings.Rule) bool {
	convert := func(v float64) float64 { return v }
	if r.Unit != "" {
		from, _ := catalogue.UnitOf(r.Unit)
		to, _ := catalogue.UnitOf(t.unit)
		if from.Suffix != to.Suffix {
			c.file.Mistake(path+".unit", "%s is stored in %s: it cannot be compared in %s", t.field.Key, cmp.Or(t.unit, "numbers without a unit"), r.Unit)
			return false
		}
		convert = from.Convert
	}
	if b := r.Above; b != nil {
		enter := convert(b.Enter)
		t.above = &limit{enter, enter - hysteresis(t.field, t.unit, enter)}
		if b.Leave != nil {
			t.above.leave = convert(*b.Leave)
		}
	}
	if b := r.Below; b != nil {
		enter := convert(b.Enter)
		t.below = &limit{enter, enter + hysteresis(t.field, t.unit, enter)}
		if b.Leave != nil {
			t.below.leave = convert(*b.Leave)
		}
	}
	return c.reachable(t, path)
}

// change sets what a rule of hearth.yml says of its alerts.
func change(s *alert.Spec, r settings.Rule) {
	s.Title, s.Next = cmp.Or(r.Title, s.Title), cmp.Or(r.Next, s.Next)
	s.Severity, s.Channel = cmp.Or(alert.Severity(r.Severity), s.Severity), cmp.Or(alert.Channel(r.Channel), s.Channel)
	for _, d := range []struct {
		to   *time.Duration
		from *time.Duration
	}{{&s.For, r.For}, {&s.ClearFor, r.ClearFor}, {&s.Remind, r.Remind}} {
		if d.from != nil {
			*d.to = *d.from
		}
	}
}
