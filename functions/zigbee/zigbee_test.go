package function

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// noon is when the messages of these tests were published.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func message(after time.Duration, topic, payload string) wire.Message {
	return wire.Message{Topic: "zigbee2mqtt/" + topic, Time: noon.Add(after), Payload: []byte(payload)}
}

func retained(m wire.Message) wire.Message {
	m.Retained = true
	return m
}

func list(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// serveWithDevices serves the function after it has received the lists of testdata.
func serveWithDevices(t testing.TB, st *store.Store) *batchtest.Served {
	t.Helper()
	f := batchtest.Serve(t, New, st)
	f.Post(t, retained(message(-time.Hour, "bridge/devices", list(t))), retained(message(-time.Hour, "bridge/groups", `[{"id":1,"friendly_name":"all lamps","members":[]}]`)))
	return f
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestPayloads(t *testing.T) {
	const at = " 1795435200000000000"
	for name, tc := range map[string]struct {
		topic, payload string
		lines          []string
	}{
		"climate": {"garage_temp", `{"battery":94.5,"humidity":44.72,"linkquality":120,"temperature":27.34,"last_seen":"2026-11-23T12:00:00.000Z"}`,
			[]string{"zigbee,device=garage_temp battery_percent=94.5,humidity_percent=44.72,linkquality=120,temperature_celsius=27.34" + at}},
		"millivolts_of_a_battery": {"Living room/window", `{"contact":false,"voltage":3005,"battery":100,"last_seen":"2026-11-23T12:00:00.000Z"}`,
			[]string{"zigbee,device=living-room-window battery_percent=100,contact=0,voltage_volts=3.005" + at}},
		"volts_of_a_plug": {"washer", `{"state":"ON","power":1820.5,"current":7.9,"voltage":231,"energy":12.5,"last_seen":"2026-11-23T12:00:00.000Z"}`,
			[]string{"zigbee,device=washer current_amperes=7.9,energy_kwh=12.5,power_watts=1820.5,state=1,voltage_volts=231" + at}},
		"nested_light": {"lamp", `{"state":"OFF","brightness":120,"color_temp":300,"color":{"x":0.45,"y":0.41},"color_mode":"xy","update":{"state":"idle","installed_version":587757105,"latest_version":null},"last_seen":1795435200000}`,
			[]string{"zigbee,device=lamp brightness=120,color_temp_mired=300,color_x=0.45,color_y=0.41,state=0" + at}},
		"local_time":            {"garage_temp", `{"temperature":20,"last_seen":"2026-11-23T13:00:00+01:00"}`, []string{"zigbee,device=garage_temp temperature_celsius=20" + at}},
		"epoch":                 {"garage_temp", `{"temperature":20,"last_seen":1795435200000}`, []string{"zigbee,device=garage_temp temperature_celsius=20" + at}},
		"last_seen_disabled":    {"garage_temp", `{"temperature":20}`, []string{"zigbee,device=garage_temp temperature_celsius=20 1795435201000000000"}},
		"last_seen_of_1970":     {"garage_temp", `{"temperature":20,"last_seen":0}`, []string{"zigbee,device=garage_temp temperature_celsius=20 1795435201000000000"}},
		"last_seen_null":        {"garage_temp", `{"temperature":20,"humidity":null,"last_seen":null,"elapsed":1200}`, []string{"zigbee,device=garage_temp temperature_celsius=20 1795435201000000000"}},
		"button":                {"button", `{"action":"double","last_seen":"2026-11-23T12:00:00.000Z"}`, []string{`zigbee_action,device=button presses=1,action="double"` + at}},
		"button_let_go":         {"button", `{"action":"","last_seen":"2026-11-23T12:00:00.000Z"}`, nil},
		"unsupported":           {"mystery", `{"temperature":20,"voltage":3000,"Custom Thing":7,"time":5,"device":{"x":1},"last_seen":"2026-11-23T12:00:00.000Z"}`, []string{"zigbee,device=mystery custom_thing=7,temperature_celsius=20,time_value=5,voltage=3000" + at}},
		"beyond_what_it_can_be": {"garage_temp", `{"temperature":-327.68,"battery":70,"last_seen":"2026-11-23T12:00:00.000Z"}`, []string{`zigbee,device=garage_temp battery_percent=70,quality_code=2,temperature_celsius=-327.68,suspect="temperature_celsius"` + at}},
		"endpoints":             {"mystery", `{"state_l1":"ON","state_l2":"OFF","power_l1":3,"action_group":7,"last_seen":"2026-11-23T12:00:00.000Z"}`, []string{"zigbee,device=mystery action_group=7,power_l1=3,state_l1=1,state_l2=0" + at}},
		"nested": {"mystery", `{"a":{"b":{"c":{"d":{"e":1}},"x":[1,2]},"on":true},"update":{"state":"updating","progress":7,"latest_release_notes":"long"},"update_available":true,"last_seen":"2026-11-23T12:00:00.000Z"}`,
			[]string{"zigbee,device=mystery a_b_c_d_e=1,a_on=1,update_progress=7" + at}},
		"a_key_twice":           {"mystery", `{"x":1,"x":2,"last_seen":"2026-11-23T12:00:00.000Z"}`, []string{"zigbee,device=mystery x=2" + at}},
		"last_seen_of_tomorrow": {"garage_temp", `{"temperature":20,"last_seen":"2026-11-24T12:00:00.000Z"}`, []string{"zigbee,device=garage_temp temperature_celsius=20 1795435201000000000"}},
		"last_seen_as_text":     {"garage_temp", `{"temperature":20,"last_seen":"soon"}`, []string{"zigbee,device=garage_temp temperature_celsius=20 1795435201000000000"}},
		"nothing":               {"garage_temp", `{}`, nil},
		"removed":               {"garage_temp", ``, nil},
		"a_command":             {"lamp/set", `{"state":"ON"}`, nil},
		"a_command_to_nobody":   {"attic/set", `{"state":"ON"}`, nil},
		"a_group":               {"all lamps", `{"state":"ON","brightness":3}`, nil},
		"bridge_log":            {"bridge/logging", `{"level":"info","message":"x"}`, nil},
		"available":             {"garage_temp/availability", `{"state":"online"}`, []string{"zigbee,device=garage_temp available=1 1795435201000000000"}},
		"unavailable_as_before": {"garage_temp/availability", `offline`, []string{"zigbee,device=garage_temp available=0 1795435201000000000"}},
		"the_bridge":            {"bridge/state", `{"state":"offline"}`, []string{"zigbee,device=zigbee2mqtt available=0 1795435201000000000"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := serveWithDevices(t, batchtest.SQLite(t))
			a := f.Post(t, message(time.Second, tc.topic, tc.payload))
			if len(a.Rejected)+len(a.Retry) > 0 {
				t.Errorf("%+v", a)
			}
			same(t, "readings", f.Lines(t, "zigbee", "zigbee_action"), append([]string{}, tc.lines...))
		})
	}
}

func TestRefusals(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	for payload, reason := range map[string]string{
		`hello`: "not a JSON object", `[1]`: "not a JSON object", `{"temperature":`: "JSON", `{"temperature":20}x`: "JSON", `{"temperature":1e999}`: "too large",
	} {
		a := f.Post(t, message(0, "garage_temp", payload), message(0, "washer", `{"power":3}`))
		if len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, reason) {
			t.Errorf("%s: %+v", payload, a)
		}
	}
	if a := f.Post(t, message(0, "garage_temp/availability", `20`)); len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, "neither") {
		t.Errorf("%+v", a)
	}
	m := message(0, "x", `{}`)
	m.Topic = "elsewhere/x"
	if a := f.Post(t, m); len(a.Rejected) != 1 {
		t.Errorf("%+v", a)
	}
	if a := f.Post(t, message(0, "bridge/devices", `{"no":"list"}`), message(0, "bridge/groups", `?`)); len(a.Rejected) != 2 {
		t.Errorf("%+v", a)
	}
}

