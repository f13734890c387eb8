package function

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// fifty puts fifty sensors behind the node pi4.
func (h *harness) fifty() {
	h.t.Helper()
	h.node(1)
	for i := range 50 {
		h.edge(fmt.Sprintf("s%02d", i))
	}
	h.run(15 * time.Minute)
	h.expect("while all is well")
}

// silence stops the reports of the sensors and returns them.
func (h *harness) silence() map[string]func(time.Time) {
	reports := h.reports
	h.reports = map[string]func(time.Time){}
	return reports
}

// A node goes offline, with its fifty sensors: one message says so, and one that it is back.
func TestOneMessageForANodeAndItsDevices(t *testing.T) {
	h := start(t)
	h.fifty()
	reports := h.silence()
	h.node(0)
	h.run(time.Hour)
	texts := h.texts()
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "The edge agent is offline: pi4\nIt is offline since 12:15. 50 devices depend on it: s00, s01, s02, s03, s04, s05, s06, s07 and 42 more.") {
		t.Fatalf("%q", texts)
	}
	h.node(1)
	h.reports = reports
	lost := reports["s07"]
	delete(reports, "s07")
	h.run(9 * time.Minute)
	h.expect("it is back", "Resolved: The edge agent is offline: pi4")
	h.run(10 * time.Minute)
	h.expect("one sensor is not back", "No values: s07")
	reports["s07"] = lost
	h.run(5 * time.Minute)
	h.expect("now it is", "Resolved: No values: s07")
}

// The sensors of a node vanish at once, and no last will says why.
func TestDevicesThatVanishAtOnceHaveOneCause(t *testing.T) {
	h := start(t)
	h.fifty()
	reports := h.silence()
	h.run(time.Hour)
	texts := h.texts()
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "The edge agent is offline: pi4\n50 of 50 devices have reported nothing since 12:15: s00, s01, ") {
		t.Fatalf("%q", texts)
	}
	h.reports = reports
	h.run(30 * time.Minute)
	h.expect("they are back", "Resolved: The edge agent is offline: pi4")
	if n := len(h.alerts()); n != 1 {
		t.Errorf("%d alerts, want one", n)
	}
}

func TestOneMessageForABridgeAndForTheBroker(t *testing.T) {
	h := start(t)
	h.canary()
	h.adopt(store.DeviceRequest{Physical: "zigbee2mqtt/bridge", Kind: "bridge", Device: "zigbee2mqtt", Name: "zigbee2mqtt"})
	h.save(store.DeviceState{Device: "zigbee2mqtt", Metric: "available", Value: 1})
	for i := range 5 {
		h.zigbee(i, fmt.Sprintf("t%d", i), []store.DeviceState{{Metric: "temperature_celsius", Value: 20}}, func(now time.Time) bool { return now.Minute()%5 == 0 })
	}
	h.run(2 * time.Hour)
	h.expect("while all is well")
	reports := h.silence()
	h.canary()
	h.save(store.DeviceState{Device: "zigbee2mqtt", Metric: "available", Value: 0})
	h.run(4 * time.Hour)
	h.expect("the bridge is offline", "Zigbee2MQTT is offline: zigbee2mqtt")
	h.save(store.DeviceState{Device: "zigbee2mqtt", Metric: "available", Value: 1})
	h.reports = reports
	h.run(time.Hour)
	h.expect("and back", "Resolved: Zigbee2MQTT is offline: zigbee2mqtt")
	h.silence()
	h.run(4 * time.Hour)
	h.expect("the broker stops", "No message comes through the broker")
	h.reports = reports
	h.run(time.Hour)
	h.expect("and starts", "Resolved: No message comes through the broker")
}

