package function

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/store"
)

// FuzzPayload decodes any payload of a device, without a database: every value has a
// key, and the limits of one message hold.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{`{"temperature":20,"last_seen":1795435200000,"voltage":3000}`, `{"color":{"x":0.4},"state":"ON","action":"single","click":"x"}`,
		`{"a":{"b":{"c":{"d":{"e":{"f":1}}}}},"x":1,"x":"2","last_seen":"2026-11-23T13:00:00+01:00"}`, `{"update":{"state":"idle"},"":1,"_a":null,"time":3,"suspect":1}`,
		`{"voltage":"3","state":"unknown","state":1,"mode":2,"mode":true,"temperature":"","temperature":1e999}`} {
		f.Add([]byte(seed))
	}
	min, max := 3.0, 100.0
	f.Fuzz(func(t *testing.T, b []byte) {
		n := &knownDevice{Binding: &device.Binding{DeviceID: store.DeviceID{Name: "x"}}, properties: map[string]*property{},
			about: about{Metrics: map[string]exposed{"voltage": {Type: "numeric", Unit: "mV", Presets: []float64{3}}, "state": {Type: "binary", On: "OPEN", Off: "CLOSE"}, "mode": {Type: "enum"},
				"temperature": {Type: "numeric", Unit: "°F", Min: &min, Max: &max}}}}
		single := payload{device: n}
		if err := single.decode(object("color-x", b)); err != nil { // its value may be any bytes
			t.Error(err)
		}
		p := payload{device: n}
		if p.decode(b) == nil && !json.Valid(b) {
			t.Errorf("%q is not JSON", b)
		}
		if len(p.values)+len(p.texts) > maxValues || len(n.properties) > maxProperties || len(p.action) > maxText || len(p.path) > 0 {
			t.Errorf("%d values, %d notes, %d properties, %q, path %q", len(p.values), len(p.texts), len(n.properties), p.action, p.path)
		}
		for _, v := range append(p.values, single.values...) {
			if v.Key == "" || v.Key == "suspect" || v.Key == "quality_code" || v.Key == "time" || math.IsNaN(v.V) {
				t.Errorf("%+v", v)
			}
		}
		_, _ = parseAvailability(b)
	})
}

// FuzzLists decodes any list of the bridge: the descriptions of devices are JSON that
// PostgreSQL takes.
func FuzzLists(f *testing.F) {
	f.Add([]byte(list(f)))
	f.Add([]byte(`[{"id":1,"friendly_name":"x"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func(string, []byte) (map[string]entry, error){readDevices, readGroups} {
			found, _ := read("zigbee2mqtt", b)
			for physical, e := range found {
				about := encode(e.about)
				if physical == "" || e.name == "" || len(about) == 0 || strings.Contains(strings.ReplaceAll(string(about), `\\`, ""), `\u0000`) {
					t.Errorf("%q: %+v %s", physical, e, about)
				}
			}
		}
	})
}