func TestAMessageOfAnUnknownNameIsRetriedRejectedAndReplayed(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	m := message(0, "garage_temp", `{"temperature":20}`)
	m.ID = "early"
	f.Late = 59 * time.Second
	if a := f.Post(t, m); len(a.Retry) != 1 || a.Retry[0].ID != "early" {
		t.Fatalf("%+v", a)
	}
	f.Late = 61 * time.Second
	if a := f.Post(t, m); len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, `"garage_temp"`) {
		t.Fatalf("%+v", a)
	}
	a := f.Post(t, retained(message(time.Minute, "bridge/devices", list(t))))
	var topics []string
	for _, p := range a.Replay {
		topics = append(topics, p.Topic)
	}
	same(t, "replay", topics, []string{"zigbee2mqtt/Living room/window/#", "zigbee2mqtt/button/#", "zigbee2mqtt/garage_temp/#",
		"zigbee2mqtt/lamp/#", "zigbee2mqtt/mystery/#", "zigbee2mqtt/washer/#"})
	m.Replay = true
	if a := f.Post(t, m); len(a.Rejected)+len(a.Retry)+len(a.Replay) > 0 {
		t.Errorf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=garage_temp temperature_celsius=20 1795435200000000000"})
	if a := f.Post(t, retained(message(2*time.Minute, "bridge/devices", list(t)))); len(a.Replay) > 0 {
		t.Errorf("the list has no new name: %+v", a)
	}
}