// After a pause of hearth itself there is one message, and no alert about what the pause
// explains. What does not come back is named, and told when its own time is over.
func TestAfterAPowerCut(t *testing.T) {
	h := start(t)
	h.node(1)
	h.canary()
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		h.edge(id)
	}
	h.run(20 * time.Minute)
	before := h.st
	dead := h.reports["c"]
	delete(h.reports, "c")
	h.now = h.now.Add(5 * time.Hour)
	h.build()
	h.run(9 * time.Minute)
	h.expect("just after it")
	h.run(2 * time.Minute)
	texts := h.texts()
	want := "hearth was off from 12:20 to 17:21 (5 h 1 min): the power was out, or it was stopped.\nNot back yet: c."
	if len(texts) != 2 || texts[0] != want && texts[1] != want || !strings.Contains(strings.Join(texts, " "), "No values: c") {
		t.Fatalf("%q, want %q", texts, want)
	}
	h.reports["c"] = dead
	h.run(20 * time.Minute)
	h.expect("c is back", "Resolved: No values: c")
	all, err := before.Cadences(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		for _, gap := range c.Learned.Gaps {
			if gap > 3600 {
				t.Errorf("%s %s has learned a gap of %d s from the pause", c.Device, c.Metric, gap)
			}
		}
	}
}

// An edge agent was offline and sends what it kept, late: that is no gap of its sensors.
func TestReadingsThatComeLateTeachNoGap(t *testing.T) {
	h := start(t)
	h.edge("air")
	h.run(15 * time.Minute)
	live := h.reports["air"]
	delete(h.reports, "air")
	h.run(2 * time.Minute)
	from := h.now
	h.run(3 * time.Hour)
	h.messages()
	h.reports["air"] = func(now time.Time) {
		from = from.Add(30 * time.Minute)
		h.save(store.DeviceState{Device: "air", Metric: "co2_ppm", Value: 700, Time: from, Arrived: now})
	}
	h.run(6 * time.Minute)
	h.reports["air"] = live
	h.run(15 * time.Minute)
	h.build()
	delete(h.reports, "air")
	h.run(12 * time.Minute)
	h.expect("it stops again", "Resolved: No values: air", "No values: air")
}

func TestTwoCallsAtOnce(t *testing.T) {
	h := start(t)
	h.run(time.Minute)
	if _, err := h.st.Lease(t.Context(), name, "another", time.Minute); err != nil {
		t.Fatal(err)
	}
	if a, code := h.call(); code != http.StatusConflict || a.Status != "running" {
		t.Errorf("%d %+v", code, a)
	}
}

// What was learned is stored when it matters, and not at each report.
func TestWhatWasLearnedIsStoredWhenItMatters(t *testing.T) {
	h := start(t)
	for i := range 10 {
		h.edge(fmt.Sprintf("s%d", i))
	}
	stored := 0
	for range 4 * 60 {
		h.now = h.now.Add(time.Minute)
		for _, report := range h.reports {
			report(h.now)
		}
		a, _ := h.call()
		stored += a.Learned
	}
	if stored > 10*2*4 { // ten devices, two streams each: when it is new, at 10 gaps and at 50
		t.Errorf("%d cadences were stored in four hours", stored)
	}
	all, err := h.st.Cadences(t.Context())
	if err != nil || len(all) != 20 || len(all[0].Learned.Gaps) < 10 {
		t.Errorf("%d, %+v, %v", len(all), all[0], err)
	}
}

// A muted root still explains what depends on it.
func TestDevicesOfANodeInMaintenanceAreQuiet(t *testing.T) {
	h := start(t)
	h.fifty()
	if err := h.st.SetUntil(t.Context(), store.UntilDate{Kind: store.Maintenance, Subject: "node/edge-pi4", Until: h.now.Add(3 * time.Hour), Set: h.now}); err != nil {
		t.Fatal(err)
	}
	h.silence()
	h.node(0)
	h.run(2 * time.Hour)
	for key, s := range h.alerts() {
		if s.Rule != "node-offline" || s.Phase != alert.Firing {
			t.Errorf("%s: %+v", key, s)
		}
	}
}
