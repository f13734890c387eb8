package glance

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
)

// shownIDs returns the ids of the tiles of a view.
func (f *fixture) shownIDs(view string) string {
	f.T.Helper()
	s := f.glance().Snapshot(f.T.Context(), View{Name: view})
	if len(s.Errors) > 0 {
		f.T.Fatal(s.Errors)
	}
	var ids []string
	for _, t := range s.Tiles {
		ids = append(ids, t.ID)
	}
	return strings.Join(ids, " ")
}

// rack is a house with two power meters and two thermometers.
func rack(t *testing.T) *fixture {
	f := newFixture(t)
	for i, name := range []string{"PDU A", "PDU B"} {
		id := f.Device("mapped", name, "Cellar", pagetest.State("power_watts", 1200.4+float64(i)*100))
		f.Series("power", "power_watts", map[string]string{"device": id}, now.Add(-23*time.Hour), 15*time.Minute, func(time.Time) float64 { return 1000 })
	}
	for i, name := range []string{"Rack top", "Office air"} {
		id := f.Device("mapped", name, []string{"Cellar", "Office"}[i], pagetest.State("temperature_celsius", 20+10*float64(i)))
		f.Series("air", "temperature_celsius", map[string]string{"device": id}, now.Add(-23*time.Hour), 15*time.Minute, func(time.Time) float64 { return 20 })
	}
	return f
}

// own returns the only own tile.
func (f *fixture) own() *Tile {
	f.T.Helper()
	t := f.tile(own)
	if t == nil {
		f.T.Fatal("there is no own tile")
	}
	return t
}

func TestTilesOfHearthYMLAreChosenInTheirOrder(t *testing.T) {
	f := rack(t)
	f.yml = `tiles:
  - {title: Rack, lines: power.power_watts}
  - {tile: sums, lines: [{field: power.power_watts, device: [pdu-a, pdu-b]}], views: [wall, kids]}
  - {lines: air.temperature_celsius, views: desk}
  - {tile: sums, lines: air.temperature_celsius}
`
	for view, want := range map[string]string{"": "own-1 sums own-3 sums-2", "wall": "own-1 sums sums-2", "kids": "own-1 sums sums-2", "desk": "own-1 own-3 sums-2", "guest": ""} {
		if got := f.shownIDs(view); got != want {
			t.Errorf("view %q has %q, want %q", view, got, want)
		}
	}
	if got := strings.Join(f.glance().Views(), " "); got != "desk guest kids wall" {
		t.Errorf("views: %s", got)
	}
}

func TestAnOwnTileShowsEachForm(t *testing.T) {
	const lines = `lines: [{field: power.power_watts, device: [pdu-a, pdu-b], title: Rack, unit: kW}, {field: air.temperature_celsius, device: rack-top}]`
	f := rack(t)
	f.Now = f.Now.In(time.FixedZone("of the clock", 3600)) // the store's times are in UTC
	for form, tc := range map[string]struct{ yml, want, markup string }{
		"value": {`{title: T, ` + lines + `}`, "2.5 kW Rack Rack top · Temperature 20.0 °C", `class="spark"`},
		"curve": {`{show: curve, ` + lines + `}`, "Rack 2.5 kW Rack top · Temperature 20.0 °C", `class="line own-b"`},
		"bar":   {`{show: bar, lines: [{field: power.power_watts, device: pdu-a, max: 2400}]}`, "PDU A 1 200 W", `width="50.0%"`},
		"list":  {`{show: list, lines: air.temperature_celsius}`, "Office air 30.0 °C Rack top 20.0 °C", `<li>`},
		"room":  {`{show: list, room: Cellar, lines: air.temperature_celsius}`, "Rack top 20.0 °C", `<li>`},
	} {
		f.yml = "tiles:\n- " + tc.yml + "\n"
		got := f.own()
		if text := strings.ReplaceAll(words(got), thin, " "); !strings.Contains(text, tc.want) {
			t.Errorf("%s shows %q, want %q", form, text, tc.want)
		}
		if !strings.Contains(string(got.Body), tc.markup) {
			t.Errorf("%s has no %s: %s", form, tc.markup, got.Body)
		}
		if strings.Contains(string(got.Body), "style=") {
			t.Errorf("%s has inline style", form)
		}
	}
}

