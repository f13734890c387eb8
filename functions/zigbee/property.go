package function

import (
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// property says how one attribute of a device's payload is stored.
type property struct {
	kind    kind
	key     string // of a number
	textKey string // of a text, or of a switch
	unit    catalogue.Unit
	field   *catalogue.Field
	presets []float64 // numbers that stand for words
	on, off string
}

// kind is what the values of a property are, by the device's declaration.
type kind byte

const (
	undeclared kind = iota // by each value: a number, a switch that is ON or OFF, or a text
	numeric
	binary
	text    // also a number that is one of a list: the level "2" of 1, 2 and 3
	ignored // no measurement
)

// kinds are the kinds of the types of exposes.
// https://www.zigbee2mqtt.io/guide/usage/exposes.html
var kinds = map[string]kind{"numeric": numeric, "binary": binary, "enum": text, "text": text, "list": text, "composite": text}

const maxProperties = 400 // of a device

var measurement, _ = catalogue.Get("zigbee")

// noMeasurement are attributes that are not measurements, or copies. The time is taken
// from last_seen, and button presses from action and click.
var noMeasurement = map[string]bool{"last_seen": true, "elapsed": true, "update_available": true,
	"update_installed_version": true, "update_latest_version": true, "update_latest_source": true, "update_latest_release_notes": true,
	"action": true, "click": true,
	"color_h": true, "color_s": true} // copies of hue and saturation, for Home Assistant

// secrets are parts of the keys of what must not be shown: the codes of locks and alarm
// keypads, and passwords.
var secrets = []string{"pin_code", "pincode", "user_code", "admin_code", "action_code", "passcode", "password"}

// property returns how an attribute is stored. name is its path, joined by _.
func (n *knownDevice) property(name []byte) *property {
	if p := n.properties[string(name)]; p != nil {
		return p
	}
	p := n.newProperty(string(name))
	if len(n.properties) < maxProperties {
		n.properties[string(name)] = p
	}
	return p
}

// isComposite reports whether an object is read: not in place of a number, a switch or a
// text, such as the bytes of a converter that is being developed.
func (n *knownDevice) isComposite(name []byte) bool {
	e, declared := n.about.Metrics[string(name)]
	return !declared || e.Type == "" || e.Type == "list" || e.Type == "composite"
}

func (n *knownDevice) newProperty(name string) *property {
	plain := catalogue.Key(name)
	if plain == "" || noMeasurement[name] || plain == catalogue.Quality || plain == catalogue.Suspect ||
		slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(plain, s) }) {
		return &property{kind: ignored}
	}
	if plain == "time" || plain == "device" {
		plain += "_value"
	}
	e := n.about.Metrics[name]
	p := &property{kind: kinds[e.Type], textKey: plain, on: e.On, off: e.Off, presets: e.Presets}
	if u, usual := usualUnits[plain]; p.kind == undeclared && usual {
		p.kind, p.unit = numeric, u
	} else {
		p.unit, _ = catalogue.UnitOf(e.Unit)
	}
	p.key = p.unit.Key(plain)
	p.field = fieldOf(p, e)
	return p
}

// fieldOf returns the declaration of a property's numbers.
func fieldOf(p *property, e exposed) *catalogue.Field {
	f, listed := measurement.Field(p.key)
	if !listed || p.kind == numeric && len(f.Words) > 0 { // a number and no switch, though its name is that of one
		f = catalogue.Field{Key: p.key, Unit: p.unit.Symbol, Min: -catalogue.Limits, Max: catalogue.Limits}
	}
	if e.Min != nil && e.Max != nil && *e.Min >= *e.Max {
		e.Min, e.Max = nil, nil // no range: some converters declare 0 to 0
	}
	if e.Min != nil {
		f.Min = p.unit.Convert(*e.Min)
	}
	if e.Max != nil {
		f.Max = p.unit.Convert(*e.Max)
	}
	return &f
}

// usualUnits are the units of properties that all devices report in the same unit.
// They are for devices that declare none. voltage is not among them: it is in mV on a
// battery and in V on a plug.
var usualUnits = func() map[string]catalogue.Unit {
	m := map[string]catalogue.Unit{}
	for _, f := range measurement.Fields {
		u, _ := catalogue.UnitOf(f.Unit)
		if name := catalogue.WithoutUnit(f.Key); name != f.Key && name != "voltage" {
			m[name] = u
		}
	}
	return m
}()
