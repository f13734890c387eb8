package function

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// besideJSON is what Zigbee2MQTT and its users publish beside the JSON of the devices:
// for Home Assistant, with output: attribute_and_json, as commands, and of the bridge.
var besideJSON = [][2]string{
	{"button/action", "single"}, {"button/action", ""}, {"button/click", "single"},
	{"lamp/l1", `{"state":"ON","brightness":250}`}, {"lamp/left", `{}`}, {"lamp/state_l1", "ON"},
	{"garage_temp/temperature", "21.5"}, {"garage_temp/humidity", "44.72"}, {"garage_temp/temperature", ""}, {"garage_temp/last_seen", "2026-11-23T12:00:00.000Z"},
	{"lamp/color-x", "0.4"}, {"lamp/color/x", "0.4"}, {"lamp/color", "255,0,7"}, {"lamp/update-state", "idle"}, {"lamp/device-friendlyName", "lamp"},
	{"Living room/window/contact", "false"}, {"washer/state", "ON"}, {"washer/power_on_behavior", "previous"},
	{"lamp/set", `{"state":"ON"}`}, {"lamp/set/state", "ON"}, {"lamp/get", `{"state":""}`}, {"lamp/get/state", ""}, {"lamp/l1/set", `{"state":"ON"}`}, {"lamp/l1/set/brightness", "3"},
	{"lamp/l1/get", `{}`}, {"Living room/window/set", `{}`}, {"all lamps/set", "ON"}, {"all lamps/state", "ON"}, {"all lamps/get", ""}, {"all lamps/availability", `{"state":"online"}`}, {"all lamps/availability", "offline"},
	{"bridge/log", `{"type":"device_announced","message":"x"}`}, {"bridge/logging", `{"level":"info","message":"x"}`}, {"bridge/event", `{"type":"device_joined","data":{}}`},
	{"bridge/request/device/rename", `{"from":"a","to":"b"}`}, {"bridge/response/device/rename", `{"status":"ok"}`}, {"bridge/request/permit_join", "true"}, {"bridge/config", `{"permit_join":false}`},
	{"bridge/config/devices/get", ""}, {"bridge/config/permit_join", "false"}, {"bridge/definitions", `{"clusters":{}}`}, {"bridge/extensions", `[]`}, {"bridge/extension/save", `{}`}, {"bridge/converters", `[]`},
	{"bridge/health", `{"response_time":1}`}, {"bridge/networkmap", "raw"}, {"bridge/networkmap/graphviz", "digraph {}"}, {"bridge/group/all lamps/add", "lamp"}, {"bridge/ota_update/check", "lamp"}, {"bridge", "x"},
}

func TestWhatComesBesideTheJSONIsIgnored(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	known := []wire.Message{message(0, "garage_temp", `{"temperature":21.5,"humidity":44.72,"linkquality":90}`), message(0, "washer", `{"state":"ON","linkquality":90}`),
		message(0, "lamp", `{"color":{"x":0.4},"linkquality":90}`), message(0, "button", `{"action":"single","linkquality":90}`), message(0, "Living room/window", `{"contact":false,"linkquality":90}`)}
	f.Post(t, known...)
	want := f.Lines(t, "zigbee", "zigbee_action")
	for _, restarted := range []bool{false, true} {
		if restarted { // the JSON came a moment before, to the function that was stopped
			f = batchtest.Serve(t, New, f.Store)
		}
		for _, m := range besideJSON {
			after := time.Minute
			if restarted {
				if after = 20 * time.Millisecond; strings.HasPrefix(m[0], "washer/power") || strings.HasPrefix(m[0], "lamp") || m[0] == "button/click" {
					continue // no copies of that JSON
				}
			}
			if a := f.Post(t, message(after, m[0], m[1])); len(a.Rejected)+len(a.Retry) > 0 {
				t.Errorf("%s %s: %+v", m[0], m[1], a)
			}
		}
		m := message(time.Minute, "", `{"name":"window","state_topic":"zigbee2mqtt/Living room/window"}`)
		m.Topic = "homeassistant/binary_sensor/0x00158d0001a2b3c4/contact/config"
		if a := f.Post(t, m); len(a.Rejected)+len(a.Retry) > 0 {
			t.Errorf("%+v", a)
		}
		same(t, fmt.Sprint("readings; restarted: ", restarted), f.Lines(t, "zigbee", "zigbee_action"), want)
	}
}

