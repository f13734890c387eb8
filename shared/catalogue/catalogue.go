// Package catalogue declares every measurement once: its labels, its fields with unit
// and range, its cadence, its retention, and how it is shown. Only what is declared
// here or in hearth.yml can be stored. The range guard, the alert rules, the page and
// the dashboards are derived from it. The values that it returns are shared and must
// not be changed.
package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// SampleLabel marks sample data: example answers and readings of simulated sensors.
// Every measurement may carry it.
const SampleLabel = "sample"

// Measurement declares the readings of one name.
type Measurement struct {
	Name     string
	Title    string        // "Weather now"; "": derived from the name
	About    string        // one line for a person
	Function string        // the function that writes it: that of the family
	Kinds    []string      // the kinds of sensors of the edge agent that measure it
	Devices  []string      // the kinds of devices that report it; none: all kinds
	Labels   []string      // the tags it may carry
	Term     string        // the label by which series are shown in order, shorter terms first: 6m, 10y
	Order    []string      // the values of the label Term in the order in which they are shown; none: they are terms
	Fields   []Field       // the numbers it may carry, in the order in which they are shown; the first is the headline
	Text     []string      // the strings it may carry, in the order in which they are shown
	HideText []string      // those of Text that are not shown
	Cadence  time.Duration // how often a reading is expected; 0: at no fixed time
	Keep     Retention
	Ahead    time.Duration // how far in the future the time of a reading may be: of forecasts
	Since    time.Time     // the earliest time of a reading; zero: the year 2000
	Day      bool          // a reading is of a whole day: its time is that day at 00:00 UTC, wherever it is
	Parts    bool          // a key may begin with the name of a part: socket_2_power_watts
	Open     bool          // any number is stored; the device declares its unit and range
}

// Field declares one number of a measurement. Its key ends with the unit, too.
type Field struct {
	Key      string      // "temperature_celsius"
	Title    string      // "Temperature"; "": derived from the key
	Unit     string      // "°C", for people
	Min, Max float64     // a value outside is out of range
	Words    []string    // what 0, 1, 2, … mean: {"open", "closed"}; none: see Word
	Digits   int         // digits behind the point; 0: the format of the unit
	Show     Show        // where it is shown
	Warn     Threshold   // when to alert; zero: never. The page marks such a value
	Alerts   []Threshold // when else to alert: of certain devices, or for longer
	Step     float64     // a larger change within a minute is suspect until further values confirm it; 0: no limit
	Of       string      // the label that it is as a number, so that a table can sort by it; "": a value of its own
	Counter  bool        // it only grows, and is reset to 0 at times; its rises are stored under RiseKey
}

// Family is what one function stores, with its title.
type Family struct {
	Function     string // "weather"
	Title        string // "Weather", the heading of its items, too; "": derived from the name
	About        string // one line for a person
	Private      bool   // not for guests who look at the page: tasks, markets, health
	place        int    // on the page: families with a lower number come first; 0: 50
	Measurements []Measurement
}

// declared is what declare was given, one family in each file.
var declared []Family

// declare adds a family. Each file of this package declares its own, as a variable, so
// that a source is added and removed with its file.
func declare(f Family) Family {
	declared = append(declared, f)
	return f
}

// middle is the place of a family that names none.
const middle = 50

// families returns the declarations with their defaults, in the order in which the page
// shows them.
var families = sync.OnceValue(func() []Family {
	all := slices.Clone(declared)
	slices.SortFunc(all, func(a, b Family) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.place, middle), cmp.Or(b.place, middle)), strings.Compare(a.Function, b.Function))
	})
	for i := range all {
		all[i].complete()
	}
	return all
})

// complete fills in the defaults.
func (f *Family) complete() {
	f.Title = cmp.Or(f.Title, Title(f.Function))
	for i := range f.Measurements {
		m := &f.Measurements[i]
		m.Function, m.Title, m.Fields = f.Function, cmp.Or(m.Title, Title(m.Name)), titled(m.Fields)
	}
}

// titled derives a title from the key for each field without one.
func titled(fields []Field) []Field {
	for i := range fields {
		fields[i].Title = cmp.Or(fields[i].Title, Title(fields[i].Key))
	}
	return fields
}

// FamilyOf returns the family of a function. A function that is not listed has its name
// as title and nothing else.
func FamilyOf(function string) Family {
	for _, f := range families() {
		if f.Function == function {
			return f
		}
	}
	return Family{Function: function, Title: function}
}

