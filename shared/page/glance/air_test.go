package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/reading"
)

// outdoors is what OpenWeather says of a place's air; aqi below 0: only the PM2.5.
func outdoors(place string, at time.Time, aqi, dust float64) reading.Reading {
	r := reading.Reading{Name: "outdoor_air", Tags: map[string]string{"place": place}, Time: at, Fields: map[string]float64{"pm2_5_ugm3": dust}}
	if aqi >= 0 {
		r.Fields["us_aqi"] = aqi
	}
	return r
}

// airHouse is a house with an office and a living room.
func airHouse(t *testing.T, co2, dust float64, outside ...reading.Reading) *fixture {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", co2), pagetest.State("pm2_5_ugm3", 3))
	f.Device("edge", "Living room air", "Living room", pagetest.State("co2_ppm", 846), pagetest.State("pm2_5_ugm3", dust))
	f.Device("edge", "Kitchen gas", "Kitchen", pagetest.State("eco2_ppm", 5000), pagetest.State("tvoc_ppb", 900))
	f.Readings(outside...)
	return f
}

func TestTheAirSaysWhatToDo(t *testing.T) {
	fresh := now.Add(-10 * time.Minute)
	for name, c := range map[string]struct {
		f    *fixture
		want string
	}{
		"good": {airHouse(t, 800, 6.8, outdoors("home", fresh, 49, 8)), "Air is fine Outside 49 US AQI, good Inside, most PM2.5 6.8 µg/m³, living room Inside, most CO₂ 846 ppm, living room"},
		"stuffy": {airHouse(t, 1412, 6.8, outdoors("home", fresh, 49, 8)),
			"Air the office Outside 49 US AQI, good Inside, most PM2.5 6.8 µg/m³, living room Inside, most CO₂ 1 412 ppm, office, stuffy"},
		"bad outside": {airHouse(t, 800, 6.8, outdoors("home", fresh, 134, 50)),
			"Keep it shut Outside 134 US AQI, unhealthy for sensitive groups Inside, most PM2.5 6.8 µg/m³, living room Inside, most CO₂ 846 ppm, living room"},
		"both":                      {airHouse(t, 2100, 6.8, outdoors("home", fresh, 134, 50)), "Air the office, but briefly Outside 134"},
		"both, and dust":            {airHouse(t, 2100, 60, outdoors("home", fresh, 134, 50)), "Air the office, but briefly Outside 134"},
		"smoke":                     {airHouse(t, 800, 60, outdoors("home", fresh, 49, 8)), "Air the living room Outside 49 US AQI, good Inside, most PM2.5 60.0 µg/m³, living room, unhealthy Inside"},
		"smoke is in, worse is out": {airHouse(t, 800, 60, outdoors("home", fresh, 170, 80)), "Keep it shut Outside 170 US AQI, unhealthy "},
		"no index":                  {airHouse(t, 800, 6.8, outdoors("home", fresh, -1, 12.3)), "Air is fine Outside 12.3 µg/m³ PM2.5, moderate Inside"},
		"old":                       {airHouse(t, 800, 6.8, outdoors("home", now.Add(-5*time.Hour), 149, 50)), "Outside 149 US AQI, unhealthy for sensitive groups · 5 h old Inside"},
	} {
		tile := c.f.tile("air")
		if got := strings.ReplaceAll(words(tile), thin, " "); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
		if s, red := string(tile.Body), name == "bad outside" || strings.HasPrefix(name, "both") || strings.HasPrefix(name, "smoke is"); strings.Contains(s, `class="mid"`) != red || (len(tile.Needs) == 1) != red || strings.Contains(s, `bad"`) {
			t.Errorf("%s: %s, %v", name, s, tile.Needs)
		}
	}
}

func TestTheAirIsColouredByAlerts(t *testing.T) {
	f := airHouse(t, 1612, 6.8)
	f.status.Alerts.Open = []status.Alert{{Key: "air-co2-high/office-air/co2_ppm", Device: "office-air", Severity: alert.Critical}}
	tile := f.tile("air")
	if s := string(tile.Body); !strings.Contains(s, `<p class="advice bad">Air the office</p>`) || !strings.Contains(s, `<b class="bad"><data value="1612"`) || len(tile.Needs) != 0 {
		t.Errorf("%s, %v", s, tile.Needs)
	}
}

// TestWhatStandsForCO2: its equivalent only without a sensor of CO₂, and volatile compounds last.
func TestWhatStandsForCO2(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {locale: de-DE}"
	f.Device("edge", "Küche Luft", "Küche", pagetest.State("eco2_ppm", 2500), pagetest.State("tvoc_ppb", 900))
	f.Device("edge", "Garden dust", "Garden", pagetest.State("pm2_5_ugm3", 11))
	if got, want := strings.ReplaceAll(words(f.tile("air")), thin, " "), "Air the Küche Outside 11.0 µg/m³ PM2.5, moderate Inside, most CO₂ equivalent 2 500 ppm, Küche, very stuffy"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f = newFixture(t)
	f.Device("edge", "sgp-1", "", pagetest.State("tvoc_ppb", 900))
	if got, want := words(f.tile("air")), "Air the room Inside, most VOC 900 ppb, sgp-1, high"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOldAirHasNoAdvice(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Office", aged("co2_ppm", 2412, 5*time.Hour))
	tile := f.tile("air")
	if got, want := strings.ReplaceAll(words(tile), thin, " "), "Inside, most CO₂ 2 412 ppm, office, very stuffy · 5 h old"; got != want || !tile.At.Equal(now.Add(-5*time.Hour)) {
		t.Errorf("%s, want %s; %v", got, want, tile.At)
	}
}

func TestScales(t *testing.T) {
	for _, c := range []struct {
		s    airScale
		v    float64
		want string
	}{
		{aqiScale, 50, "good"}, {aqiScale, 51, "moderate"}, {aqiScale, 150, "unhealthy for sensitive groups"}, {aqiScale, 999, "hazardous"},
		{dustScale, 9, "good"}, {dustScale, 9.1, "moderate"}, {dustScale, 300, "hazardous"}, {co2Scale, 1000, "good"}, {co2Scale, 2001, "very stuffy"}, {vocScale, 221, "moderate"},
	} {
		if got := c.s.words[c.s.level(c.v)]; got != c.want {
			t.Errorf("%g: %s, want %s", c.v, got, c.want)
		}
	}
}

func TestBadAirOutsideNeedsNobodyWhereItsRuleIsOff(t *testing.T) {
	f := airHouse(t, 800, 6.8, outdoors("home", now, 134, 50))
	for yml, want := range map[string]int{"": 1, "rules: {outdoor-air-us-aqi-high: {off: true}}": 0} {
		f.yml = yml
		if tile := f.tile("air"); len(tile.Needs) != want || strings.Contains(string(tile.Body), `class="mid"`) != (want == 1) || !strings.Contains(words(tile), "Keep it shut") {
			t.Errorf("%s: %+v", yml, tile)
		}
	}
}
