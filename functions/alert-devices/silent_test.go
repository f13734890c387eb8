package function

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
)

func TestASilentDeviceIsToldOnceAndItsReturnOnce(t *testing.T) {
	h := start(t)
	h.edge("office-air")
	h.edge("other")
	h.run(30 * time.Minute)
	h.expect("while it reports")
	report := h.reports["office-air"]
	delete(h.reports, "office-air")
	h.run(9 * time.Minute)
	h.expect("after 9 minutes")
	h.run(time.Minute)
	texts := h.texts()
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "No values: office-air\nIt has reported nothing for 10 min. It is usually quiet for 1 min at most.\nLast report: 12:30 (10 min ago), co2_ppm ") {
		t.Fatalf("%q", texts)
	}
	h.run(2 * time.Hour)
	h.build()
	h.run(2 * time.Hour)
	h.expect("while it stays silent, after a restart too")
	h.reports["office-air"] = report
	h.run(30 * time.Minute)
	h.expect("when it is back", "Resolved: No values: office-air")
	if s := h.alerts()["silent/office-air"]; s.Phase != alert.Resolved || s.Episode != 1 || s.Sample {
		t.Errorf("%+v", s)
	}
}

// A device with fewer than ten gaps is silent after three times the cadence of what it
// measures: ten minutes for air.
func TestANewDeviceIsSilentByTheDeclaredCadence(t *testing.T) {
	h := start(t)
	h.edge("office-air")
	h.run(3 * time.Minute)
	delete(h.reports, "office-air")
	h.run(29 * time.Minute)
	h.expect("after 29 minutes")
	h.run(time.Minute)
	h.expect("after 30 minutes", "No values: office-air")
}

func TestSimulatedDevicesAreMarkedAsSample(t *testing.T) {
	h := start(t)
	h.slack()
	h.edge("office-air")
	h.save(store.DeviceState{Device: "office-air", Metric: "simulated", Value: 1})
	h.run(3 * time.Minute)
	delete(h.reports, "office-air")
	h.run(30 * time.Minute)
	messages := h.queued()
	if len(messages) != 1 || len(h.posts) != 0 || !h.alerts()["silent/office-air"].Sample {
		t.Errorf("%v %q", messages, h.posts)
	}
	for _, m := range messages {
		if m.Destination != alert.ToPage || !m.Sample {
			t.Errorf("%+v", m)
		}
	}
}

// One metric stops while the device reports another: an alert of its own. A switch and a
// text, which come when they change, raise none.
func TestASilentMetricIsTold(t *testing.T) {
	h := start(t)
	h.zigbee(1, "plug", []store.DeviceState{{Metric: "power_watts", Value: 5}, {Metric: "temperature_celsius", Value: 20}, {Metric: "mode", Text: "eco"}, {Metric: "child_lock", Value: 1}}, func(time.Time) bool { return true })
	var long silence.Cadence
	for at := noon.Add(-72 * time.Hour); at.Before(noon); at = at.Add(time.Hour) {
		long.Learn(at, at.Add(time.Hour))
	}
	var known []store.Cadence
	for _, metric := range []string{"", "power_watts", "temperature_celsius", "child_lock"} {
		known = append(known, store.Cadence{Device: "plug", Metric: metric, Learned: long})
	}
	if err := h.st.SaveCadences(t.Context(), store.Watch{Last: noon, Since: noon.Add(-time.Hour)}, known, noon); err != nil {
		t.Fatal(err)
	}
	h.run(5 * time.Minute)
	value := 0.0
	h.reports["plug"] = func(time.Time) {
		value++
		h.save(store.DeviceState{Device: "plug", Metric: "power_watts", Value: value})
	}
	h.run(2*time.Hour + 50*time.Minute)
	h.expect("before three of its gaps")
	h.run(20 * time.Minute)
	h.expect("after three of its gaps", "No values: plug")
	if s := h.alerts()["silent/plug/temperature_celsius"]; s.Phase != alert.Firing || !strings.Contains(s.Text, "the device reports its other values") {
		t.Errorf("%+v", s)
	}
	h.reports["plug"] = func(time.Time) {
		h.save(store.DeviceState{Device: "plug", Metric: "power_watts", Value: 7}, store.DeviceState{Device: "plug", Metric: "temperature_celsius", Value: 21})
	}
	h.run(2 * time.Minute)
	h.expect("when it comes again", "Resolved: No values: plug")
}

