// Package catalogue declares every measurement once: its fields with unit and
// range, its labels, how often it comes and how long it is kept. The writer
// refuses what is not listed here; the range guard, the page, the alert rules
// and the dashboards are derived from it.
package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SampleLabel marks sample data: recorded answers, and what simulated sensors say. Every measurement may carry it.
const SampleLabel = "sample"

// Measurement is the declaration of one kind of Reading.
type Measurement struct {
	Name     string
	Title    string        // "Weather now"; "": made of the name
	About    string        // one line for a person
	Function string        // who writes it; of the family
	Kinds    []string      // the edge's kinds of sensors whose readings are of it
	Devices  []string      // the kinds of devices that report it; none: any
	Labels   []string      // the tags it may carry
	Term     string        // the label whose values are spans, 6m or 10y: shorter ones stand first
	Fields   []Field       // the numbers it may carry, in the order in which they are shown: the first is the headline
	Text     []string      // the strings it may carry, in the order in which they are shown
	HideText []string      // those of Text that are not shown
	Cadence  time.Duration // how often it is expected; 0: no expectation
	Keep     Retention
	Ahead    time.Duration // how far in the future a time may lie: a forecast's reach
	Since    time.Time     // the earliest time that makes sense; zero: the year 2000
	Parts    bool          // a declared key may have a part's name in front: socket_2_power_watts
	Open     bool          // any number is taken; the device itself says its unit and range
}

// Field is one number. Unit stands in the key too; here it is spelt for people.
type Field struct {
	Key      string // "temperature_celsius"
	Title    string // "Temperature"; "": made of the key
	Unit     string // "°C"
	Min, Max float64
	Words    []string  // what 0, 1, 2, … mean: {"open", "closed"}; none: see Word
	Digits   int       // behind the point; 0: as the unit is written
	Show     Show      // where it is shown
	Warn     Threshold // when a person wants to hear of it; zero: never
	Step     float64   // more than this within a minute is suspect until it stays; 0: any step is plausible
	Counter  bool      // it only grows; a reset is no consumption
}

// Threshold is a default alert. It starts above Above or below Below, and ends once
// the value is back by Hysteresis. HasAbove and HasBelow say which side is set.
type Threshold struct {
	Above, Below       float64
	HasAbove, HasBelow bool
	Hysteresis         float64
}

// Retention says how long a measurement is kept.
type Retention int

const (
	KeepYears  Retention = iota // raw for ever: few points
	KeepMonths                  // raw for a year
	KeepDays                    // raw for 14 days, then means
)

// Family is what one function brings, and how people call it.
type Family struct {
	Function     string // "weather"
	Title        string // "Weather": it stands over the items, too; "": made of the function's name
	About        string // one line for a person
	Measurements []Measurement
}

// families lists the declarations, one variable a file, as people ask for them:
// what the platform reports about itself comes last.
var families = complete(
	weather,
	asana,
	stocks,
	treasuries,
	feeds,
	github,
	zigbee,
	sensors,
)

// complete fills in what the declarations leave to their defaults.
func complete(families ...Family) []Family {
	for i := range families {
		f := &families[i]
		f.Title = cmp.Or(f.Title, Title(f.Function))
		for j := range f.Measurements {
			m := &f.Measurements[j]
			m.Function, m.Title, m.Fields = f.Function, cmp.Or(m.Title, Title(m.Name)), titled(m.Fields)
		}
	}
	return families
}

// titled gives the fields without a title one made of their key.
func titled(fields []Field) []Field {
	for i := range fields {
		fields[i].Title = cmp.Or(fields[i].Title, Title(fields[i].Key))
	}
	return fields
}

// FamilyOf returns what a function brings; of a function that is not listed, its
// name is the title.
func FamilyOf(function string) Family {
	for _, f := range families {
		if f.Function == function {
			return f
		}
	}
	return Family{Function: function, Title: function}
}

var byName = index()

func index() map[string]*Measurement {
	m := map[string]*Measurement{}
	for _, f := range families {
		for i := range f.Measurements {
			m[f.Measurements[i].Name] = &f.Measurements[i]
		}
	}
	return m
}

// All returns every measurement, in the order of the families.
func All() []Measurement {
	var all []Measurement
	for _, f := range families {
		all = append(all, f.Measurements...)
	}
	return all
}

// Get returns the declaration of a measurement.
func Get(name string) (Measurement, bool) {
	m, ok := byName[name]
	if !ok {
		return Measurement{}, false
	}
	return *m, true
}

// Of returns the names of the measurements that a function writes.
func Of(function string) []string {
	var names []string
	for _, m := range FamilyOf(function).Measurements {
		names = append(names, m.Name)
	}
	return names
}

// OfKind returns the measurement that the readings of an edge's kind of sensor are
// of; ok is false where no measurement names the kind.
func OfKind(kind string) (measurement string, ok bool) {
	measurement, ok = byKind[kind]
	return measurement, ok
}

// FromSensors returns the names of the measurements that the edge's sensors bring,
// in the order of their declarations.
func FromSensors() []string { return slices.Clone(fromSensors) }

var byKind, fromSensors = indexKinds()

func indexKinds() (map[string]string, []string) {
	kinds, names := map[string]string{}, []string{}
	for _, m := range All() {
		for _, k := range m.Kinds {
			kinds[k] = m.Name
		}
		if len(m.Kinds) > 0 {
			names = append(names, m.Name)
		}
	}
	return kinds, names
}

// Field returns the declaration of a number. Where parts may have their own,
// socket_2_power_watts is declared as power_watts, by the longest ending.
func (m Measurement) Field(key string) (Field, bool) {
	if i, ok := m.Position(key); ok {
		return m.Fields[i], true
	}
	return Field{}, false
}

// Position returns which of the fields declares a key.
func (m Measurement) Position(key string) (int, bool) {
	for rest, found := key, true; found; _, rest, found = strings.Cut(rest, "_") {
		for i := range m.Fields {
			if m.Fields[i].Key == rest {
				return i, true
			}
		}
		if !m.Parts {
			break
		}
	}
	return 0, false
}

// RiseKey is the field beside a counter that says by how much it rose since the
// reading before: energy_delta_kwh of energy_kwh.
func RiseKey(counter string) string {
	if head, ok := strings.CutSuffix(counter, "_kwh"); ok {
		return head + "_delta_kwh"
	}
	return counter + "_delta"
}

// Limits are the range of numbers without a declaration: what is beyond them is
// no measurement.
const Limits = 1e18

var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const skew = 5 * time.Minute // a source's clock may be ahead of ours

// CheckTime reports a time that cannot be that of anything said until now.
func CheckTime(t, now time.Time) error { return checkTime(t, year2000, 0, now) }

// CheckTime reports a time that cannot be that of a reading.
func (m *Measurement) CheckTime(t, now time.Time) error {
	since := m.Since
	if since.IsZero() {
		since = year2000
	}
	if err := checkTime(t, since, m.Ahead, now); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// checkTime names the bounds and now. For a time before them they are named to the
// day: a clock that was never set says the same time in every message, and one
// reason is one cause in the list of dead letters.
func checkTime(t, since time.Time, ahead time.Duration, now time.Time) error {
	until := now.Add(ahead + skew)
	if !t.Before(since) && !t.After(until) {
		return nil
	}
	layout := time.RFC3339Nano
	if t.Before(since) {
		layout = time.DateOnly
	}
	return fmt.Errorf("the time %s is outside %s to %s (now %s)", t.UTC().Format(time.RFC3339Nano),
		since.UTC().Format(layout), until.UTC().Format(layout), now.UTC().Format(layout))
}