// Functions returns the functions that store what is declared, in the order of the families.
func Functions() []string {
	var names []string
	for _, f := range families() {
		names = append(names, f.Function)
	}
	return names
}

var byName = sync.OnceValue(func() map[string]*Measurement {
	m := map[string]*Measurement{}
	for _, f := range families() {
		for i := range f.Measurements {
			m[f.Measurements[i].Name] = &f.Measurements[i]
		}
	}
	return m
})

// All returns every measurement, in the order of the families.
func All() []Measurement {
	var all []Measurement
	for _, f := range families() {
		all = append(all, f.Measurements...)
	}
	return all
}

// Get returns the declaration of a measurement; ok is false if there is none.
func Get(name string) (m Measurement, ok bool) {
	declared, ok := byName()[name]
	if !ok {
		return Measurement{}, false
	}
	return *declared, true
}

// Of returns the names of the measurements that a function writes.
func Of(function string) []string {
	var names []string
	for _, m := range FamilyOf(function).Measurements {
		names = append(names, m.Name)
	}
	return names
}

// OfKind returns the name of the measurement that a kind of sensor of the edge agent
// measures; ok is false if no measurement lists the kind.
func OfKind(kind string) (measurement string, ok bool) {
	measurement, ok = kinds().byKind[kind]
	return measurement, ok
}

// FromSensors returns the names of the measurements that sensors of the edge agent
// measure, in the order of their declarations.
func FromSensors() []string { return slices.Clone(kinds().measurements) }

// Guess returns the measurement of FromSensors that declares most of these fields and
// texts, the first if several declare as many, and how many it declares: "" and 0 if
// none declares any.
func Guess(fields, texts []string) (measurement string, declared int) {
	for _, name := range kinds().measurements {
		m, _ := Get(name)
		n := 0
		for _, key := range fields {
			if _, ok := m.Field(key); ok && key != Quality {
				n++
			}
		}
		for _, key := range texts {
			if slices.Contains(m.Text, key) {
				n++
			}
		}
		if n > declared {
			measurement, declared = name, n
		}
	}
	return measurement, declared
}

// sensorKinds is what the measurements say of the edge agent's kinds of sensors.
type sensorKinds struct {
	byKind       map[string]string // the measurement of a kind
	measurements []string          // those with a kind, in the order of their declarations
}

var kinds = sync.OnceValue(func() sensorKinds {
	out := sensorKinds{byKind: map[string]string{}}
	for _, m := range All() {
		for _, k := range m.Kinds {
			out.byKind[k] = m.Name
		}
		if len(m.Kinds) > 0 {
			out.measurements = append(out.measurements, m.Name)
		}
	}
	return out
})

// Field returns the declaration of a key; ok is false if there is none. If Parts is set,
// the longest declared ending counts: power_watts declares socket_2_power_watts.
func (m Measurement) Field(key string) (f Field, ok bool) {
	if i, ok := m.Position(key); ok {
		return m.Fields[i], true
	}
	return Field{}, false
}

// Position returns the index of the field that Field returns.
func (m Measurement) Position(key string) (i int, ok bool) {
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

// RiseKey returns the key of the field for the increase of a counter since the reading
// before: energy_delta_kwh for energy_kwh.
func RiseKey(counter string) string {
	if head, ok := strings.CutSuffix(counter, "_kwh"); ok {
		return head + "_delta_kwh"
	}
	return counter + "_delta"
}

// Limits bounds fields without a range of their own: from -Limits to Limits.
const Limits = 1e18

var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const skew = 5 * time.Minute // how far the clock of a source may be ahead of ours

// CheckTime returns an error if t is before the year 2000 or more than 5 minutes after
// now.
func CheckTime(t, now time.Time) error { return checkTime(t, year2000, 0, now) }

// CheckTime returns an error if t is before Since, or later than now by more than Ahead
// and 5 minutes. The time of a day must be 00:00 UTC.
func (m *Measurement) CheckTime(t, now time.Time) error {
	if m.Day && !t.Equal(t.Truncate(24*time.Hour)) {
		return fmt.Errorf("%s: the time %s is not 00:00 UTC of a day", m.Name, t.UTC().Format(time.RFC3339Nano))
	}
	since := m.Since
	if since.IsZero() {
		since = year2000
	}
	if err := checkTime(t, since, m.Ahead, now); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// checkTime names the bounds and now in its error. For a time that is too early it
// writes them to the day. A clock that was never set sends the same early time in many
// messages: so their reasons stay equal, and dead letters are listed by reason.
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