func TestAFrozenValueIsTold(t *testing.T) {
	h := start(t)
	h.edge("air")
	if err := h.st.SaveCadences(t.Context(), store.Watch{Last: noon, Since: noon}, []store.Cadence{
		{Device: "air", Metric: "co2_ppm", Learned: silence.Cadence{Changes: 500, Longest: 3600, Since: noon.Add(-100 * time.Hour).Unix()}},
	}, noon); err != nil {
		t.Fatal(err)
	}
	h.run(2 * time.Minute)
	stuck := h.now
	h.reports["air"] = func(time.Time) {
		h.save(store.DeviceState{Device: "air", Metric: "co2_ppm", Value: 612, Changed: stuck}, store.DeviceState{Device: "air", Metric: "energy_kwh", Value: 1, Changed: stuck}, store.DeviceState{Device: "air", Metric: "pm10_ugm3", Value: 0, Changed: stuck})
	}
	h.run(5*time.Hour + 59*time.Minute)
	h.expect("for six hours")
	h.run(2 * time.Minute)
	texts := h.texts()
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "The value does not change: air\nCO₂ is exactly 612 ppm for 6 h 0 min.") {
		t.Errorf("%q", texts)
	}
	h.edge("air")
	h.run(2 * time.Minute)
	h.expect("when it changes", "Resolved: The value does not change: air")
}

// A sensor that comes back after hours with the value that it had is not frozen.
func TestAPauseIsNoFrozenValue(t *testing.T) {
	h := start(t)
	h.edge("air")
	if err := h.st.SaveCadences(t.Context(), store.Watch{Last: noon, Since: noon}, []store.Cadence{
		{Device: "air", Metric: "co2_ppm", Learned: silence.Cadence{Changes: 500, Longest: 3600, Since: noon.Add(-100 * time.Hour).Unix()}},
	}, noon); err != nil {
		t.Fatal(err)
	}
	h.run(2 * time.Minute)
	stuck := h.now
	same := func(time.Time) {
		h.save(store.DeviceState{Device: "air", Metric: "co2_ppm", Value: 612, Changed: stuck})
	}
	h.reports["air"] = same
	h.run(10 * time.Minute)
	h.reports["air"] = func(time.Time) {}
	h.run(7 * time.Hour)
	h.expect("while it is off", "No values: air")
	h.reports["air"] = same
	h.run(10 * time.Minute)
	h.expect("when it is back", "Resolved: No values: air")
}

// Buttons, doors and motion sensors are quiet for long, and a thermometer is at night: none
// is silent. What Zigbee2MQTT cannot reach is offline at once.
func TestWhatReportsOnlyEventsIsNotSilent(t *testing.T) {
	h := start(t)
	battery := store.DeviceState{Metric: "battery_percent", Value: 90}
	day := func(now time.Time) bool { return now.Hour() >= 7 && now.Hour() < 23 }
	h.zigbee(1, "button", []store.DeviceState{{Metric: "action", Text: "single"}, battery}, func(now time.Time) bool { return now.Hour() == 14 && now.Minute() < 20 })
	h.zigbee(2, "door", []store.DeviceState{{Metric: "contact", Value: 1}, battery}, func(now time.Time) bool { return day(now) && now.Minute()%40 == 0 })
	h.zigbee(3, "motion", []store.DeviceState{{Metric: "occupancy", Value: 1}, {Metric: "illuminance_lux", Value: 20}, battery}, func(now time.Time) bool { return day(now) && now.Minute()%3 == 0 })
	h.zigbee(4, "thermometer", []store.DeviceState{{Metric: "temperature_celsius", Value: 20}, battery}, func(now time.Time) bool { return day(now) && now.Minute()%10 == 0 || now.Minute() == 0 })
	h.run(40 * time.Hour)
	h.expect("for two nights")
	h.save(store.DeviceState{Device: "motion", Metric: "available", Value: 0, Retained: true})
	h.run(time.Minute)
	h.expect("at once", "Not reachable: motion")
	h.save(store.DeviceState{Device: "motion", Metric: "available", Value: 1})
	h.run(time.Minute)
	h.expect("and back", "Resolved: Not reachable: motion")
}

