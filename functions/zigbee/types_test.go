package function

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// everyType is a device of the list that declares properties of every type.
const everyType = `{"ieee_address":"0xNUMBER","type":"Router","friendly_name":"thing NUMBER","definition":{"model":"M","vendor":"V","exposes":[
	{"type":"climate","features":[{"type":"numeric","property":"local_temperature","unit":"°C"},
		{"type":"numeric","property":"occupied_heating_setpoint","unit":"°C","value_min":5,"value_max":30},
		{"type":"enum","property":"system_mode","values":["off","heat","auto"]},{"type":"enum","property":"running_state","values":["idle","heat"]}]},
	{"type":"switch","endpoint":"l1","features":[{"type":"binary","property":"state_l1","value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE"}]},
	{"type":"lock","features":[{"type":"binary","property":"state","value_on":"LOCK","value_off":"UNLOCK"},{"type":"enum","property":"lock_state","values":["not_fully_locked","locked","unlocked"]}]},
	{"type":"binary","property":"lid","value_on":"OPEN","value_off":"CLOSE"},{"type":"binary","property":"contact","value_on":false,"value_off":true},
	{"type":"binary","property":"number_switch","value_on":1,"value_off":0},{"type":"binary","property":"odd_numbers","value_on":5,"value_off":4},{"type":"binary","property":"regulation","value_on":"MANUAL","value_off":"AUTO"},
	{"type":"binary","property":"eco_mode","value_on":"OFF","value_off":"ON"},{"type":"binary","property":"occupancy","value_on":true,"value_off":false},
	{"type":"enum","property":"sensitivity","values":["1","2","3"]},{"type":"enum","property":"power_on_behavior","values":["off","on","toggle","previous"]},{"type":"enum","property":"gain","values":[1,2]},
	{"type":"text","property":"schedule_monday"},{"type":"text","property":"serial"},{"type":"numeric","property":"countdown","unit":"s","presets":[{"name":"never","value":0}]},
	{"type":"numeric","property":"temperature_1","unit":"°C","value_min":-20,"value_max":60},{"type":"numeric","property":"vibration"},
	{"type":"numeric","property":"color_temp_startup","unit":"mired","value_min":150,"value_max":500,"presets":[{"name":"previous","value":65535},{"name":"cool","value":250},{"name":"word","value":"previous"}]},
	{"type":"composite","property":"warning","features":[{"type":"enum","property":"mode","values":["stop","burglar"]},{"type":"binary","property":"strobe","value_on":true,"value_off":false},{"type":"numeric","property":"duration","unit":"s"}]},
	{"type":"list","property":"faults","item_type":{"type":"enum","values":["short"]}},
	{"type":"composite","property":"pin_code","features":[{"type":"numeric","property":"user"},{"type":"text","property":"pin_code"}]}]}}`

