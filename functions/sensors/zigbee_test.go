package function

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestZigbee2MQTTOfAnotherBaseIsRefusedWhole: half of it would be a second device.
func TestZigbee2MQTTOfAnotherBaseIsRefusedWhole(t *testing.T) {
	const why = "a message of Zigbee2MQTT, which the function zigbee stores: add %[1]s to ZIGBEE_BASES and %[1]s/# to ZIGBEE_TOPICS (where they have it, !%[1]s/# to SENSORS_TOPICS), or map the topic in hearth.yml"
	for _, tc := range []struct{ topic, payload, base string }{
		{"attic/zigbee2mqtt/garage_temp", `{"battery":94.5,"humidity":44.72,"linkquality":120,"temperature":27.34}`, "attic/zigbee2mqtt"},
		{"zigbee2mqtt2/Living room/window", `{"contact":false,"linkquality":0,"update":{"state":"idle"},"update_available":false}`, "zigbee2mqtt2"},
		{"home/kitchen", `{"linkquality":null,"temperature":20}`, "home"},
		{"home/Z2M/a/b/kitchen", `{"power":3,"linkquality":255,"device":{"friendlyName":"kitchen"}}`, "home/Z2M"},
		{"house/bridge/devices", `[{"ieee_address":"0x00124b0024c2a1b1","type":"Coordinator"}]`, "house"},
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if got, want := reasons(f.Post(t, message(0, tc.topic, tc.payload))), fmt.Sprintf(why, tc.base); got != want {
			t.Errorf("%s: %s, want %s", tc.topic, got, want)
		}
		same(t, tc.topic, f.Lines(t, measurements...), []string{})
	}
}

func TestOtherSendersOfALinkQualityAreNotZigbee2MQTT(t *testing.T) {
	for _, tc := range []struct{ topic, payload string }{
		{"tele/zb/SENSOR", `{"ZbReceived":{"0x9D42":{"Device":"0x9D42","Temperature":21.5,"Endpoint":1,"LinkQuality":90}}}`}, // Tasmota
		{"tele/kitchen/SENSOR", `{"Temperature":21.5,"LinkQuality":90}`},                                                     // Tasmota with SetOption118
		{"homed/fd/zigbee/kitchen", `{"temperature":21.5,"linkQuality":90}`},                                                 // HOMEd
		{"deconz/sensors/3", `{"temperature":21.5,"lqi":90}`},
		{"homeassistant/sensor/kitchen_linkquality/state", `90`}, // mqtt_statestream
		{"homeassistant/sensor/kitchen/linkquality", `90`},
		{"events", `{"event_type":"state_changed","event_data":{"new_state":{"attributes":{"linkquality":90}}}}`}, // mqtt_eventstream
		{"x/y", `{"linkquality":"good","temperature":21.5}`},
		{"x/bridge/devices", `[{"id":1}]`},
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if got := reasons(f.Post(t, message(0, tc.topic, tc.payload))); strings.Contains(got, "ZIGBEE") {
			t.Errorf("%s %s: %s", tc.topic, tc.payload, got)
		}
	}
}

func TestAMappingStoresZigbee2MQTTOfAnotherBase(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	writeSettings(t, f, "devices:\n  - topic: home/+\n    fields: {temperature: {path: $.temperature, unit: °C}}\n")
	if a := f.Post(t, message(0, "home/kitchen", `{"linkquality":90,"temperature":20}`)); len(a.Rejected) > 0 {
		t.Errorf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "air"), []string{"air,device=home-kitchen temperature_celsius=20" + at})
}
