package function

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/wire"
)

// FuzzMessage sends any payload on any topic together with a valid message. It is
// stored or rejected, and the valid one is stored.
func FuzzMessage(f *testing.F) {
	st := batchtest.SQLite(f)
	st.Series = batchtest.Null{Series: st.Series}
	h := batchtest.Serve(f, New, st, "TELEGRAF_ALLOW", "*.*")
	for _, seed := range [][2]string{
		{"hearth/pi4/x", `{"device":"x","sensor":"nut","time":"2026-11-23T12:00:00Z","boot":"b","seq":3,"fields":{"on_mains":1},"text":{"status":"OL"},"quality":"suspect","reason":"r"}`},
		{"hearth/pi4/x", `{"device":"x","sensor":"sgp30","boot":"b","seq":4,"fields":{"eco2_ppm":400,"tvoc_ppb":0},"quality":"clock_unsynced"}`},
		{"hearth/pi4/status", `{"state":"online","boot":"b","dropped":3}`}, {"hearth/canary/main", `{"sent":"2026-11-23T12:00:00Z","n":17}`},
		{"hearth/dead/x", `{"id":"a","function":"b"}`}, {"/embedded/plug", `{"power_usage":"3","device_id":"x","time":1795435200}`}, {"ups", `{"ups_status":" OB DISCHRG","device_model":"x"}`},
		{"telegraf/x", `{"metrics":[{"fields":{"free":7},"name":"disk","tags":{"path":"/","host":"nas"},"timestamp":1795435200}]}`},
		{"telegraf/x", "net,host=pf\\ sense,interface=igb0 bytes_recv=100i,x=\"a b\" 1795435200000000000\n"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		if topic == "" {
			return
		}
		m := message(0, topic, string(payload))
		good := edgeReading(1, 0, `"co2_ppm":612`)
		good.ID = "good"
		for _, r := range h.Post(t, m, good).Rejected {
			if r.ID == "good" {
				t.Errorf("the valid message was rejected: %s", r.Reason)
			}
		}
	})
}

// FuzzSender maps any object of known keys: its devices are of its topic, and the same
// each time.
func FuzzSender(f *testing.F) {
	f.Add("rtl_433/pi/events", []byte(`{"model":"Acurite-Tower","id":11524,"channel":"A","humidity":61,"mic":"CRC"}`))
	f.Add("a/b", []byte(`{"ip":"192.0.2.7","temp":1,"x":{"y":[{"name":"z"}]},"raum":"Bad","no":3}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		found, _ := mapKnownKeys(topic, payload, time.UTC)
		again, _ := mapKnownKeys(topic, payload, time.UTC)
		if len(found) != len(again) {
			t.Fatalf("%d, then %d", len(found), len(again))
		}
		for i, d := range found {
			if !strings.HasPrefix(d.Physical, topicPrefix+topic) || !strings.HasPrefix(d.Name, topic) || d.Physical != again[i].Physical || d.Name != again[i].Name {
				t.Fatalf("%q %q, then %q %q", d.Physical, d.Name, again[i].Physical, again[i].Name)
			}
		}
	})
}

// FuzzLine decodes any line: every metric that is returned has a name and numbers.
func FuzzLine(f *testing.F) {
	f.Add([]byte("net,host=pf\\ sense,interface=igb0 bytes_recv=100i,x=\"a b\\\"c\",ok=t 1795435200000000000"))
	f.Add([]byte("a b=1u,c=-2.5e3"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		ts, ok, _ := lines(string(payload))
		if !ok {
			return
		}
		for _, m := range ts {
			if m.name == "" || bytes.Count(payload, []byte("\n"))+1 < len(ts) || len(m.fields) > bytes.Count(payload, []byte("=")) {
				t.Errorf("%q: %+v", payload, ts)
			}
		}
	})
}

// FuzzRead decodes any message, without a database: every report has a name, finite
// numbers and a possible time.
func FuzzRead(f *testing.F) {
	a, err := parseAllow([]string{"*.*"})
	if err != nil {
		f.Fatal(err)
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "yml"), []byte(`devices: [{topic: "m/#", each: $, device: "{1}-{key}", time: $.t, fields: {x: {path: $.v, factor: 1e300}, y: "$.a[0]['b']"}, text: {s: $.s}},
		{topic: [w], device: d, fields: {co2_ppm: $}}]`), 0o600); err != nil {
		f.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	s := &sensors{fields: newFields(), watch: mapping.NewWatch(secret.NewFolder(dir).Get("yml"), log), allow: a, log: log}
	for _, seed := range [][2]string{
		{"hearth/pi4/x", `{"device":"x","sensor":"nut","time":"2026-11-23T12:00:00Z","boot":"b","seq":3,"fields":{"on_mains":1,"input_voltage_volts":nan},"text":{"status":"OL"},"quality":"suspect","reason":"r"}`},
		{"hearth/pi4/status", `{"state":"online","boot":"b","dropped":3}`}, {"hearth/canary/main", `{"sent":"2026-11-23T12:00:00Z","n":17}`}, {"hearth/dead/x", `{"id":"a","function":"b"}`},
		{"/embedded/plug", `{"power_usage":"3,5","device_id":"x","time":1795435200,"co2":-Infinity}`}, {"ups", `{"ups_status":" OB DISCHRG","device_model":"x"}`},
		{"telegraf/x", `{"metrics":[{"fields":{"free":7},"name":"disk","tags":{"path":"/","host":"nas"},"timestamp":1795435200},{}]}`},
		{"telegraf/x", "net,host=pf\\ sense,interface=igb0 bytes_recv=100i,x=\"a\nb\" 1795435200000000000\nbad\n"},
		{"m/x", `[{"t":"2026-11-23 12:00","v":1,"a":[{"b":2}],"s":"x"},{"t":null}]`}, {"w", `21,5`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		m := message(0, topic, string(payload))
		w := &work{s: s, ms: []wire.Message{m}, now: noon}
		w.set, w.settingsErr = s.watch.Set(noon)
		err := w.readMessage(0)
		for _, d := range w.reports {
			if len(d.physical) == 0 || d.measurement == "" || d.from == d.to && len(d.text) == 0 || !d.time.IsZero() && d.time.After(noon.Add(time.Hour)) {
				t.Errorf("%+v, %v", d, err)
			}
		}
		for _, v := range w.values {
			if v.Key == "" || math.IsNaN(v.V) { // ingest refuses a value that a factor has made infinite
				t.Errorf("%+v", v)
			}
		}
	})
}
