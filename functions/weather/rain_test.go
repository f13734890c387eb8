package function

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

// days returns the weather_day readings of a forecast that begins at a time, in slots of
// three hours, with this rain in each.
func days(t *testing.T, begin time.Time, zone time.Duration, rain ...float64) map[string]reading.Reading {
	t.Helper()
	var list []any
	for i, mm := range rain {
		s := map[string]any{"dt": begin.Add(time.Duration(i) * 3 * time.Hour).Unix(), "main": map[string]any{"temp": 10 + i}, "weather": []any{map[string]any{"main": "Rain"}}, "pop": mm / 10}
		if mm > 0 {
			s["rain"] = map[string]any{"3h": mm}
		}
		list = append(list, s)
	}
	body, _ := json.Marshal(map[string]any{"list": list, "city": map[string]any{"timezone": int(zone.Seconds())}})
	rs, err := decodeForecast(body)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]reading.Reading{}
	for _, r := range rs {
		if r.Name == "weather_day" {
			out[r.Time.Add(zone).Format(time.DateOnly)] = r
		}
	}
	return out
}

func TestRainBelongsToTheThreeHoursBeforeItsSlot(t *testing.T) {
	rain := []float64{5, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0}
	for name, c := range map[string]struct {
		hour int // of the first slot, in UTC on 28 November
		zone time.Duration
		want map[string]float64 // rain by day
	}{
		"slots at midnight":         {0, 0, map[string]float64{"2026-11-28": 3, "2026-11-29": 0}}, // 5 mm fell on the 27th, 2 mm before midnight of the 28th
		"an hour across midnight":   {0, time.Hour, map[string]float64{"2026-11-28": 3, "2026-11-29": 0}},
		"two hours across midnight": {0, 2 * time.Hour, map[string]float64{"2026-11-28": 6, "2026-11-29": 2}},
		"half hours":                {0, 5*time.Hour + 30*time.Minute, map[string]float64{"2026-11-29": 3}},
		"west":                      {9, -8 * time.Hour, map[string]float64{"2026-11-29": 0}}, // the day begins with the slot of 9 UTC, an hour after midnight
	} {
		got := days(t, time.Date(2026, 11, 28, c.hour, 0, 0, 0, time.UTC), c.zone, rain...)
		for day, mm := range c.want {
			r, ok := got[day]
			if v, has := r.Fields["rain_mm"]; !ok || !has || v != mm {
				t.Errorf("%s: %s has %v, want %v mm (all: %v)", name, day, r.Fields, mm, got)
			}
		}
	}
}

// The last slot of a forecast may be at 21:00: the rain of its last three hours is unknown.
func TestADayWithoutItsLastRainHasNone(t *testing.T) {
	got := days(t, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), 0, 0, 0, 0, 4, 0, 0, 0, 0)["2026-11-28"]
	if _, has := got.Fields["rain_mm"]; has || got.Fields["high_celsius"] != 17 {
		t.Errorf("%v: want temperatures and no rain", got.Fields)
	}
}

// A value that will not be stored does not decide that of its day: the sum is left out, the
// highest temperature is that of the other slots.
func TestAValueOutsideOfItsRangeDoesNotDecideTheDay(t *testing.T) {
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for odd, want := range map[string]string{
		`"rain":{"3h":-1}`:                       "high_celsius low_celsius precipitation_chance_percent snow_mm",
		`"rain":{"3h":99999}`:                    "high_celsius low_celsius precipitation_chance_percent snow_mm",
		`"snow":{"3h":-0.5}`:                     "high_celsius low_celsius precipitation_chance_percent rain_mm",
		`"pop":5`:                                "high_celsius low_celsius rain_mm snow_mm",
		`"main":{"temp":999}`:                    "high_celsius low_celsius precipitation_chance_percent rain_mm snow_mm",
		`"main":{"temp":12,"temp_max":-999}`:     "high_celsius low_celsius precipitation_chance_percent rain_mm snow_mm",
		`"rain":{"3h":0},"main":{"temp":12.125}`: "high_celsius low_celsius precipitation_chance_percent rain_mm snow_mm",
	} {
		var slots []string
		for i := range 9 {
			slot := fmt.Sprintf(`{"dt":%d,"main":{"temp":12},"pop":0.5,"rain":{"3h":1}`, begin.Add(time.Duration(i)*3*time.Hour).Unix())
			if i == 4 {
				slot += "," + odd // replaces the value above
			}
			slots = append(slots, slot+"}")
		}
		rs, err := decodeForecast([]byte(`{"list":[` + strings.Join(slots, ",") + `],"city":{"timezone":0}}`))
		if err != nil || len(rs) != 10 {
			t.Fatalf("%s: %v, %v", odd, rs, err)
		}
		day := rs[9].Fields
		if got := strings.Join(slices.Sorted(maps.Keys(day)), " "); got != want || day["low_celsius"] != 12 || day["high_celsius"] > 12.2 {
			t.Errorf("%s: %v, want %s", odd, day, want)
		}
	}
}

