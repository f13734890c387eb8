package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
)

func TestTheHouseNamesWhatNeedsSomethingAndCountsTheRest(t *testing.T) {
	f := newFixture(t)
	f.Device("zigbee", "Pantry climate", "Pantry", aged("temperature_celsius", 12, 5*time.Hour))
	f.Device("zigbee", "hall-button", "", pagetest.State("battery_percent", 8))
	f.Device("zigbee", "Attic fan", "", pagetest.State("state", 0), pagetest.State("available", 0))
	f.Device("zigbee", "Shed sensor", "", aged("temperature_celsius", 2, 30*time.Hour))
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 1700))
	f.Device("zigbee", "Bath window", "Bath", pagetest.State("contact", 0))
	f.Device("zigbee", "Hall door", "Hall", pagetest.State("contact", 1))
	f.Device("zigbee", "Sink", "Kitchen", pagetest.State("water_leak", 0))
	f.Device("edge", "basil-soil", "", pagetest.State("moisture_percent", 43))
	f.status.Alerts.Open = []status.Alert{
		{Key: "air-co2-high/office-air/co2_ppm", Device: "office-air", Severity: alert.Critical},
		{Key: "zigbee-battery-low/hall-button/battery_percent", Device: "hall-button", Severity: alert.Warning, Title: "Battery low", Value: "8 %"},
		{Key: "silent/pantry-climate", Device: "pantry-climate", Severity: alert.Critical, Since: now.Add(-4 * time.Hour)},
	}
	f.status.Rooms = []status.Room{{Devices: []status.Device{{ID: "shed-sensor", State: "silent"}, {ID: "sink", Missing: 3}}}}
	f.status.Dead = []status.Dead{{Letters: 2}, {Letters: 1}}
	tile := f.tile("house")
	want := "Pantry climate silent 5 h Hall button battery 8 % Attic fan offline 1 min Shed sensor silent 30 h 5 devices well " +
		"Bath window open · no leak · Basil soil 43 % 3 messages could not be read · 3 readings missing"
	if got := words(tile); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	body := string(tile.Body)
	if strings.Count(body, "dot-bad") != 1 || strings.Count(body, "dot-mid") != 1 || strings.Count(body, "dot-dim") != 2 || !strings.Contains(body, `href="status#dead"`) {
		t.Error(body)
	}
	for i := range f.status.Alerts.Open {
		f.status.Alerts.Open[i].Acked = true
	}
	if body := string(f.tile("house").Body); strings.Contains(body, "dot-bad") || strings.Contains(body, "dot-mid") {
		t.Error("what is acknowledged has a colour", body)
	}
}

func TestAHouseWithoutTroubleIsALine(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 700))
	f.Device("edge", "<script>", "Office", pagetest.State("co2_ppm", 700))
	if got, want := words(f.tile("house")), "2 devices well"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDevicesBehindAnAgentThatIsOfflineAreNotNamedOneByOne(t *testing.T) {
	f := newFixture(t)
	f.Device("node", "rack-pi", "", pagetest.State("online", 0))
	below := []status.Alert{}
	for _, name := range []string{"A one", "B two", "C three", "D four", "E five"} {
		id := f.Device("edge", name, "", aged("co2_ppm", 700, time.Hour))
		below = append(below, status.Alert{Key: "silent/" + id, Device: id, Severity: alert.Warning})
	}
	f.status.Alerts.Open = []status.Alert{{Key: "node-offline/rack-pi", Device: "rack-pi", Severity: alert.Warning, Since: now.Add(-time.Hour), Below: below}}
	if got, want := words(f.tile("house")), "Rack pi offline 1 h , 5 devices depend on it"; !strings.HasPrefix(got, want) || strings.Contains(got, "well") || strings.Contains(got, "A one") {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAGuestSeesNoDeadLetters(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 700))
	f.status.Dead = []status.Dead{{Letters: 2}}
	s := f.glance().Snapshot(t.Context(), View{Name: Guest})
	for _, tile := range s.Tiles {
		if tile.Kind() == "house" && strings.Contains(string(tile.Body), "message") {
			t.Error(tile.Body)
		}
	}
}
