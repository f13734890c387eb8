package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
)

var (
	errEmptyList = errors.New("the bridge's list of devices is empty; a valid list has at least the coordinator")
	errBase      = errors.New("the topic begins with none of ZIGBEE_BASES")
	errAttribute = errors.New("topics of single attributes are not supported: set `output: json` in Zigbee2MQTT")
)

func unknownName(name string) error {
	return fmt.Errorf("no device is called %.100q in Zigbee2MQTT's list", name)
}

// about is the description of a Zigbee device in the register.
type about struct {
	Base        string             `json:"base"`
	Model       string             `json:"model,omitempty"`
	Vendor      string             `json:"vendor,omitempty"`
	Power       string             `json:"power,omitempty"`   // "Battery"
	Metrics     map[string]exposed `json:"metrics,omitempty"` // by property
	FormerNames []string           `json:"was,omitempty"`     // messages that were published under a former name may arrive late
	Group       bool               `json:"group,omitempty"`
}

// exposed is a device's declaration of one property.
type exposed struct {
	Unit string   `json:"unit,omitempty"`
	Min  *float64 `json:"min,omitempty"`
	Max  *float64 `json:"max,omitempty"`
	On   string   `json:"on,omitempty"`  // the text that stands for 1
	Off  string   `json:"off,omitempty"` // the text that stands for 0
}

// index finds devices by the name in their topic.
type index struct {
	version uint64                             // of the register's bindings that it was built from
	byName  map[string]map[string]*knownDevice // by base topic and name
}

// knownDevice is a device or a group of Zigbee2MQTT that the register has.
type knownDevice struct {
	*device.Binding
	about      about
	properties map[string]*property
	earlier    seenValues
}

// seenValues are the values of a device's first message with a last_seen in a batch.
// Only those of the latest last_seen are kept.
type seenValues struct {
	work   *work
	seen   time.Time
	values []device.Value
}

// currentIndex returns an index of the register's bindings: old if it is up to date.
func currentIndex(old *index, b *ingest.Batch) *index {
	if old.byName != nil && old.version == b.Version() {
		return old
	}
	x := &index{version: b.Version(), byName: map[string]map[string]*knownDevice{}}
	var all []*knownDevice
	for bound := range b.Bindings {
		if !strings.HasPrefix(bound.Physical, "0x") && !strings.Contains(bound.Physical, groupPart) {
			continue
		}
		n := &knownDevice{Binding: bound, properties: map[string]*property{}}
		if json.Unmarshal(bound.About, &n.about) != nil || n.about.Base == "" {
			continue // not described by this function
		}
		x.put(n.about.Base, bound.Name, n)
		all = append(all, n)
	}
	for _, n := range all { // former names only where no device has the name now
		for _, name := range n.about.FormerNames {
			if x.find(n.about.Base, name) == nil {
				x.put(n.about.Base, name, n)
			}
		}
	}
	return x
}

// put adds n under a name. Where two have one name, the device wins over the group,
// then the one with the smaller physical id.
func (x *index) put(base, name string, n *knownDevice) {
	if x.byName[base] == nil {
		x.byName[base] = map[string]*knownDevice{}
	}
	if old := x.byName[base][name]; old != nil && (n.about.Group || !old.about.Group && old.Physical < n.Physical) {
		return
	}
	x.byName[base][name] = n
}

func (x *index) find(base, name string) *knownDevice { return x.byName[base][name] }

// property says how one attribute of a device's payload is stored.
type property struct {
	key     string // of a number; "": the attribute is ignored
	textKey string // of a text, or of a switch
	unit    catalogue.Unit
	field   *catalogue.Field
	on, off string
}

const maxProperties = 400 // of a device

var measurement, _ = catalogue.Get("zigbee")

// ignored are attributes that are not measurements. The time is taken from last_seen,
// and button presses from action and click.
var ignored = map[string]bool{"last_seen": true, "elapsed": true, "update_available": true,
	"update_installed_version": true, "update_latest_version": true, "update_latest_source": true, "update_latest_release_notes": true,
	"action": true, "click": true}

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

func (n *knownDevice) newProperty(name string) *property {
	plain := catalogue.Key(name)
	if plain == "" || ignored[name] || plain == catalogue.Quality || plain == catalogue.Suspect {
		return &property{}
	}
	if plain == "time" || plain == "device" {
		plain += "_value"
	}
	e, declared := n.about.Metrics[name]
	p := &property{textKey: plain, on: e.On, off: e.Off}
	if declared {
		p.unit, _ = catalogue.UnitOf(e.Unit)
	} else {
		p.unit = usualUnits[plain]
		if p.unit.Factor == 0 {
			p.unit.Factor = 1
		}
	}
	p.key = p.unit.Key(plain)
	f, listed := measurement.Field(p.key)
	if !listed {
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
	p.field = &f
	return p
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
