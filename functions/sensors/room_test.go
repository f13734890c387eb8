package function

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// flood publishes 1,500 messages of devices that do not exist.
func flood(t *testing.T, f *batchtest.Served, topic, payload string) (last wire.Answer) {
	t.Helper()
	for first := 0; first < 1500; first += 300 {
		var ms []wire.Message
		for i := range 300 {
			n := fmt.Sprint(first + i)
			ms = append(ms, message(time.Duration(first+i)*time.Millisecond, strings.ReplaceAll(topic, "N", n), strings.ReplaceAll(payload, "N", n)))
		}
		last = f.Post(t, ms...)
	}
	return last
}

func TestANoisyPublisherLeavesRoomForOthers(t *testing.T) {
	const reading, tele = `{"device":"dN","sensor":"scd4x","boot":"b","seq":1,"fields":{"co2_ppm":612}}`, "devices: [{topic: tele/+/STATE, fields: {temperature_celsius: $.t}}]"
	for name, tc := range map[string]struct {
		settings, topic, payload, cause string
	}{
		"devices_of_a_node": {"", "hearth/evil/dN", reading, "more devices of hearth/evil/#"},
		"nodes":             {"", "hearth/evilN/air", reading, "devices of further publishers"},
		"nodes_online":      {"", "hearth/evilN/status", `{"state":"online","boot":"b"}`, "devices of further publishers"},
		"a_mapping":         {tele, "tele/dN/STATE", `{"t":20}`, "more devices of tele/#"},
		"usual_keys":        {"", "home/evil/dN", `{"temperature":20}`, "more devices of home/evil/#"},
		"telegraf":          {"", "telegraf/evil", `{"name":"cpu","tags":{"host":"hN","cpu":"cpu-total"},"fields":{"usage_idle":90},"timestamp":1795435200}`, "more devices of telegraf/evil/#"},
		"any_topic":         {"", "dN", `{"temperature":20}`, "devices of further publishers"},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t))
			if tc.settings != "" {
				writeSettings(t, f, tc.settings)
			}
			f.Post(t, edgeReading(1, 0, `"co2_ppm":600`), message(0, "office/known", `{"temperature":20}`))
			a := flood(t, f, tc.topic, tc.payload)
			if len(a.Rejected) < 290 || !strings.Contains(a.Rejected[0].Reason, tc.cause) || !strings.Contains(a.Rejected[0].Reason, "hearth device forget ") {
				t.Fatalf("%d rejected, %d to retry, %+v, want %s", len(a.Rejected), len(a.Retry), append(a.Rejected, a.Retry...)[0], tc.cause)
			}
			causes := map[string]bool{}
			for _, r := range a.Rejected {
				causes[r.Reason] = true
			}
			if len(causes) != 1 {
				t.Errorf("%d causes: %v", len(causes), causes)
			}
			a = f.Post(t, message(time.Hour, "hearth/pi4/new-air", `{"device":"new-air","sensor":"scd4x","boot":"b1","seq":2,"fields":{"co2_ppm":612}}`), message(time.Hour, "office/new", `{"temperature":20}`))
			if len(a.Rejected) > 0 || a.Stored["pi4"].Seq != 2 {
				t.Errorf("%+v", a)
			}
		})
	}
}

// A node for which there is no room must not be counted, nor acknowledged.
func TestANodeWithoutRoomIsNotAcknowledged(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	flood(t, f, "hearth/evilN/air", `{"device":"dN","sensor":"scd4x","boot":"b","seq":1,"fields":{"co2_ppm":612}}`)
	good := edgeReading(1, time.Hour, `"co2_ppm":612`)
	if a := f.Post(t, good); len(a.Rejected) != 1 || len(a.Stored) != 0 {
		t.Fatalf("%+v", a)
	}
	before, err := f.Store.EdgeSeqs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forget(t, f.Store, func(d store.Device) bool { return strings.HasPrefix(d.Publisher, "hearth/evil") })
	if a := f.Post(t, good); len(a.Rejected) != 0 || a.Stored["pi4"] != (wire.StoredUpTo{Boot: "b1", Seq: 1}) {
		t.Errorf("%+v", a)
	}
	after, err := f.Store.EdgeSeqs(t.Context())
	if err != nil || len(after) != 1 || len(before) < 100 || len(before) > 1000 {
		t.Errorf("%d and then %d boots, %v", len(before), len(after), err)
	}
}

// forget forgets devices, as hearth device forget does in another process.
func forget(t *testing.T, st *store.Store, which func(store.Device) bool) {
	t.Helper()
	ds, err := st.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range ds {
		if which(d) {
			ids = append(ids, d.ID)
		}
	}
	for chunk := range slices.Chunk(ids, 200) {
		if _, err := st.ForgetDevices(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAForgottenDeviceThatPublishesComesBack(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": batchtest.SQLite, "servers": batchtest.Servers} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t))
			f.Post(t, edgeReading(1, 0, `"co2_ppm":612`))
			forget(t, f.Store, func(d store.Device) bool { return d.ID == "office-air" })
			if got := f.States(t); len(got) != 0 {
				t.Errorf("%q", got)
			}
			if a := f.Post(t, edgeReading(2, time.Minute, `"co2_ppm":613`)); a.Stored["pi4"].Seq != 2 {
				t.Errorf("%+v", a)
			}
			same(t, "states", f.States(t), []string{"office-air co2_ppm = 613 12:01:00.000 ok"})
			if got := f.Lines(t, "air"); len(got) != 2 {
				t.Errorf("its readings: %q", got)
			}
		})
	}
}
