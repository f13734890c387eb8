package catalogue

import "slices"

// DeviceLabel is the label of whatever devices report. Names and rooms are none.
const DeviceLabel = "device"

// deviceLabels is the only identity on what devices report.
var deviceLabels = []string{DeviceLabel}

// OfDevices reports whether devices report the measurement.
func (m Measurement) OfDevices() bool { return slices.Contains(m.Labels, DeviceLabel) }

// FromKind reports whether a kind of devices, as in the register, may report the
// measurement. A kind that the catalogue does not know may report any.
func (m Measurement) FromKind(kind string) bool {
	_, known := deviceKinds[kind]
	return m.OfDevices() && (!known || len(m.Devices) == 0 || slices.Contains(m.Devices, kind))
}

// DeviceKind says how a kind of devices is shown. The zero DeviceKind is an
// ordinary device's.
type DeviceKind struct {
	Group  string // the heading over those that are in no room, below the rooms
	Hidden bool   // not shown at all
}

const carriers = "Nodes and bridges" // they report what others measure

// deviceKinds are the kinds that functions register.
var deviceKinds = map[string]DeviceKind{
	"edge": {}, "mapped": {}, "telegraf": {}, "zigbee": {},
	"node": {Group: carriers}, "bridge": {Group: carriers},
	"group": {Hidden: true}, // of Zigbee devices, which are shown themselves
}

// DeviceKindOf returns how a kind of devices is shown.
func DeviceKindOf(kind string) DeviceKind { return deviceKinds[kind] }

// edgeAndMapped are the devices whose readings edge agents send and hearth.yml maps.
var edgeAndMapped = []string{"edge", "mapped"}

// States declares what is kept of a device without being a reading: only its latest
// value is known. It is no measurement that can be written.
func States() Measurement { return states }

var states = Measurement{Labels: deviceLabels, Fields: titled([]Field{
	{Key: "action", Title: "Last action"},
	{Key: "devices", Max: Limits},
	{Key: "groups", Max: Limits},
	{Key: "online", Max: 1, Show: Reachable},
	{Key: "simulated", Max: 1, Show: Simulated},
	{Key: "boot", Show: Hidden},
	{Key: Suspect, Show: Hidden},
})}