// Two hundred alerts fire. Neither a restart nor a pause tells anything again.
func TestARestartWithFiringAlertsTellsNothing(t *testing.T) {
	h := start(t)
	for i := range 200 {
		h.adopt(store.DeviceRequest{Physical: fmt.Sprintf("topic/x/%d", i), Kind: "mapped", Device: fmt.Sprintf("m%03d", i), Name: fmt.Sprintf("m%03d", i)})
		h.save(store.DeviceState{Device: fmt.Sprintf("m%03d", i), Metric: "co2_ppm", Value: 600})
	}
	h.run(31 * time.Minute)
	if n := len(h.messages()); n != 200 {
		t.Fatalf("%d messages, want 200", n)
	}
	h.build()
	h.run(5 * time.Minute)
	h.now = h.now.Add(2 * time.Minute)
	h.build()
	h.run(5 * time.Minute)
	h.expect("after two restarts")
}

// What another part raised becomes unknown when its device is silent, and ends when the
// device is forgotten.
func TestAlertsOfValues(t *testing.T) {
	h := start(t)
	h.edge("air")
	h.run(20 * time.Minute)
	v := 1700.0
	o := alert.Observation{Key: "air-co2-high/air/co2_ppm", Spec: alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: alert.Warning, Title: "CO₂ is high", For: 5 * time.Minute},
		Subject: alert.Subject{Device: "air", Name: "air", Field: "co2_ppm"}, Verdict: alert.Bad, At: h.now, Value: &v, Text: "CO₂ is 1,700 ppm"}
	raise := func() {
		t.Helper()
		err := h.st.MoveAlerts(t.Context(), []string{o.Key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return (&alert.House{Mode: alert.Show}).Move(before, []alert.Observation{o}, h.now)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	raise()
	h.run(4 * time.Minute)
	h.expect("while it is pending")
	h.run(time.Minute)
	h.expect("after its minimum time", "CO₂ is high: air")
	delete(h.reports, "air")
	h.run(20 * time.Minute)
	h.expect("its data stops", "No values: air")
	if s := h.alerts()[o.Key]; s.Phase != alert.Unknown {
		t.Errorf("%+v", s)
	}
	if _, err := h.st.ForgetDevices(t.Context(), []string{"air"}); err != nil {
		t.Fatal(err)
	}
	h.run(time.Minute)
	h.expect("it is forgotten", "No longer watched: CO₂ is high: air", "No longer watched: No values: air")
}

func TestTheStoreIsAway(t *testing.T) {
	h := start(t)
	h.slack()
	h.edge("air")
	h.run(5 * time.Minute)
	fail := func(minutes int) {
		for range minutes {
			h.now = h.now.Add(time.Minute)
			if a, code := h.call(); code != http.StatusServiceUnavailable || a.Status != "failed" || !strings.Contains(a.Error, "connection refused") {
				t.Fatalf("%d %+v", code, a)
			}
		}
	}
	expect := func(what string, n int, want string) {
		t.Helper()
		if len(h.posts) != n || n > 0 && !strings.HasPrefix(h.posts[n-1], want) {
			t.Fatalf("%s: %q, want %d and %q", what, h.posts, n, want)
		}
	}
	h.broken = true
	fail(2)
	expect("for a minute", 0, "")
	fail(1)
	expect("for two", 1, "The database cannot be used since 12:06 (2 min): dial tcp 10.0.0.7:5432: connection refused")
	fail(59)
	expect("for an hour", 1, "The database")
	fail(60)
	expect("for two hours", 2+1-1, "The database cannot be used since 12:06")
	h.broken = false
	h.run(5 * time.Minute)
	expect("it is back", 3, "The database can be used again. It could not be for 2 h 2 min, from 12:06 to 14:08.")
	h.run(20 * time.Minute)
	expect("later", 3, "The database can be used again.")
}

// A rule about a field holds also when the device as a whole falls silent, and is told in
// place of the silence of the device.
func TestARuleAboutAFieldHoldsForASilentDevice(t *testing.T) {
	h := start(t)
	h.secret("hearth-settings", "rules: {pump-silent: {field: air.co2_ppm, device: pump, silent: 5m, severity: critical}}\n")
	h.build()
	h.edge("pump")
	h.run(20 * time.Minute)
	h.expect("while it reports")
	pump := h.reports["pump"]
	delete(h.reports, "pump")
	h.run(7 * time.Minute)
	h.expect("after its time", "No values: pump")
	if s := h.alerts()["silent/pump/co2_ppm"]; s.Severity != alert.Critical || s.Rule != "pump-silent" || !strings.Contains(s.Text, "It has reported nothing for 5 min.") {
		t.Errorf("%+v", s)
	}
	h.run(2 * time.Hour)
	h.expect("later")
	h.reports["pump"] = pump
	h.run(2 * time.Minute)
	h.expect("it reports again", "Resolved: No values: pump")
}

// Rules of hearth.yml decide after how long a device or a field is silent or frozen, and
// that a device is not watched.
func TestRulesOfHearthYML(t *testing.T) {
	h := start(t)
	write := func(rules string) {
		t.Helper()
		h.secret("hearth-settings", "rules:\n"+rules)
		h.build()
	}
	write(`  silent: {device: freezer, silent: 1h, severity: critical}
  lux-silent: {field: zigbee.illuminance_lux, silent: 3m}
  lux-frozen: {field: zigbee.illuminance_lux, frozen: 40m}
`)
	now := func(time.Time) bool { return true }
	h.edge("freezer")
	h.edge("other")
	h.zigbee(1, "lamp", []store.DeviceState{{Metric: "illuminance_lux", Value: 5, Changed: noon}, {Metric: "state", Value: 1, Changed: noon}}, now)
	h.run(20 * time.Minute)
	h.expect("while all report")
	freezer, other := h.reports["freezer"], h.reports["other"]
	h.reports["lamp"] = func(time.Time) { h.save(store.DeviceState{Device: "lamp", Metric: "state", Value: 1}) }
	h.run(2 * time.Minute)
	h.expect("for two minutes")
	h.run(2 * time.Minute)
	h.expect("a field is silent", "No values: lamp")
	h.zigbee(1, "lamp", []store.DeviceState{{Metric: "illuminance_lux", Value: 5, Changed: noon}}, now)
	h.run(15 * time.Minute)
	h.expect("it comes again", "Resolved: No values: lamp")
	h.run(2 * time.Minute)
	h.expect("it is frozen", "The value does not change: lamp")
	delete(h.reports, "freezer")
	delete(h.reports, "other")
	h.run(50 * time.Minute)
	h.expect("after 50 minutes", "No values: other")
	h.run(11 * time.Minute)
	h.expect("after an hour", "No values: freezer")
	if s := h.alerts()["silent/freezer"]; s.Severity != alert.Critical {
		t.Errorf("%+v", s)
	}
	h.reports["freezer"], h.reports["other"] = freezer, other
	h.run(2 * time.Minute)
	h.expect("both are back", "Resolved: No values: freezer", "Resolved: No values: other")
	delete(h.reports, "other")
	h.run(15 * time.Minute)
	h.expect("one is silent again", "No values: other")
	write("  silent: {off: true}\n")
	h.run(2 * time.Minute)
	h.expect("the rules are gone", "No longer watched: The value does not change: lamp", "No longer watched: No values: other")
}