func TestARenameAndASwapKeepTheHistory(t *testing.T) {
	st := batchtest.SQLite(t)
	f := serveWithDevices(t, st)
	f.Post(t, message(0, "garage_temp", `{"temperature":20}`))
	f.Post(t, retained(message(time.Second, "bridge/devices", strings.Replace(list(t), `"garage_temp"`, `"Garage"`, 1))))
	f.Post(t, message(2*time.Second, "Garage", `{"temperature":21}`), message(3*time.Second, "garage_temp", `{"temperature":22}`)) // published before the rename, arrived late
	// The sensor breaks; another one gets its name.
	swapped := strings.Replace(strings.Replace(list(t), `"garage_temp"`, `"Garage"`, 1), "0xa4c1380000000001", "0xa4c1380000000099", 1)
	f.Post(t, retained(message(4*time.Second, "bridge/devices", swapped)))
	f = batchtest.Serve(t, New, st) // and the function is restarted
	f.Post(t, message(5*time.Second, "Garage", `{"temperature":23}`))
	var got []string
	for _, line := range f.Lines(t, "zigbee") {
		got = append(got, line[:strings.LastIndexByte(line, ' ')])
	}
	same(t, "readings", got, []string{
		"zigbee,device=garage_temp temperature_celsius=20", "zigbee,device=garage_temp temperature_celsius=21",
		"zigbee,device=garage_temp temperature_celsius=22", "zigbee,device=garage_temp temperature_celsius=23"})
	ds, err := st.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		if d.ID == "garage_temp" && d.Name != "Garage" {
			t.Errorf("its name for people is %q", d.Name)
		}
	}
}

func TestAnOldListChangesNothing(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	f.Post(t, retained(message(-2*time.Hour, "bridge/devices", `[{"ieee_address":"0xa4c1380000000001","type":"EndDevice","friendly_name":"old name"}]`)))
	if a := f.Post(t, message(0, "garage_temp", `{"temperature":20}`)); len(a.Retry) > 0 {
		t.Errorf("%+v", a)
	}
}

func TestMessagesFromTheCacheAreDuplicates(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	const cached = `{"temperature":20,"humidity":50,"linkquality":90,"last_seen":"2026-11-23T11:00:00.000Z"}`
	f.Post(t, message(-time.Hour, "garage_temp", cached))
	f.Post(t, message(0, "garage_temp", cached)) // Zigbee2MQTT restarts and publishes its cache
	f.Post(t, message(time.Second, "garage_temp", `{"temperature":20,"humidity":51,"linkquality":90,"last_seen":"2026-11-23T12:00:01.000Z"}`))
	same(t, "readings", f.Lines(t, "zigbee"), []string{
		"zigbee,device=garage_temp humidity_percent=50,linkquality=90,temperature_celsius=20 1795431600000000000",
		"zigbee,device=garage_temp humidity_percent=51,linkquality=90,temperature_celsius=20 1795435201000000000"})
	states, err := f.Store.DeviceStates(t.Context(), "garage_temp")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		want := noon.Add(-time.Hour)
		if s.Metric == "humidity_percent" {
			want = noon.Add(time.Second)
		}
		if !s.Changed.Equal(want) {
			t.Errorf("%s has its value since %s, want %s", s.Metric, s.Changed, want)
		}
	}
}

func TestRetainedMessages(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	f.Post(t, retained(message(0, "garage_temp", `{"temperature":20}`)),
		retained(message(0, "washer", `{"power":3,"state":"ON","last_seen":"2026-11-23T11:00:00.000Z"}`)),
		retained(message(0, "washer/availability", `{"state":"online"}`)))
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=washer power_watts=3,state=1 1795431600000000000"})
	var got []string
	for _, s := range f.States(t) {
		if !strings.HasPrefix(s, "zigbee2mqtt") {
			got = append(got, s)
		}
	}
	same(t, "states", got, []string{"garage_temp temperature_celsius = 20 ? ok retained", "washer available = 1 12:00:00.000 ok retained",
		"washer power_watts = 3 11:00:00.000 ok retained", "washer state = 1 11:00:00.000 ok retained"})
}

