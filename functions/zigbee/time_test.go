package function

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestATimeoutIsOfItsArrival: a motion sensor reports only motion. Zigbee2MQTT reports
// the end of it after a timeout, with the last_seen of the motion. That must not
// replace the reading of the motion.
func TestATimeoutIsOfItsArrival(t *testing.T) {
	st := batchtest.SQLite(t)
	f := serveWithDevices(t, st)
	occupancy := func(id string, seen, after time.Duration, motion bool) wire.Message {
		m := message(after, "mystery", fmt.Sprintf(`{"occupancy":%v,"linkquality":90,"last_seen":%q}`, motion, noon.Add(seen).Format(time.RFC3339Nano)))
		m.ID = id
		return m
	}
	motion, over := occupancy("motion", 0, 100*time.Millisecond+123, true), occupancy("over", 0, 90*time.Second+123, false)
	again := occupancy("again", 10*time.Minute, 10*time.Minute+100*time.Millisecond, true)
	want := []string{
		"zigbee,device=mystery linkquality=90,occupancy=1 1795435200000000000",
		"zigbee,device=mystery occupancy=0 1795435290000000123",
	}
	f.Post(t, motion)
	f.Post(t, over)
	same(t, "readings", f.Lines(t, "zigbee"), want)
	for name, ms := range map[string][]wire.Message{"the last again": {over}, "both again": {motion, over}} {
		f.Post(t, ms...)
		same(t, name, f.Lines(t, "zigbee"), want)
		f = batchtest.Serve(t, New, st)
		f.Post(t, ms...)
		same(t, name+", restarted", f.Lines(t, "zigbee"), want)
	}
	want = append(want, "zigbee,device=mystery linkquality=90,occupancy=1 1795435800000000000")
	f.Post(t, again)
	for range 2 {
		f.Post(t, motion, over, again)
		f.Post(t, retained(over))
		same(t, "all again", f.Lines(t, "zigbee"), want)
		f = batchtest.Serve(t, New, st)
	}
	if got := f.States(t); !strings.Contains(strings.Join(got, "\n"), "mystery occupancy = 1 12:10:00.000 ok") {
		t.Errorf("%v", got)
	}
}

func TestARetainedChangeOfUnknownTimeSetsOnlyTheState(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	f.Post(t, message(time.Second, "washer", `{"state":"ON","last_seen":"2026-11-23T12:00:00.000Z"}`),
		retained(message(time.Minute, "washer", `{"state":"OFF","last_seen":"2026-11-23T12:00:00.000Z"}`)))
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=washer state=1 1795435200000000000"})
	if got := f.States(t)[0]; got != "washer state = 0 12:01:00.000 ok retained" {
		t.Error(got)
	}
}

func TestActions(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	for i, payload := range []string{
		`{"action":"hold","last_seen":"2026-11-23T12:00:00.000Z"}`,
		`{"action":"hold","last_seen":"2026-11-23T12:00:00.000Z"}`,    // from the cache
		`{"action":"release","last_seen":"2026-11-23T12:00:00.000Z"}`, // by a timer
		`{"action":"release","click":"single","last_seen":"2026-11-23T12:00:05.000Z"}`,
		`{"click":"single","action":"release","last_seen":"2026-11-23T12:00:06.000Z"}`,
		`{"click":"double","last_seen":"2026-11-23T12:00:07.000Z"}`,
		`{"action":null,"click":"","last_seen":"2026-11-23T12:00:08.000Z"}`,
		`{"action":"","last_seen":"2026-11-23T12:00:09.000Z"}`,
		`{"action":"single"}`, `{"action":"single"}`,
	} {
		m := message(time.Duration(i+1)*time.Second, "button", payload)
		m.ID = fmt.Sprint("a", i)
		for range 2 { // and delivered twice
			f.Post(t, m)
		}
	}
	same(t, "presses", f.Lines(t, "zigbee_action"), []string{
		`zigbee_action,device=button presses=1,action="hold" 1795435200000000000`,
		`zigbee_action,device=button presses=1,action="release" 1795435203000000000`,
		`zigbee_action,device=button presses=1,action="release" 1795435205000000000`,
		`zigbee_action,device=button presses=1,action="release" 1795435206000000000`,
		`zigbee_action,device=button presses=1,action="double" 1795435207000000000`,
		`zigbee_action,device=button presses=1,action="single" 1795435209000000000`,
		`zigbee_action,device=button presses=1,action="single" 1795435210000000000`})
}

func TestAThousandDevicesJoinAndAreRenamed(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t))
			const n = 1000
			a := f.Post(t, retained(message(0, "bridge/devices", manyDevices(n))))
			if len(a.Replay) != n {
				t.Errorf("%d new names", len(a.Replay))
			}
			f.Post(t, retained(message(time.Minute, "bridge/devices", strings.ReplaceAll(manyDevices(n), `"sensor `, `"Sensor/`))))
			a = f.Post(t, message(2*time.Minute, "Sensor/999", `{"temperature":20}`), message(2*time.Minute, "sensor 0", `{"temperature":21}`))
			if len(a.Retry)+len(a.Rejected) > 0 {
				t.Errorf("%+v", a)
			}
			same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=sensor-0 temperature_celsius=21 1795435320000000000", "zigbee,device=sensor-999 temperature_celsius=20 1795435320000000000"})
		})
	}
}

func TestADeclaredRangeOf0To0IsIgnored(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t, retained(message(0, "bridge/devices", strings.Replace(list(t), `"unit":"W"`, `"unit":"W","value_min":0,"value_max":0`, 1))))
	f.Post(t, message(time.Minute, "washer", `{"power":100,"last_seen":"2026-11-23T12:00:00.000Z"}`))
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=washer power_watts=100 1795435200000000000"})
}

func TestAnotherReplicaKnowsANewNameAtOnce(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			one := serveWithDevices(t, st)
			two := batchtest.Serve(t, New, st)
			two.Post(t, message(0, "garage_temp", `{"temperature":20}`))
			one.Post(t, retained(message(time.Second, "bridge/devices", strings.Replace(list(t), `"garage_temp"`, `"Garage"`, 1))))
			if a := two.Post(t, message(2*time.Second, "Garage", `{"temperature":21}`)); len(a.Retry) > 0 {
				t.Errorf("%+v", a)
			}
			one.Post(t, message(3*time.Second, "Garage", `{"temperature":22}`))
			if got := one.Lines(t, "zigbee"); len(got) != 3 || !strings.HasPrefix(got[1], "zigbee,device=garage_temp temperature_celsius=21") {
				t.Errorf("%v", got)
			}
		})
	}
}
