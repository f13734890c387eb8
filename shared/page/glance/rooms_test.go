package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// aged is the latest value of a metric, measured so long before the fixture's now.
func aged(metric string, v float64, old time.Duration) store.DeviceState {
	return store.DeviceState{Metric: metric, Value: v, Time: now.Add(-old)}
}

func TestRoomsShowWhatIsMeasuredInThem(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 1412), pagetest.State("temperature_celsius", 24.4), pagetest.State("humidity_percent", 48))
	f.Device("edge", "Office climate", "Office", pagetest.State("temperature_celsius", 22.14), pagetest.State("humidity_percent", 49))
	f.Device("zigbee", "Cellar climate", "", pagetest.State("temperature_celsius", 14.3), pagetest.State("humidity_percent", 71))
	f.Device("edge", "bedroom-co2", "", pagetest.State("co2_ppm", 643))
	f.Device("edge", "kitchen-air", "", pagetest.State("tvoc_ppb", 118), pagetest.State("eco2_ppm", 500))
	f.Device("zigbee", "Garden sensor", "Garden", pagetest.State("temperature_celsius", 3))
	f.Device("zigbee", "Kitchen fridge", "Kitchen", pagetest.State("temperature_celsius", 5))
	f.Device("zigbee", "Kitchen plug", "Kitchen", pagetest.State("temperature_celsius", 33), pagetest.State("power_watts", 5))
	f.Device("edge", "opi5", "", pagetest.State("temperature_celsius", 48), pagetest.State("cpu_usage_percent", 5))
	f.Device("edge", "basil-soil", "Kitchen", pagetest.State("moisture_percent", 40))
	f.Device("zigbee", "Cellar window", "Cellar", pagetest.State("contact", 0))
	f.Series("air", "temperature_celsius", map[string]string{"device": "office-climate"}, now.Add(-24*time.Hour), 10*time.Minute, func(t time.Time) float64 { return float64(t.Hour()) })
	tile := f.tile("rooms")
	want := "Office 1 412 ppm 22.1 ° 49 % Cellar 14.3 ° window open 71 % damp Bedroom CO₂ 643 ppm Kitchen VOC 118 ppb"
	if got := strings.ReplaceAll(words(tile), thin, " "); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	body := string(tile.Body)
	if strings.Count(body, `class="line"`) != 1 || strings.Contains(body, `chip mid`) || strings.Contains(body, "chip bad") {
		t.Error(body)
	}
	if !strings.Contains(body, `data-plots="air.temperature_celsius,device=office-climate air.humidity_percent,device=office-climate air.co2_ppm,device=office-air"`) {
		t.Error(body)
	}
	if !strings.HasPrefix(tile.Keys(), "air.temperature_celsius,device=office-climate zigbee.temperature_celsius,device=cellar-climate air.co2_ppm,device=bedroom-co2") {
		t.Error(tile.Keys())
	}
}

func TestOnlyAnOpenAlertColoursAValue(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 1612), pagetest.State("temperature_celsius", 21))
	f.Device("edge", "Office second", "Office", pagetest.State("co2_ppm", 900))
	f.Device("edge", "Bedroom air", "Bedroom", pagetest.State("co2_ppm", 1612), pagetest.State("temperature_celsius", 21))
	f.Device("edge", "Attic air", "Attic", pagetest.State("co2_ppm", 1612), pagetest.State("temperature_celsius", 21))
	f.status.Alerts.Open = []status.Alert{
		{Key: "air-co2-high/office-air/co2_ppm", Device: "office-air", Severity: alert.Critical},
		{Key: "air-co2-high/attic-air/co2_ppm", Device: "attic-air", Severity: alert.Critical, Acked: true},
	}
	body := string(f.tile("rooms").Body)
	if strings.Count(body, "chip bad") != 1 || strings.Count(body, "chip calm") != 2 || strings.Contains(body, "900") {
		t.Error(body)
	}
	if strings.Index(body, "chip bad") < strings.Index(body, ">Office<") {
		t.Error("another room has the colour", body)
	}
}

