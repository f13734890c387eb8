package sim

import (
	"slices"
	"sync"
)

// Way is a way in which a simulated sensor can be made to fail.
type Way struct {
	Name   string // "silent"
	About  string // for a person: what the sensor then does
	faults Fault
}

// Ways lists the ways, for every kind of sensor.
var Ways = []Way{
	{"over", "over the limit", High},
	{"silent", "silent", Unplugged | NACK},
	{"frozen", "frozen", Frozen},
	{"broken", "broken values", BadCRC | Noise | Torn},
}

// Switch makes simulated sensors fail, by the name of their device. It is safe for
// concurrent use.
type Switch struct {
	mu      sync.Mutex
	on      map[string]Way
	sensors map[string][]*Faults
}

// NewSwitch returns a Switch with which nothing fails.
func NewSwitch() *Switch { return &Switch{on: map[string]Way{}, sensors: map[string][]*Faults{}} }

// Set makes a device's sensor fail in the named way, and in no other; "" ends that. It
// reports whether there is such a way.
func (s *Switch) Set(device, way string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(Ways, func(w Way) bool { return w.Name == way })
	switch {
	case way == "":
		delete(s.on, device)
	case i < 0:
		return false
	default:
		s.on[device] = Ways[i]
	}
	for _, f := range s.sensors[device] {
		f.replace(s.on[device].faults)
	}
	return true
}

// On returns the names of the ways in which sensors fail now, by device.
func (s *Switch) On() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for device, w := range s.on {
		out[device] = w.Name
	}
	return out
}

// add puts a simulated sensor under the switch. A nil Switch has none.
func (s *Switch) add(device string, sensor any) {
	o, ok := sensor.(interface{ own() *Faults })
	if s == nil || !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sensors[device] = append(s.sensors[device], o.own())
	o.own().replace(s.on[device].faults)
}