func TestAnInvalidNameInTheListIsRefusedAndTheOthersAreStored(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for i, odd := range []string{`a\u0000b`, `a\nb`, `a\u0085b`} {
		at := time.Duration(i) * time.Second
		a := f.Post(t, retained(message(at, "bridge/devices", strings.Replace(list(t), `"mystery"`, `"`+odd+`"`, 1))),
			retained(message(at, "bridge/groups", `[{"id":1,"friendly_name":"`+odd+`"},{"id":2,"friendly_name":"lamps"}]`)))
		if len(a.Rejected) != 2 || !strings.Contains(a.Rejected[0].Reason, "control character") || !strings.Contains(a.Rejected[0].Reason, "0xa4c1380000000005") {
			t.Errorf("%s: %+v", odd, a)
		}
		if a := f.Post(t, message(time.Second, "garage_temp", `{"temperature":20}`), message(time.Second, "lamps", `{"state":"ON"}`)); len(a.Rejected)+len(a.Retry) > 0 {
			t.Errorf("%s: %+v", odd, a)
		}
	}
	f.Post(t, retained(message(time.Minute, "bridge/devices", list(t))))
	f.Post(t, message(2*time.Minute, "mystery", `{"temperature":1}`))
	a := f.Post(t, retained(message(3*time.Minute, "bridge/devices", strings.Replace(list(t), `"mystery"`, `"a\u0000b"`, 1))), message(4*time.Minute, "mystery", `{"temperature":2}`))
	if len(a.Rejected) != 1 || len(a.Retry) > 0 {
		t.Errorf("a device must keep its binding while the list has an invalid name for it: %+v", a)
	}
}

func TestADeviceWinsANameOverAGroup(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	f.Post(t, retained(message(-time.Minute, "bridge/devices", strings.Replace(list(t), `"mystery"`, `"all lamps"`, 1))))
	for i := range 8 { // each reads the register in another order
		f = batchtest.Serve(t, New, f.Store)
		f.Post(t, message(time.Duration(i)*time.Second, "all lamps", `{"temperature":20}`))
	}
	if got := f.Lines(t, "zigbee"); len(got) != 8 {
		t.Errorf("%d of 8 readings: %v", len(got), got)
	}
}

func TestAListWithoutDevicesUnbindsAll(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	coordinator := `[{"ieee_address":"0x00124b0024c2a1b1","type":"Coordinator","friendly_name":"Coordinator"}]`
	f.Post(t, retained(message(0, "bridge/devices", coordinator)), retained(message(0, "bridge/groups", `[]`)))
	f.Late = time.Hour
	if a := f.Post(t, message(time.Second, "garage_temp", `{"temperature":20}`), message(time.Second, "all lamps", `{"state":"ON"}`)); len(a.Rejected) != 2 {
		t.Errorf("still bound: %+v", a)
	}
	if a := f.Post(t, retained(message(2*time.Hour, "bridge/devices", `[]`))); len(a.Rejected) != 1 {
		t.Errorf("a list without even the coordinator: %+v", a)
	}
}

func TestReplaysOfABatchThatWasNotStoredAreRequestedByTheNext(t *testing.T) {
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	batch := []wire.Message{retained(message(0, "bridge/devices", list(t))), message(0, "garage_temp", `{"temperature":20}`)}
	series := st.Series
	st.Series = unreachable{series}
	if code, _ := f.Try(t, batch...); code != 503 {
		t.Fatalf("answered %d", code)
	}
	st.Series = series
	if a := f.Post(t, batch...); len(a.Replay) != 6 {
		t.Errorf("%+v", a)
	}
	for _, tc := range []struct {
		after time.Duration
		n     int
	}{{time.Second, 0}, {30 * time.Second, 6}, {70 * time.Second, 0}, {time.Hour, 0}} {
		if a := f.Post(t, message(tc.after, "garage_temp", `{"temperature":20}`)); len(a.Replay) != tc.n {
			t.Errorf("after %s: %+v", tc.after, a)
		}
	}
}

// unreachable is a time series database that cannot be reached.
type unreachable struct{ store.Series }

func (unreachable) Write(context.Context, []reading.Reading) error {
	return errors.New("the database cannot be reached")
}
