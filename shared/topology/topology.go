// Package topology knows which node or bridge forwards each device's messages, so that
// one alert explains what follows from it. It is pure.
package topology

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/store"
)

// Keys of the alerts that explain others.
const (
	Broker  = "broker-silent"
	Node    = "node-offline/"   // with the id of the node's device
	Bridge  = "bridge-offline/" // with the id of the bridge's device
	away    = "store-away"
	Offline = "device-offline/" // with the id of the device
	link    = "ups-link-lost/"  // with the id of the UPS and the key of its flag
)

// Map says what the devices depend on.
type Map struct {
	above map[string]root     // by device
	below map[string][]string // devices by the node or bridge that forwards them, by id
}

// root is a node or a bridge.
type root struct {
	device string
	parent string // node/ID or bridge/ID
	key    string
}

// Of returns the Map of these devices with their present physical ids.
func Of(devices []store.Device, ids []store.DeviceID) *Map {
	m := &Map{map[string]root{}, map[string][]string{}}
	bound := make(map[string]string, len(ids))
	base := map[string]string{}
	for _, id := range ids {
		if !id.Until.IsZero() {
			continue
		}
		bound[id.Physical] = id.Device
		if strings.HasPrefix(id.Physical, "0x") {
			var about struct{ Base string }
			if json.Unmarshal(id.About, &about) == nil && about.Base != "" {
				base[id.Device] = about.Base
			}
		}
	}
	for _, d := range devices {
		var r root
		switch node, ok := strings.CutPrefix(d.Publisher, "hearth/"); {
		case d.Kind == "node" || d.Kind == "bridge" || d.Kind == "group":
			continue
		case base[d.ID] != "" && bound[base[d.ID]+"/bridge"] != "":
			r.device = bound[base[d.ID]+"/bridge"]
			r.parent, r.key = "bridge/"+r.device, Bridge+r.device
		case ok && bound["node/"+node] != "":
			r.device = bound["node/"+node]
			r.parent, r.key = "node/"+r.device, Node+r.device
		default:
			continue
		}
		m.above[d.ID] = r
		m.below[r.device] = append(m.below[r.device], d.ID)
	}
	for _, ids := range m.below {
		slices.Sort(ids)
	}
	return m
}

// Parents returns what a device depends on, the nearest first: node/ID, bridge/ID, broker.
// All that devices measure comes through the broker.
func (m *Map) Parents(device string) []string {
	if r, ok := m.above[device]; ok {
		return []string{r.parent, "broker"}
	}
	return []string{"broker"}
}

// Roots returns the keys of the alerts that explain what is wrong with a device while they
// are open, the nearest first.
func (m *Map) Roots(device string) []string {
	link := link + device + "/link_lost"
	if r, ok := m.above[device]; ok {
		return []string{link, r.key, Broker, away}
	}
	return []string{link, Broker, away}
}

// Below returns the devices whose messages a node or bridge forwards, by id.
func (m *Map) Below(device string) []string { return m.below[device] }