// TestTypesAreThoseThatExposesDeclares: what one attribute becomes, as a number in the
// readings or a text among the states.
func TestTypesAreThoseThatExposesDeclares(t *testing.T) {
	const none = ""
	cases := []struct{ payload, want string }{
		{`"local_temperature":"20.0"`, "local_temperature_celsius = 20"}, {`"local_temperature":" -3 "`, "local_temperature_celsius = -3"}, {`"local_temperature":20`, "local_temperature_celsius = 20"},
		{`"local_temperature":"unknown"`, none}, {`"local_temperature":"unavailable"`, none}, {`"local_temperature":""`, none}, {`"local_temperature":null`, none},
		{`"local_temperature":"ON"`, none}, {`"local_temperature":"NaN"`, none}, {`"local_temperature":"Infinity"`, none}, {`"local_temperature":true`, none}, {`"local_temperature":[20]`, none}, {`"local_temperature":{"0":2,"1":15}`, none}, {`"state":{"type":"Buffer","data":[0,2]}`, none}, {`"local_temperature":"1e999"`, none},
		{`"system_mode":"off"`, `system_mode = "off"`}, {`"system_mode":"OFF"`, `system_mode = "OFF"`}, {`"system_mode":"heat"`, `system_mode = "heat"`}, {`"power_on_behavior":"on"`, `power_on_behavior = "on"`}, {`"power_on_behavior":null`, none},
		{`"state_l1":"ON"`, "state_l1 = 1"}, {`"state_l1":"off"`, "state_l1 = 0"}, {`"state_l1":true`, "state_l1 = 1"}, {`"state_l1":0`, "state_l1 = 0"}, {`"state_l1":"TOGGLE"`, none}, {`"state_l1":"unknown"`, none}, {`"state_l1":7`, none},
		{`"state":"LOCK"`, "state = 1"}, {`"state":"UNLOCK"`, "state = 0"}, {`"lock_state":"not_fully_locked"`, `lock_state = "not_fully_locked"`},
		{`"lid":"OPEN"`, "lid = 1"}, {`"lid":"CLOSE"`, "lid = 0"}, {`"contact":false`, "contact = 0"}, {`"contact":true`, "contact = 1"}, {`"contact":"true"`, "contact = 1"},
		{`"number_switch":1`, "number_switch = 1"}, {`"number_switch":0`, "number_switch = 0"}, {`"number_switch":"1"`, "number_switch = 1"}, {`"odd_numbers":5`, "odd_numbers = 1"}, {`"odd_numbers":4`, "odd_numbers = 0"},
		{`"regulation":"MANUAL"`, "regulation = 1"}, {`"regulation":"AUTO"`, "regulation = 0"}, {`"eco_mode":"OFF"`, "eco_mode = 1"}, {`"eco_mode":"ON"`, "eco_mode = 0"}, {`"occupancy":1`, "occupancy = 1"}, {`"occupancy":false`, "occupancy = 0"},
		{`"sensitivity":"2"`, `sensitivity = "2"`}, {`"sensitivity":2`, `sensitivity = "2"`}, {`"gain":1`, `gain = "1"`}, {`"gain":true`, `gain = "true"`},
		{`"schedule_monday":"06:00/20.0"`, `schedule_monday = "06:00/20.0"`}, {`"serial":"0012"`, `serial = "0012"`}, {`"serial":12.50`, `serial = "12.50"`}, {`"serial":"off"`, `serial = "off"`},
		{`"countdown":0`, "countdown_seconds = 0"}, {`"countdown":"previous"`, none}, {`"color_temp_startup":65535`, none}, {`"color_temp_startup":250`, "color_temp_startup_mired = 250"}, {`"color_temp_startup":"previous"`, none},
		{`"temperature_1":21.5`, "temperature_1_celsius = 21.5"}, {`"temperature_1":999`, "temperature_1_celsius = 999 suspect: temperature_1_celsius is 999, outside of -20 to 60"}, {`"vibration":37`, "vibration = 37"},
		{`"warning":{"mode":"burglar","strobe":true,"duration":10}`, "warning_duration_seconds = 10\nwarning_mode = \"burglar\"\nwarning_strobe = 1"}, {`"warning":"stop"`, `warning = "stop"`}, {`"faults":["short"]`, none}, {`"faults":[]`, none},
		{`"pin_code":{"user":1,"pin_code":"1234"}`, none}, {`"users":{"1":{"status":"enabled","pin_code":"1234"}}`, `users_1_status = "enabled"`}, {`"action_code":"1234"`, none}, {`"wifi_config":{"ssid":"x","password":"1234"}`, `wifi_config_ssid = "x"`}, {`"admin_code":1234`, none},
		// undeclared
		{`"relay":"ON"`, "relay = 1"}, {`"relay":"OFF"`, "relay = 0"}, {`"mode":"off"`, `mode = "off"`}, {`"mode":"heat"`, `mode = "heat"`}, {`"level":"2"`, `level = "2"`}, {`"level":2`, "level = 2"}, {`"open":true`, "open = 1"},
		{`"temperature":"20.5"`, "temperature_celsius = 20.5"}, {`"power":"ON"`, none}, {`"humidity":"on"`, none}, {`"battery":true`, none}, {`"battery":"unknown"`, none},
	}
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	var devices []string
	var ms []wire.Message
	for i, tc := range cases {
		devices = append(devices, strings.ReplaceAll(everyType, "NUMBER", fmt.Sprint(i)))
		ms = append(ms, message(0, fmt.Sprint("thing ", i), "{"+tc.payload+`,"linkquality":9}`))
	}
	f.Post(t, retained(message(-time.Hour, "bridge/devices", "["+strings.Join(devices, ",")+"]")))
	if a := f.Post(t, ms...); len(a.Rejected)+len(a.Retry) > 0 {
		t.Errorf("%+v", a)
	}
	states := map[string][]string{}
	for _, s := range f.States(t) {
		if device, s, _ := strings.Cut(s, " "); !strings.HasPrefix(s, "linkquality") {
			states[device] = append(states[device], strings.TrimSuffix(strings.Replace(s, " 12:00:00.000", "", 1), " ok"))
		}
	}
	for i, tc := range cases {
		if got := strings.Join(states[fmt.Sprint("thing-", i)], "\n"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.payload, got, tc.want)
		}
	}
	if lines := f.Lines(t, "zigbee"); len(lines) != len(cases) {
		t.Errorf("%d readings of %d: a text was stored as one", len(lines), len(cases))
	}
}

func TestABadValueCostsItself(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	a := f.Post(t, message(0, "garage_temp", `{"temperature":1e999,"humidity":50,"battery":"?","linkquality":{},"x":[1,{"a":"b"}]}`))
	if len(a.Rejected) != 1 || a.Rejected[0].Reason != `"temperature": the number 1e999 is too large` {
		t.Errorf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=garage_temp humidity_percent=50 1795435200000000000"})
}

// TestADeclarationThatChangesItsType: another firmware, or Zigbee2MQTT's update, declares
// a number where a text was, and the other way round. Each value is stored as declared
// when it came; a text is never a reading, so the readings stay numbers.
func TestADeclarationThatChangesItsType(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t))
			declare := func(after time.Duration, kind string) {
				t.Helper()
				a := f.Post(t, retained(message(after, "bridge/devices", `[{"ieee_address":"0x1","type":"Router","friendly_name":"x","definition":{"exposes":[{"type":"`+kind+`","property":"level"}]}}]`)))
				if len(a.Rejected) > 0 {
					t.Errorf("%+v", a)
				}
			}
			for i, kind := range []string{"enum", "numeric", "enum", "binary", "text", "numeric"} {
				after := time.Duration(i) * time.Minute
				declare(after, kind)
				if a := f.Post(t, message(after+time.Second, "x", `{"level":"1"}`)); len(a.Rejected)+len(a.Retry) > 0 {
					t.Errorf("%s: %+v", kind, a)
				}
				want := map[string]string{"enum": `"1"`, "text": `"1"`}[kind]
				if want == "" {
					want = "1"
				}
				if got := f.States(t)[0]; !strings.HasPrefix(got, "x level = "+want+" 12:0") {
					t.Errorf("%s: %s", kind, got)
				}
			}
			same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=x level=1 1795435261000000000", "zigbee,device=x level=1 1795435381000000000", "zigbee,device=x level=1 1795435501000000000"})
		})
	}
}