// TestSingleAttributesAreReadWhereThereIsNoJSON: with output: attribute.
func TestSingleAttributesAreReadWhereThereIsNoJSON(t *testing.T) {
	for name, info := range map[string]string{
		"by what comes":            `{"version":"1.13.0"}`,
		"by the bridge's settings": `{"version":"2.14.1","config":{"advanced":{"output":"attribute","last_seen":"ISO_8601"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := serveWithDevices(t, batchtest.SQLite(t))
			f.Post(t, retained(message(0, "bridge/info", info)))
			for i, m := range [][2]string{
				{"garage_temp/temperature", "21.5"}, {"garage_temp/humidity", ""}, {"garage_temp/battery", "unknown"}, {"garage_temp/last_seen", "2026-11-23T12:00:00.000Z"}, {"garage_temp/linkquality", "90"},
				{"Living room/window/contact", "false"}, {"Living room/window/voltage", "3005"}, {"washer/state", "ON"}, {"washer/power_on_behavior", "previous"},
				{"lamp/color-x", "0.4"}, {"lamp/color", "255,0,7"}, {"lamp/device-model", "x"}, {"lamp/update-progress", "7"},
				{"button/action", "single"}, {"button/action", ""}, {"all lamps/state", "ON"}, {"lamp/set/state", "ON"},
			} {
				if a := f.Post(t, message(time.Duration(i)*time.Second, m[0], m[1])); len(a.Rejected)+len(a.Retry) > 0 {
					t.Errorf("%s %s: %+v", m[0], m[1], a)
				}
			}
			same(t, "readings", f.Lines(t, "zigbee", "zigbee_action"), []string{
				"zigbee,device=garage_temp temperature_celsius=21.5 1795435200000000000", "zigbee,device=garage_temp linkquality=90 1795435204000000000",
				"zigbee,device=lamp color_x=0.4 1795435209000000000", "zigbee,device=lamp update_progress=7 1795435212000000000",
				"zigbee,device=living-room-window contact=0 1795435205000000000", "zigbee,device=living-room-window voltage_volts=3.005 1795435206000000000",
				"zigbee,device=washer state=1 1795435207000000000", `zigbee_action,device=button presses=1,action="single" 1795435213000000000`})
		})
	}
}

// TestTheBridgesSettingsSayWhetherAttributesAreCopies also of a device that sends nothing
// but an attribute in this test, or that sent JSON before the setting was changed.
func TestTheBridgesSettingsSayWhetherAttributesAreCopies(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	for i, tc := range []struct {
		output string
		stored int
	}{{"json", 0}, {"attribute_and_json", 0}, {"attribute", 1}, {"json", 1}} {
		after := time.Duration(i) * time.Minute
		f.Post(t, retained(message(after, "bridge/info", `{"config":{"advanced":{"output":"`+tc.output+`"}}}`)), message(after, "garage_temp/temperature", fmt.Sprint(20+i)))
		if got := f.Lines(t, "zigbee"); len(got) != tc.stored {
			t.Errorf("%s: %v", tc.output, got)
		}
	}
	f.Post(t, message(time.Hour, "button/action", "single"), message(time.Hour+time.Second, "button/action", "single"))
	f.Post(t, retained(message(2*time.Hour, "bridge/info", `{"config":{"advanced":{"output":"attribute"}}}`)), retained(message(2*time.Hour, "bridge/info", `?`)))
	f.Post(t, message(2*time.Hour, "button/action", "single"), message(2*time.Hour+time.Second, "button/action", "single"))
	if got := f.Lines(t, "zigbee_action"); len(got) != 2 {
		t.Errorf("presses: %v", got)
	}
}

// TestNamesThatLookLikeAttributes: kitchen and kitchen/temperature are both devices, and
// so is kitchen/l1, which the list does not have yet.
func TestNamesThatLookLikeAttributes(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	devices := strings.NewReplacer(`"garage_temp"`, `"kitchen"`, `"mystery"`, `"kitchen/temperature"`).Replace(list(t))
	f.Post(t, retained(message(-time.Hour, "bridge/devices", devices)), retained(message(-time.Hour, "bridge/groups", `[{"id":1,"friendly_name":"kitchen/all"}]`)))
	f.Post(t, message(0, "kitchen/temperature", `21.5`), message(time.Second, "kitchen/temperature", `{"temperature":3,"linkquality":9}`),
		message(2*time.Second, "kitchen/temperature/temperature", "3"), message(2*time.Second, "kitchen/temperature/availability", "online"),
		message(3*time.Second, "kitchen", `{"temperature":22,"linkquality":9}`), message(3*time.Second+1, "kitchen/temperature", `22`), message(4*time.Second, "kitchen/all", `{"state":"ON"}`))
	same(t, "readings", f.Lines(t, "zigbee"), []string{
		"zigbee,device=kitchen temperature_celsius=21.5 1795435200000000000", "zigbee,device=kitchen linkquality=9,temperature_celsius=22 1795435203000000000",
		"zigbee,device=kitchen-temperature linkquality=9,temperature_celsius=3 1795435201000000000", "zigbee,device=kitchen-temperature available=1 1795435202000000000"})
	m := message(time.Minute, "kitchen/l1", `{"state":"ON","linkquality":3}`)
	m.ID = "l1"
	f.Late = 30 * time.Second
	if a := f.Post(t, m); len(a.Retry) != 1 {
		t.Errorf("%+v", a)
	}
	f.Late = 2 * time.Minute
	if a := f.Post(t, m); len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, `"kitchen/l1"`) {
		t.Errorf("%+v", a)
	}
	f.Late = 0
	f.Post(t, retained(message(3*time.Minute, "bridge/devices", strings.Replace(devices, `"washer"`, `"Kitchen"`, 1)))) // renamed
	if a := f.Post(t, message(4*time.Minute, "washer/power", "3"), message(4*time.Minute, "washer/action", "x")); len(a.Rejected)+len(a.Retry) > 0 {
		t.Errorf("under its former name: %+v", a)
	}
}

// TestAttributesOfAnUnknownDeviceHaveOneCause: its name, not each attribute.
func TestAttributesOfAnUnknownDeviceHaveOneCause(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	f.Late = time.Hour
	a := f.Post(t, message(0, "attic/temperature", "21"), message(0, "attic/humidity", "50"), message(0, "attic/availability", "online"), message(0, "attic", `{"temperature":21}`))
	for _, r := range a.Rejected {
		if r.Reason != `no device is called "attic" in Zigbee2MQTT's list` {
			t.Error(r.Reason)
		}
	}
	if len(a.Rejected) != 4 {
		t.Errorf("%+v", a)
	}
}
