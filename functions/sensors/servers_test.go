package function

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
)

// stores are the databases that hearth runs on.
var stores = map[string]func(testing.TB) *store.Store{"sqlite": batchtest.SQLite, "servers": batchtest.Servers}

// TestEveryStore stores readings, states, numbering, a mapping, a swap of devices,
// canary messages and a dead letter, with a restart of the function in between.
func TestEveryStore(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			f := batchtest.Serve(t, New, st)
			f.Post(t, edgeReading(1, 0, `"co2_ppm":600,"temperature_celsius":20`), edgeReading(3, 2*time.Second, `"co2_ppm":602,"temperature_celsius":60`),
				message(0, "hearth/pi4/status", `{"state":"online","boot":"b1"}`),
				message(time.Second, "hearth/dead/abc", `{"id":"abc","function":"zigbee","topic":"x","reason":"y","first":"2026-11-23T11:00:00Z","last":"2026-11-23T11:00:00Z","count":1,"size":2,"sample_base64":"AP8="}`))
			f = batchtest.Serve(t, New, st)
			writeSettings(t, f, `devices: [{device: plug, room: Cellar, topic: /embedded/plug, fields: {power_watts: $.w}}, {device: office, name: Office, physical: [edge/office-air]}]`)
			a := f.Post(t, edgeReading(2, time.Second, `"co2_ppm":601,"temperature_celsius":20`), message(3*time.Second, "/embedded/plug", `{"w":12.5}`))
			if got := a.Stored["pi4"].Seq; got != 3 {
				t.Errorf("stored up to %d", got)
			}
			same(t, "readings", f.Lines(t, "air", "power"), []string{
				"air,device=office co2_ppm=601,temperature_celsius=20 1795435201000000000",
				"air,device=office-air co2_ppm=600,temperature_celsius=20" + at,
				`air,device=office-air co2_ppm=602,quality_code=2,temperature_celsius=60,suspect="temperature_celsius" 1795435202000000000`,
				"power,device=plug power_watts=12.5 1795435203000000000",
			})
			same(t, "states", f.States(t), []string{
				`edge-pi4 boot = "b1" 12:00:00.000 ok`, "edge-pi4 online = 1 12:00:00.000 ok",
				"office co2_ppm = 601 12:00:01.000 ok", "office temperature_celsius = 20 12:00:01.000 ok",
				"office-air co2_ppm = 602 12:00:02.000 ok", "office-air temperature_celsius = 60 12:00:02.000 suspect: temperature_celsius went from 20 to 60 in 2s",
				"plug power_watts = 12.5 12:00:03.000 ok"})
			var got []string
			ds, err := st.Devices(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				got = append(got, fmt.Sprintf("%s %q %q replaced by %q", d.ID, d.Name, d.Room, d.ReplacedBy))
			}
			same(t, "devices", got, []string{`edge-pi4 "pi4" "" replaced by ""`, `office "Office" "" replaced by ""`,
				`office-air "office-air" "" replaced by "office"`, `plug "plug" "Cellar" replaced by ""`})
			letters, err := st.DeadLetters(t.Context(), 5)
			if err != nil || len(letters) != 1 || string(letters[0].Sample) != "\x00\xff" {
				t.Errorf("%+v, %v", letters, err)
			}
			ids, err := st.DeviceIDs(t.Context(), true)
			if err != nil || len(ids) != 4 { // the node, the sensor before and after, the plug
				t.Errorf("%+v, %v", ids, err)
			}
		})
	}
}

// TestNoPayloadBlocksADatabase: PostgreSQL and InfluxDB refuse more than SQLite does.
// A batch that they refuse would be retried without end.
func TestNoPayloadBlocksADatabase(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.Servers(t), "TELEGRAF_ALLOW", "*.*")
	writeSettings(t, f, `devices: [{topic: any/#, device: $.d, measurement: m, fields: {v: $.v}, text: {s: $.s}}]`)
	long := make([]byte, 4000) // an index of PostgreSQL takes 2,700 bytes, compressed
	rand.Read(long)
	nasty := []string{`\u0000`, hex.EncodeToString(long), "\xff\xfe", `\ud800`, `\n,= \\`, strings.Repeat("x", 100), `"'`, "\U0001F3E0"}
	for i, n := range nasty {
		if i == 6 {
			n = `\"'`
		}
		after := time.Duration(i) * time.Second
		f.Post(t,
			message(after, "hearth/pi"+strings.Trim(n, "\\\"\n")+"/x", `{"device":"`+n+`","sensor":"`+n+`","boot":"`+n+`","seq":1,"fields":{"temperature_celsius":1e300,"`+n+`":1},"text":{"status":"`+n+`"},"quality":"`+n+`","reason":"`+n+`"}`),
			message(after, "hearth/pi4/status", `{"state":"online","boot":"`+n+`","`+n+`":1e308}`),
			message(after, "hearth/canary/"+strings.Trim(n, "\\\"\n"), `{"sent":"2026-11-23T12:00:00Z"}`),
			message(after, "hearth/dead/x", `{"id":"`+n+`","function":"`+n+`","topic":"`+n+`","reason":"`+n+`","count":-1,"first":"9999-01-01T00:00:00Z"}`),
			message(after, "any/x", `{"d":"`+n+`","v":-1e308,"s":"`+n+`"}`),
			message(after, "plug/x", `{"device_id":"`+n+`","power":1e300,"ups_status":"`+n+`","device_model":"`+n+`"}`),
			message(after, "telegraf/x", `{"name":"`+n+`","tags":{"host":"`+n+`","`+n+`":"`+n+`"},"fields":{"`+n+`":1,"x":2},"timestamp":1795435200}`))
	}
}

func TestARemovedDeadLetterIsDeletedADayLater(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t))
			notice := func(after time.Duration, gone bool) {
				t.Helper()
				f.Post(t, message(after, "hearth/dead/abc", fmt.Sprintf(`{"id":"abc","function":"zigbee","first":"2026-11-23T11:00:00Z","last":"2026-11-23T11:00:00Z","count":1,"gone":%v}`, gone)))
			}
			open := func() int {
				t.Helper()
				letters, err := f.Store.DeadLetters(t.Context(), 5)
				if err != nil {
					t.Fatal(err)
				}
				return len(letters)
			}
			notice(0, true)
			f.Post(t, message(23*time.Hour, "hearth/canary/main", `{"sent":"2026-11-24T11:00:00Z"}`))
			if notice(-time.Second, false); open() != 0 { // a late notice
				t.Error("it was deleted in less than a day")
			}
			f.Post(t, message(25*time.Hour, "hearth/canary/main", `{"sent":"2026-11-24T13:00:00Z"}`))
			if notice(-time.Second, false); open() != 1 { // as if it had never been
				t.Error("it was not deleted after a day")
			}
		})
	}
}
