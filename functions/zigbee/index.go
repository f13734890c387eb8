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
	errNobody    = errors.New("the bridge's list of devices is empty: not even the coordinator is in it")
	errBase      = errors.New("the topic is below none of ZIGBEE_BASES")
	errAttribute = errors.New("single attributes are not taken: set `output: json` in Zigbee2MQTT")
)

func unknownName(name string) error {
	return fmt.Errorf("no device is called %.100q in Zigbee2MQTT's list", name)
}

// about is what the register keeps of a Zigbee device.
type about struct {
	Base    string             `json:"base"`
	Model   string             `json:"model,omitempty"`
	Vendor  string             `json:"vendor,omitempty"`
	Power   string             `json:"power,omitempty"`   // "Battery"
	Metrics map[string]exposed `json:"metrics,omitempty"` // by property
	Was     []string           `json:"was,omitempty"`     // earlier names: what was published under them comes late
	Group   bool               `json:"group,omitempty"`
}

// exposed is what a device declares of one property.
type exposed struct {
	Unit string   `json:"unit,omitempty"`
	Min  *float64 `json:"min,omitempty"`
	Max  *float64 `json:"max,omitempty"`
	On   string   `json:"on,omitempty"` // the text that is 1
	Off  string   `json:"off,omitempty"`
}

// index finds devices by topic.
type index struct {
	changes uint64 // of the register
	byName  map[string]map[string]*named
}

// named is a device under its name.
type named struct {
	*device.Binding
	about      about
	properties map[string]*property
	said       said
}

// said is what a batch brought of a device at its newest last_seen.
type said struct {
	work   *work
	seen   time.Time
	values []device.Value
}

// indexed returns the index of what the register knows now.
func indexed(old *index, b *ingest.Batch) *index {
	if old.byName != nil && old.changes == b.Version() {
		return old
	}
	x := &index{changes: b.Version(), byName: map[string]map[string]*named{}}
	var later []*named
	for bound := range b.Bindings {
		if !strings.HasPrefix(bound.Physical, "0x") && !strings.Contains(bound.Physical, groupPart) {
			continue
		}
		n := &named{Binding: bound, properties: map[string]*property{}}
		if json.Unmarshal(bound.About, &n.about) != nil || n.about.Base == "" {
			continue // of another function
		}
		x.put(n.about.Base, bound.Name, n)
		later = append(later, n)
	}
	for _, n := range later {
		for _, name := range n.about.Was {
			if x.find(n.about.Base, name) == nil {
				x.put(n.about.Base, name, n)
			}
		}
	}
	return x
}

// put names n. A group that lost its name to a device says nothing anyway.
func (x *index) put(base, name string, n *named) {
	if x.byName[base] == nil {
		x.byName[base] = map[string]*named{}
	}
	if old := x.byName[base][name]; old != nil && (n.about.Group || !old.about.Group && old.Physical < n.Physical) {
		return
	}
	x.byName[base][name] = n
}

func (x *index) find(base, name string) *named { return x.byName[base][name] }

// property is how one attribute of a device is kept.
type property struct {
	key     string // "" to leave it out
	note    string // the key of its text
	unit    catalogue.Unit
	field   *catalogue.Field
	on, off string
}

const maxProperties = 400 // of a device, however it names them

var measurement, _ = catalogue.Get("zigbee")

// skipped says nothing of the house: time is taken from last_seen, and versions
// of firmware are no measurements.
var skipped = map[string]bool{"last_seen": true, "elapsed": true, "update_available": true,
	"update_installed_version": true, "update_latest_version": true, "update_latest_source": true, "update_latest_release_notes": true,
	"action": true, "click": true}

// property returns how an attribute is kept, by its name with those around it.
func (n *named) property(name []byte) *property {
	if p := n.properties[string(name)]; p != nil {
		return p
	}
	p := n.declare(string(name))
	if len(n.properties) < maxProperties {
		n.properties[string(name)] = p
	}
	return p
}

func (n *named) declare(name string) *property {
	plain := catalogue.Key(name)
	if plain == "" || skipped[name] || plain == catalogue.Quality || plain == catalogue.Suspect {
		return &property{}
	}
	if plain == "time" || plain == "device" {
		plain += "_value"
	}
	e, declared := n.about.Metrics[name]
	p := &property{note: plain, on: e.On, off: e.Off}
	if declared {
		p.unit, _ = catalogue.UnitOf(e.Unit)
	} else {
		p.unit = usual[plain]
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

// usual are the units of properties that have the same one everywhere, for
// devices that declare nothing. A voltage is in mV on a battery and in V on a
// plug: it has none.
var usual = func() map[string]catalogue.Unit {
	m := map[string]catalogue.Unit{}
	for _, f := range measurement.Fields {
		u, _ := catalogue.UnitOf(f.Unit)
		if name, ok := strings.CutSuffix(f.Key, "_"+u.Suffix); ok && u.Suffix != "" && name != "voltage" {
			m[name] = u
		}
	}
	return m
}()
