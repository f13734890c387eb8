// Package computed computes values of a device from those of others: the power of a
// rack is the sum of what its plugs report, the heating of a PC the difference of two
// temperatures.
package computed

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// Value is a value of a device that is the sum of its terms.
type Value struct {
	Device      string
	Measurement string
	Key         string
	Field       *catalogue.Field // its declaration
	Terms       []Term
	Convert     func(sum float64) float64 // from the unit of the members to the one that is stored
	MaxAge      time.Duration             // by how much a member's value may be older than the newest; one that is older counts as missing
	Derived     bool                      // MaxAge is a default, which is longer for devices that report changes
}

// Term is the latest value of a device, or of each device of a group, that is added or
// subtracted.
type Term struct {
	Device   string
	Group    func(id string) bool // instead of Device
	Metric   string
	Subtract bool
}

// Set holds computed values. It does not change, and nil is an empty Set.
type Set struct {
	values []*Value
	of     map[string][]*Value // by the device of a term
	groups []*Value            // with a group
}

// NewSet returns a Set of values; nil if there are none.
func NewSet(values []*Value) *Set {
	if len(values) == 0 {
		return nil
	}
	s := &Set{values: values, of: map[string][]*Value{}}
	for _, v := range values {
		for _, t := range v.Terms {
			switch {
			case t.Group != nil && !slices.Contains(s.groups, v):
				s.groups = append(s.groups, v)
			case t.Group == nil && !slices.Contains(s.of[t.Device], v):
				s.of[t.Device] = append(s.of[t.Device], v)
			}
		}
	}
	return s
}

// Sorted returns the values that are due, always in the same order.
func (s *Set) Sorted(due map[*Value]bool) (out []*Value) {
	for _, v := range s.values {
		if due[v] {
			out = append(out, v)
		}
	}
	return out
}

// Has reports whether a metric of a device is computed.
func (s *Set) Has(device, metric string) bool {
	return slices.ContainsFunc(s.values, func(v *Value) bool { return v.Device == device && v.Key == metric })
}

// Of returns the values that a metric of a device is a member of.
func (s *Set) Of(device, metric string) (out []*Value) {
	for _, v := range s.of[device] {
		if slices.ContainsFunc(v.Terms, func(t Term) bool { return t.Device == device && t.Metric == metric }) {
			out = append(out, v)
		}
	}
	for _, v := range s.groups {
		if slices.ContainsFunc(v.Terms, func(t Term) bool { return t.Metric == metric && t.Group != nil && t.Group(device) }) && !s.Has(device, metric) {
			out = append(out, v)
		}
	}
	return out
}

// Members returns the ids of the devices that may be members of v, among all known ids,
// sorted.
func (v *Value) Members(known []string) []string {
	var out []string
	for _, t := range v.Terms {
		if t.Group == nil {
			out = append(out, t.Device)
			continue
		}
		for _, id := range known {
			if t.Group(id) {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Grouped reports whether v has a group.
func (v *Value) Grouped() bool {
	return slices.ContainsFunc(v.Terms, func(t Term) bool { return t.Group != nil })
}

// States are the latest states of devices, by device and metric.
type States map[string]map[string]store.DeviceState

// Set sets the state of a metric.
func (s States) Set(state store.DeviceState) {
	if s[state.Device] == nil {
		s[state.Device] = map[string]store.DeviceState{}
	}
	s[state.Device][state.Metric] = state
}

// SetSimulated sets whether the last report of a device was of a simulated sensor.
func (s States) SetSimulated(device string, is bool) {
	state := store.DeviceState{Device: device, Metric: Simulated}
	if is {
		state.Value = 1
	}
	s.Set(state)
}

// Result is a value at the time of its newest member.
type Result struct {
	V         float64
	Time      time.Time
	Arrived   time.Time // when the last of the members arrived
	Simulated bool      // a member is a simulated sensor
}

// Compute returns the value of v by the latest states. ok is false if a member has no
// good value, is offline, or has one that is too old. pauses are how long devices that
// report changes may be quiet, by their id.
func (s *Set) Compute(v *Value, states States, pauses map[string]time.Duration) (r Result, ok bool) {
	var sum float64
	members := 0
	oldest := map[time.Duration]time.Time{} // by the age that is allowed
	add := func(t Term, device string) bool {
		value, at, arrived, ok := good(states[device], t.Metric)
		if !ok {
			return false
		}
		if t.Subtract {
			value = -value
		}
		sum += value
		members++
		if at.After(r.Time) {
			r.Time = at
		}
		if arrived.After(r.Arrived) {
			r.Arrived = arrived
		}
		r.Simulated = r.Simulated || states[device][Simulated].Value == 1
		allowed := v.maxAge(pauses[device])
		if first := oldest[allowed]; first.IsZero() || at.Before(first) {
			oldest[allowed] = at
		}
		return true
	}
	for _, t := range v.Terms {
		devices := []string{t.Device}
		if t.Group != nil {
			devices = s.members(t, states)
		}
		for _, device := range devices {
			if !add(t, device) {
				return r, false
			}
		}
	}
	for allowed, at := range oldest {
		if r.Time.Sub(at) > allowed {
			return r, false
		}
	}
	r.V = v.Convert(sum)
	return r, members > 0 && !math.IsInf(r.V, 0) && !math.IsNaN(r.V)
}

// members returns the devices of a group that have its metric, and not as a computed one.
func (s *Set) members(t Term, states States) []string {
	var out []string
	for _, device := range slices.Sorted(maps.Keys(states)) {
		if _, has := states[device][t.Metric]; has && t.Group(device) && !s.Has(device, t.Metric) {
			out = append(out, device)
		}
	}
	return out
}

const pausesAllowed = 3 // as on the page, where a device is silent after so many of its usual pauses

func (v *Value) maxAge(pause time.Duration) time.Duration {
	if v.Derived {
		return max(v.MaxAge, pausesAllowed*pause)
	}
	return v.MaxAge
}

// Names of states of a device that are no readings.
const (
	Simulated = "simulated" // 1: its last report was of a simulated sensor
	available = "available" // 0: it cannot be reached
)

// good returns the latest good value of a metric. ok is false if there is none, if its
// time is unknown, or if the device went offline since.
func good(states map[string]store.DeviceState, metric string) (v float64, at, arrived time.Time, ok bool) {
	s, has := states[metric]
	reach, known := states[available]
	if !has || s.Text != "" || known && reach.Text == "" && reach.Value == 0 && metric != available && reach.Arrived.After(s.Arrived) {
		return 0, at, arrived, false
	}
	if q := quality.Quality(s.Quality); q == quality.OK || q == quality.ClockUnsynced {
		return s.Value, s.Time, s.Arrived, !s.Time.IsZero()
	}
	if s.Good == nil {
		return 0, at, arrived, false
	}
	return *s.Good, s.GoodTime, s.Arrived, !s.GoodTime.IsZero()
}
