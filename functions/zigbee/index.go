package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
)

var (
	errEmptyList = errors.New("the bridge's list of devices is empty; a valid list has at least the coordinator")
	errBase      = errors.New("the topic begins with none of ZIGBEE_BASES")
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
	Type    string    `json:"type,omitempty"` // numeric, binary, enum, text, list, composite
	Unit    string    `json:"unit,omitempty"`
	Min     *float64  `json:"min,omitempty"`
	Max     *float64  `json:"max,omitempty"`
	Presets []float64 `json:"presets,omitempty"` // numbers beyond Min and Max that stand for words: 65535 for previous
	On      string    `json:"on,omitempty"`      // the text that stands for 1
	Off     string    `json:"off,omitempty"`     // the text that stands for 0
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
	json       bool // it sends JSON, so that topics of single attributes bring nothing new
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
	sentJSON := old.sentJSON()
	var all []*knownDevice
	for bound := range b.Bindings {
		if !strings.HasPrefix(bound.Physical, "0x") && !strings.Contains(bound.Physical, groupPart) {
			continue
		}
		n := &knownDevice{Binding: bound, properties: map[string]*property{}, json: sentJSON[bound.Physical]}
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

// sentJSON returns the physical ids of the devices that have sent JSON.
func (x *index) sentJSON() map[string]bool {
	out := map[string]bool{}
	for _, devices := range x.byName {
		for _, n := range devices {
			if n.json {
				out[n.Physical] = true
			}
		}
	}
	return out
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

// owner returns the device of which a topic is an attribute, and the attribute's path:
// the rest after the longest name that a device has. It returns nil if there is none.
func (x *index) owner(base, topic string) (d *knownDevice, path string) {
	for i := strings.LastIndexByte(topic, '/'); i > 0; i = strings.LastIndexByte(topic[:i], '/') {
		if d := x.find(base, topic[:i]); d != nil {
			return d, topic[i+1:]
		}
	}
	return nil, ""
}