func TestAnOldValueOfARoomSaysSo(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", aged("co2_ppm", 700, time.Minute), aged("temperature_celsius", 24, time.Minute))
	f.Device("edge", "Office climate", "Office", aged("temperature_celsius", 21, 40*time.Minute), aged("humidity_percent", 44, 40*time.Minute))
	f.Device("edge", "Pantry climate", "Pantry", aged("temperature_celsius", 15, 5*time.Hour))
	f.Device("edge", "Attic climate", "Attic", aged("temperature_celsius", 15, 8*24*time.Hour))
	f.Device("zigbee", "Bath climate", "Bath", aged("temperature_celsius", 23, 2*time.Hour))
	tile := f.tile("rooms")
	if got, want := words(tile), "Office 700 ppm 24.0 ° 44 % 40 min old Bath 23.0 ° Pantry silent 5 h"; got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if !tile.At.Equal(now.Add(-time.Minute)) || tile.Stale != 3*time.Hour {
		t.Error(tile.At, tile.Stale)
	}
}

func TestASuspectValueOfARoomIsNotShown(t *testing.T) {
	f := newFixture(t)
	good := 21.0
	f.Device("edge", "Office climate", "Office", store.DeviceState{Metric: "temperature_celsius", Value: 84, Quality: "suspect", Good: &good, GoodTime: now.Add(-2 * time.Minute)})
	f.Device("edge", "Bath climate", "Bath", store.DeviceState{Metric: "temperature_celsius", Value: 84, Quality: "suspect"})
	if got, want := words(f.tile("rooms")), "Office 21.0 °"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHearthYmlChoosesTheRoomsAndTheirOrder(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"Office", "Bath", "Attic"} {
		f.Device("edge", name+" climate", name, pagetest.State("temperature_celsius", 20))
	}
	f.yml = "house: {units: imperial}\ntiles: [{tile: rooms, room: [office, Attic, Nowhere]}]\n"
	if got, want := words(f.tile("rooms")), "Office 68.0 ° Attic 68.0 °"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAHostileRoomStaysText(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "x", `<script>alert("geheim")</script>`, pagetest.State("temperature_celsius", 20))
	f.Device("edge", "y", `" onclick="x`, pagetest.State("temperature_celsius", 20))
	body := string(f.tile("rooms").Body)
	for _, bad := range []string{"<script", `" onclick`, "geheim"} {
		if strings.Contains(body, bad) {
			t.Errorf("it has %s: %s", bad, body)
		}
	}
	if !strings.Contains(body, "&lt;script&gt;") {
		t.Error(body)
	}
}

func TestACurveKeepsItsGaps(t *testing.T) {
	q := store.Query{From: now.Add(-24 * time.Hour), To: now, Step: curveStep}
	at := func(h int, v float64) store.Window {
		return store.Window{Start: q.From.Add(time.Duration(h) * time.Hour), Mean: v}
	}
	bad := at(4, 99)
	bad.Suspect = 1
	series := []store.WindowSeries{{Tags: map[string]string{"device": "a"}, Field: "x", Windows: []store.Window{at(1, 1), at(2, 2), bad, at(9, 3)}},
		{Tags: map[string]string{"device": "a", "sample": "true"}, Field: "x", Windows: []store.Window{at(3, 50)}},
		{Tags: map[string]string{"device": "b"}, Field: "x", Windows: []store.Window{at(3, 60)}}}
	got := box{Width: 240, Height: 10, Left: float64(q.From.Unix()), Right: float64(q.To.Unix()), Low: 0, High: 10}.path(roomCurve(series, "a", "x", q, 3*time.Hour))
	if want := "M10.0 9.0L20.0 8.0M90.0 7.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestThePastSaysWhatWereSamples: a device whose values were samples is no measured one, and
// what a device measured after its samples are gone is no sample.
func TestThePastSaysWhatWereSamples(t *testing.T) {
	f := newFixture(t)
	id := f.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 20))
	measured := func(at time.Time, tags map[string]string) {
		f.Readings(reading.Reading{Name: "air", Tags: tags, Time: at, Fields: map[string]float64{"temperature_celsius": 20}})
	}
	measured(now.Add(-6*time.Hour), map[string]string{"device": id, catalogue.SampleLabel: "true"})
	measured(now.Add(-3*time.Hour), map[string]string{"device": id})
	for before, want := range map[time.Duration]bool{5*time.Hour + 50*time.Minute: true, 2*time.Hour + 50*time.Minute: false} {
		s := f.glance().Snapshot(t.Context(), View{At: now.Add(-before)})
		if len(s.Tiles) != 1 || s.Tiles[0].Kind() != "rooms" || s.Tiles[0].Sample != want {
			t.Errorf("%s before now: %+v, want one tile with sample: %t", before, s.Tiles, want)
		}
	}
}
