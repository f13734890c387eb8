package function

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/scan"
)

// sameMessage is the time within which the JSON of a device and its single attributes
// arrive.
const sameMessage = 2 * time.Second

// readInfo handles bridge/info: whether the devices send JSON or a topic for each
// attribute.
// https://www.zigbee2mqtt.io/guide/configuration/mqtt.html
func (w *work) readInfo(base string, b []byte) {
	var info struct {
		Config struct {
			Advanced struct{ Output string }
		}
	}
	if json.Unmarshal(b, &info) == nil {
		w.z.outputs[base] = info.Config.Advanced.Output
	}
}

// sendsJSON reports whether a device sends JSON, by the bridge's settings or else by
// what it sent. Then topics of its attributes, actions and endpoints are copies.
func (w *work) sendsJSON(d *knownDevice) bool {
	output := w.z.outputs[d.about.Base]
	return output != "attribute" && (output != "" || d.json)
}

// readSingle handles a topic of one attribute: 21.5 on kitchen/temperature, 0.4 on
// lamp/color-x. Zigbee2MQTT sends nothing else with output: attribute; with
// attribute_and_json it sends them after the JSON, and actions and the endpoints of
// lights for Home Assistant. A copy of JSON is ignored.
func (w *work) readSingle(i int, d *knownDevice, path string) {
	m := &w.ms[i]
	if d.about.Group || w.sendsJSON(d) || strings.HasPrefix(path, "device-") { // device-model: of include_device_information
		return
	}
	p := payload{device: d}
	if p.decode(object(path, m.Payload)) != nil {
		return
	}
	if w.z.outputs[d.about.Base] == "" { // JSON may have come before a restart of this function
		p.values = slices.DeleteFunc(p.values, func(v device.Value) bool { return w.isCopy(i, d, v.Key, v.V, "") })
		if w.isCopy(i, d, "action", 0, p.action) {
			p.action = ""
		}
	}
	w.addPayload(i, &p)
	w.rejectIf(m, p.bad)
}

// isCopy reports whether a state has the value already since a moment before message i
// arrived.
func (w *work) isCopy(i int, d *knownDevice, key string, v float64, text string) bool {
	state, known := w.b.State(d.Logical, key)
	since := w.ms[i].Time.Sub(state.Arrived)
	return known && state.Value == v && state.Text == text && since >= 0 && since < sameMessage
}

var pathSigns = strings.NewReplacer("-", "_", "/", "_")

// object returns the JSON that stands for a single attribute.
func object(path string, value []byte) []byte {
	s := scan.New(value)
	kind := s.Kind()
	if kind != scan.Number && kind != scan.Bool || s.Skip() != nil || s.End() != nil { // a text is not quoted
		value, _ = json.Marshal(string(value))
	}
	key, _ := json.Marshal(pathSigns.Replace(path))
	return bytes.Join([][]byte{[]byte("{"), key, []byte(":"), value, []byte("}")}, nil)
}