func TestTheHistoryOfASumNamesItsDevices(t *testing.T) {
	f := rack(t)
	f.yml = "tiles: [{lines: [{field: power.power_watts, device: [pdu-a, pdu-b]}, {field: air.temperature_celsius, device: rack-top}]}]"
	var titles []string
	for _, s := range f.own().Plots {
		titles = append(titles, s.Title)
	}
	if got, want := strings.Join(titles, "; "), "Power, PDU A; Power, PDU B; Rack top · Temperature"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAnOwnTileIsInTheUnitsOfTheHouse(t *testing.T) {
	f := rack(t)
	f.yml = "house: {units: imperial}\ntiles: [{show: list, lines: [{field: air.temperature_celsius, device: rack-top}, {field: air.temperature_celsius, device: rack-top, unit: °C}]}]\n"
	if got := words(f.own()); got != "Temperature 68.0 °F Temperature 20.0 °C" {
		t.Error(got)
	}
}

func TestAnOldValueOfAnOwnTileIsMarked(t *testing.T) {
	f := rack(t)
	f.yml = "tiles: [{show: list, lines: air.temperature_celsius}]\n"
	f.Now = f.Now.Add(5 * time.Hour)
	got := f.own()
	if text := words(got); !strings.Contains(text, "20.0 °C · 5 h old") || !strings.Contains(string(got.Body), "old-value") {
		t.Error(text)
	}
	if got.Stale != 30*time.Minute || !got.At.Equal(now.Add(-time.Minute)) {
		t.Errorf("stale %s after %s", got.Stale, got.At)
	}
}

func TestASumNeedsAllItsDevices(t *testing.T) {
	f := rack(t)
	f.yml = "tiles: [{lines: [{field: power.power_watts, device: [pdu-a, pdu-z]}]}]\n"
	if got := words(f.own()); !strings.Contains(got, "No value") {
		t.Error(got)
	}
}

func TestAnOwnTileOfASourceChoosesByLabels(t *testing.T) {
	f := newFixture(t)
	for _, place := range []string{"berlin", "oslo"} {
		f.Readings(reading.Reading{Name: "weather", Tags: map[string]string{"place": place}, Time: now.Add(-time.Minute), Fields: map[string]float64{"temperature_celsius": float64(len(place))}})
	}
	f.yml = "tiles: [{show: list, lines: [{field: weather.temperature_celsius, labels: {place: oslo}}]}]\n"
	if got := words(f.own()); got != "oslo 4.0 °C" {
		t.Error(got)
	}
	f.yml = "tiles: [{show: list, lines: weather.temperature_celsius}]\n"
	if got := words(f.own()); got != "berlin 6.0 °C oslo 4.0 °C" {
		t.Error(got)
	}
}

func TestMistakesInATileStandInIt(t *testing.T) {
	f := newFixture(t)
	for name, tc := range map[string]struct{ yml, want string }{
		"name":    {"tiles: [wether]\n", `hearth.yml, line 1: the tile "wether" is unknown: did you mean weather?`},
		"field":   {"tiles: [{lines: [air.co3_ppm]}]\n", `air has no field "co3_ppm": did you mean co2_ppm?`},
		"of":      {"tiles: [{lines: [aair.co2_ppm]}]\n", `"aair" is in neither the catalogue nor devices: did you mean air?`},
		"nine":    {"tiles: [{lines: [air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm, air.co2_ppm]}]\n", "at most 8 lines: these are 9"},
		"unit":    {"tiles: [{lines: [{field: air.co2_ppm, unit: W}]}]\n", "co2_ppm is in ppm, which cannot be shown as W"},
		"label":   {"tiles: [{lines: [{field: weather.temperature_celsius, labels: {plase: x}}]}]\n", `weather has no label "plase": did you mean place?`},
		"lines":   {"tiles: [{tile: weather, lines: [air.co2_ppm]}]\n", "the tile weather has lines of its own"},
		"guest":   {"tiles: [{tile: stocks, views: [guest]}]\n", "the tile stocks is not shown to guests"},
		"view":    {"tiles: [{lines: [air.co2_ppm], views: [wal]}]\n", `did you mean wall?`},
		"key":     {"tiles: [{lines: [air.co2_ppm], titel: x}]\n", `the key "titel" is unknown: did you mean title?`},
		"nothing": {"tiles: [{title: x}]\n", "write the name of a tile that hearth has"},
	} {
		f.yml = tc.yml
		s := f.glance().Snapshot(t.Context(), View{})
		if len(s.Tiles) != 1 || !strings.Contains(html.UnescapeString(words(&s.Tiles[0])), tc.want) || len(s.Errors) > 0 {
			for i := range s.Tiles {
				t.Errorf("%s: %s", name, words(&s.Tiles[i]))
			}
			t.Errorf("%s: want %q; errors %v", name, tc.want, s.Errors)
		}
	}
}

func TestThePowerTileTakesLines(t *testing.T) {
	f := newFixture(t)
	f.yml = "tiles: [{tile: power, lines: [power.power_watts]}]\n"
	if got := f.glance().Settings().Err(); got != nil {
		t.Error(got)
	}
}

func TestGuestsSeeOnlyOwnTilesThatAreMeantForThem(t *testing.T) {
	f := rack(t)
	f.Readings(reading.Reading{Name: "stocks", Tags: map[string]string{"symbol": "SAP"}, Time: now.Add(-time.Minute), Fields: map[string]float64{"price_usd": 250}})
	f.yml = "tiles: [{show: list, lines: [air.temperature_celsius, stocks.price_usd], views: [guest]}, {show: list, lines: [air.temperature_celsius]}]\n"
	s := f.glance().Snapshot(t.Context(), View{Name: Guest})
	if len(s.Tiles) != 1 {
		t.Fatal(s.Tiles)
	}
	if got := s.Tiles[0]; strings.Contains(string(got.Body), "SAP") || len(got.Plots) > 0 || !strings.Contains(words(&got), "Rack top") {
		t.Errorf("%s %v", got.Body, got.Plots)
	}
}

func TestANewSourceHasATileWithoutCode(t *testing.T) {
	f := newFixture(t)
	m := catalogue.Measurement{Name: "tides", Title: "Tides", Labels: []string{"harbour"}, Cadence: time.Hour, Text: []string{"phase", "raw"}, HideText: []string{"raw"}, Fields: []catalogue.Field{
		{Key: "secret_number", Title: "Hidden", Max: 10, Show: catalogue.Hidden}, {Key: "level_meters", Title: "Level", Unit: "m", Max: 20}, {Key: "rise_meters", Title: "Rise", Unit: "m", Max: 20},
	}}
	k := derivedKind(catalogue.Family{Function: "tides", Title: "Tides", Private: true, Measurements: []catalogue.Measurement{m}})
	w, err := f.glance().world(t.Context(), View{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.collect(t.Context(), w); got != nil || err != nil {
		t.Errorf("without readings: %v, %v", got, err)
	}
	for h := range 20 {
		f.Readings(reading.Reading{Name: "tides", Tags: map[string]string{"harbour": "Hamburg"}, Time: now.Add(time.Duration(h-20) * time.Hour),
			Fields: map[string]float64{"level_meters": float64(h) / 4, "rise_meters": 0.25, "secret_number": 7}, Text: map[string]string{"phase": "<flood>", "raw": "x9"}})
	}
	w, _ = f.glance().world(t.Context(), View{})
	got, err := k.collect(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if text := html.UnescapeString(words(got)); text != "4.75 m Level Rise 0.25 m <flood>" {
		t.Error(text)
	}
	if !strings.Contains(string(got.Body), `class="spark"`) || strings.Contains(string(got.Body), "<flood>") || len(got.Plots) != 2 || got.Stale != 3*time.Hour {
		t.Errorf("%s %v %s", got.Body, got.Plots, got.Stale)
	}
	f.Readings(reading.Reading{Name: "tides", Tags: map[string]string{"harbour": "Cuxhaven"}, Time: now.Add(-time.Minute), Fields: map[string]float64{"level_meters": 3}})
	w, _ = f.glance().world(t.Context(), View{})
	if got, err = k.collect(t.Context(), w); err != nil || !strings.Contains(words(got), "3 m Cuxhaven Hamburg 4.75 m") {
		t.Error(words(got), err)
	}
}