func TestOneOddSlotCostsItself(t *testing.T) {
	rs, err := decodeForecast([]byte(`{"list":[{"dt":1795878000,"main":{"temp":1},"weather":[{"main":"Snow"}]},{"dt":1795888800,"main":{}},{"dt":1795899600,"main":{"temp":3}}],"city":{"timezone":0}}`))
	if err == nil || len(rs) != 2 || rs[1].Fields["temperature_celsius"] != 3 {
		t.Errorf("%v, %v; want two slots and an error", rs, err)
	}
}

// A value of another type costs itself, with a warning; nothing fails.
func TestAValueOfAnotherTypeCostsItself(t *testing.T) {
	for odd, want := range map[string]string{
		`"rain":0.5`:                     "rain",
		`"wind":{"speed":4,"deg":"VAR"}`: "wind.deg",
		`"visibility":"10000"`:           "visibility",
		`"weather":{"main":"Rain"}`:      "weather",
		`"clouds":[]`:                    "clouds",
		`"snow":{"1h":"a little"}`:       "snow.1h",
		`"dt":1795878000,"sys":"x"`:      "",
	} {
		rs, err := decodeCurrent([]byte(`{"dt":1795878000,"main":{"temp":7.5,"humidity":80},` + odd + `}`))
		if len(rs) != 1 || rs[0].Fields["temperature_celsius"] != 7.5 || rs[0].Fields["humidity_percent"] != 80 || fatal(err) != nil {
			t.Errorf("%s: %v, %v", odd, rs, err)
		}
		if (err != nil) != (want != "") || err != nil && !strings.HasPrefix(err.Error(), "left out: "+want+" has a value") {
			t.Errorf("%s: %v; want a warning about %q", odd, err, want)
		}
	}
	h := start(t)
	good := openWeather(sourcetest.Respond(200, `{"list":[{"dt":1795437578,"main":{"aqi":"good"},"components":{"pm2_5":3,"o3":"much"}}]}`))
	h.Answer = good
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || !strings.Contains(fmt.Sprint(a.Warnings), "left out: list.main.aqi has a value") || len(h.Readings("outdoor_air")) != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAValueOutsideOfItsRangeDoesNotDecideTheIndex(t *testing.T) {
	rs, err := decodeAir([]byte(`{"list":[{"dt":1795878000,"main":{"aqi":1},"components":{"pm2_5":99999,"pm10":20,"o3":1e9}}]}`))
	if err != nil || rs[0].Fields["us_aqi"] != 19 {
		t.Errorf("%v, %v; want the index of PM10 alone, 19", rs, err)
	}
}

func TestTheWeatherIsKeptWhenTheAirFails(t *testing.T) {
	for name, body := range map[string]string{"empty": `{"list":[]}`, "nothing": ``, "other": `{"coord":{"lon":1,"lat":2}}`, "no concentration": `{"list":[{"dt":1795437578,"components":{}}]}`} {
		h := start(t)
		h.Answer = openWeather(sourcetest.Respond(200, body))
		a, w := h.Post("")
		if w.Code != 200 || a.Status != "partial" || a.Stored != 2*46-1 || len(h.Readings("weather")) != 2 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	h := start(t)
	h.Answer = sourcetest.Respond(401, `{"cod":401,"message":"Invalid API key. Please see https://openweathermap.org/faq#error401 for more info."}`)
	if a, w := h.Post(""); w.Code != 502 || len(h.Requests) != 2 || a.Targets[0].Error == "" || fmt.Sprint(a.Warnings) == "[]" {
		t.Errorf("a refused key: %d %s after %d requests, want one for each place", w.Code, w.Body, len(h.Requests))
	}
}
