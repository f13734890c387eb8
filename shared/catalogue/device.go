package catalogue

import (
	"slices"
	"time"
)

// DeviceLabel is the label with the id of the device. Names and rooms are no labels.
const DeviceLabel = "device"

// deviceLabels are the labels of all readings of devices.
var deviceLabels = []string{DeviceLabel}

// OfDevices reports whether devices report the measurement.
func (m Measurement) OfDevices() bool { return slices.Contains(m.Labels, DeviceLabel) }

// FromKind reports whether devices of a kind may report the measurement. The register
// holds the kind of each device. A kind that the catalogue does not know may report any
// measurement of devices.
func (m Measurement) FromKind(kind string) bool {
	_, known := deviceKinds[kind]
	return m.OfDevices() && (!known || len(m.Devices) == 0 || slices.Contains(m.Devices, kind))
}

// DeviceKind says which function registers devices of a kind, and how they are shown.
type DeviceKind struct {
	Function string        // that registers them
	Group    string        // the heading of those without a room, below the rooms; "": none
	Hidden   bool          // not shown at all
	Pause    time.Duration // how long a device that reports changes may be quiet without one; 0: they report regularly
}

const forwarders = "Nodes and bridges" // they forward what others measure

// deviceKinds are the kinds of devices that functions register.
var deviceKinds = map[string]DeviceKind{
	"edge": {Function: "sensors"}, "mapped": {Function: "sensors"},
	"zigbee": {Function: "zigbee", Pause: time.Hour}, // the usual maximum reporting interval
	"node":   {Function: "sensors", Group: forwarders}, "bridge": {Function: "zigbee", Group: forwarders},
	"group": {Function: "zigbee", Hidden: true}, // a group of Zigbee devices, each of which is shown
}

// DeviceKindOf returns what is known of a kind of devices; the zero value if it is unknown.
func DeviceKindOf(kind string) DeviceKind { return deviceKinds[kind] }

// edgeAndMapped are the kinds of devices that edge agents and mappings report.
var edgeAndMapped = []string{"edge", "mapped"}

// States declares the values of devices that are no readings: only the latest one is
// stored, in the register. No reading can have this measurement.
func States() Measurement { return states }

var states = Measurement{Labels: deviceLabels, Fields: titled([]Field{
	{Key: "action", Title: "Last action"},
	{Key: "devices", Max: Limits},
	{Key: "groups", Max: Limits},
	{Key: "online", Max: 1, Show: Reachable},
	{Key: "simulated", Max: 1, Show: Simulated},
	{Key: "problem", Title: "Problem with the broker"},
	{Key: "boot", Show: Hidden},
	{Key: Suspect, Show: Hidden},
})}
