package glance

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
)

// report is a report of OpenWeather about a place.
func report(place string, at time.Time, celsius float64, description string, others ...any) reading.Reading {
	r := reading.Reading{
		Name: "weather", Tags: map[string]string{"place": place}, Time: at, Fields: map[string]float64{"temperature_celsius": celsius},
		Text: map[string]string{"summary": "Clouds", "description": description},
	}
	for i := 0; i < len(others); i += 2 {
		r.Fields[others[i].(string)] = others[i+1].(float64)
	}
	return r
}

// forecast adds slots every three hours from a time on: each is "celsius", "celsius/rain mm",
// "celsius/mm snow" or "celsius/mm thunder".
func forecast(place string, from time.Time, slots ...string) (out []reading.Reading) {
	for i, s := range slots {
		r := report(place, from.Add(time.Duration(i)*slotTime), 0, "broken clouds", "precipitation_chance_percent", 10.0, "rain_mm", 0.0, "snow_mm", 0.0)
		r.Name = "weather_forecast"
		var celsius, mm float64
		var kind string
		n, _ := fmt.Sscanf(strings.ReplaceAll(s, "/", " "), "%g %g %s", &celsius, &mm, &kind)
		r.Fields["temperature_celsius"] = celsius
		if n > 1 {
			field, summary := "rain_mm", "Rain"
			switch kind {
			case "snow":
				field, summary = "snow_mm", "Snow"
			case "thunder":
				summary = "Thunderstorm"
			}
			r.Fields[field], r.Fields["precipitation_chance_percent"], r.Text["summary"], r.Text["description"] = mm, 80, summary, "light "+strings.ToLower(summary)
		}
		out = append(out, r)
	}
	return out
}

// days is a forecast of five dry days at a temperature, from a time on, that begins with slots.
func days(place string, from time.Time, celsius string, slots ...string) []reading.Reading {
	for len(slots) < 40 {
		slots = append(slots, celsius)
	}
	return forecast(place, from, slots...)
}

func TestTheWeatherIsASentence(t *testing.T) {
	three := time.Date(2026, 11, 27, 15, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		now      time.Time
		report   reading.Reading
		forecast []reading.Reading
		yml      string
		want     string
	}{
		"rain tonight": {now, report("home", now, 11, "broken clouds", "feels_like_celsius", 10.2, "wind_mps", 3.4, "wind_direction_degrees", 185.0),
			days("home", three, "8", "12", "11", "8", "7/2 rain", "6/4.2 rain"), "", "8 to 12° today, dry until 21, then 6 mm|broken clouds · feels like 10° · wind 3 m/s from S"},
		"a little": {now, report("home", now, 11, ""), days("home", three, "8", "12", "11/.3 rain"), "", "8 to 12° today, dry until 15, then a little rain|"},
		"soon":     {now, report("home", now, 11, ""), days("home", three, "8", "12/5 rain"), "", "8 to 12° today, 5 mm until 15|"},
		"raining":  {now, report("home", now, 11, "", "rain_last_hour_mm", 1.0), days("home", three, "8", "12/5 rain", "11/5 rain"), "", "8 to 12° today, rain until 18, 10 mm|"},
		"over":     {now, report("home", now, 11, "", "rain_last_hour_mm", 1.0), days("home", three, "8", "12"), "", "8 to 12° today, rain, soon over|"},
		"for days": {now, report("home", now, 11, "light rain"), days("home", three, "8/1 rain"), "", "8 to 11° today, rain for days|light rain"},
		"dry":      {now, report("home", now, 11, ""), days("home", three, "8", "12"), "", "8 to 12° today, dry for 4 days|"},
		"Sunday": {now, report("home", now, 11, ""), days("home", three, "8", "12", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8", "8/3 rain"), "",
			"8 to 12° today, dry until Sun|"},
		"snow":      {now, report("home", now, -1, ""), days("home", three, "-3", "-2", "-4/4 snow"), "", "−4 to −1° today, dry until 15, then snow, 4 mm|"},
		"thunder":   {now, report("home", now, 25, ""), days("home", three, "20", "30", "24/12 thunder"), "", "20 to 30° today, dry until 15, then thunderstorms, 12 mm|"},
		"frost":     {now, report("home", now, 4, ""), days("home", three, "2", "4", "3", "2", "1", "-1", "-2"), "", "2 to 4° today, frost tonight, dry for 4 days|"},
		"storm":     {now, report("home", now, 9, "", "gust_mps", 12.0), gusty(days("home", three, "8", "9", "9"), 22), "", "8 to 9° today, dry for 4 days, gusts to 22 m/s around 15|"},
		"evening":   {now.Add(6 * time.Hour), report("home", now.Add(6*time.Hour), 9, ""), days("home", three.Add(6*time.Hour), "6", "8"), "", "down to 6° tonight, dry for 4 days|"},
		"cold even": {now.Add(6 * time.Hour), report("home", now.Add(6*time.Hour), 3, ""), days("home", three.Add(6*time.Hour), "-2.4", "2"), "", "frost tonight, down to −2°, dry for 4 days|"},
		"imperial": {now, report("home", now, 11, "", "wind_mps", 3.0), days("home", three, "10", "20", "11/12.7 rain"), "house: {units: imperial}",
			"50 to 68° today, dry until 15, then 0.5 in|wind 7 mph"},
		"old forecast": {now.Add(50 * time.Hour), report("home", now.Add(50*time.Hour), 11, "mist"), days("home", three, "8"), "", "8 to 11° today, dry for 2 days|mist · forecast 2 days old"},
		"old report":   {now, report("home", now.Add(-30*time.Hour), 20, "rain", "rain_last_hour_mm", 3.0, "gust_mps", 25.0), days("home", three, "8"), "", "about 8° for the rest of the day, dry for 4 days|rain"},
		"India":        {now, report("home", now, 11, ""), days("home", three, "8", "12", "11/6 rain"), "house: {zone: Asia/Kolkata}", "down to 8° tonight, dry until 20:30, then 6 mm|"},
		"no forecast":  {now, report("home", now, 11, ""), nil, "", "about 11° for the rest of the day|"},
	} {
		t.Run(name, func(t *testing.T) {
			file := settings.Parse([]byte(c.yml))
			zone := file.House.Zone.Location()
			local := c.now.In(zone)
			midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
			o := &outlook{world: &world{Now: c.now, Zone: zone, File: file, Redact: strings.ToLower}, now: c.report, midnight: midnight, slots: c.forecast}
			if name != "no forecast" && name != "old report" {
				morning := c.report
				morning.Time = midnight.Add(8 * time.Hour)
				o.measured = []reading.Reading{morning, c.report}
			}
			if got := sayings(o.sentence() + "|" + o.detail()); got != c.want {
				t.Errorf("%q\nwant %q", got, c.want)
			}
		})
	}
}

// gusty sets the gusts of the first slot.
func gusty(rs []reading.Reading, mps float64) []reading.Reading {
	rs[0].Fields["gust_mps"] = mps
	return rs
}

// sayings is markup without its elements, as a person reads it.
func sayings(markup template.HTML) string {
	return strings.ReplaceAll(regexp.MustCompile("<[^>]*>").ReplaceAllString(string(markup), ""), "\u00a0", " ")
}

func TestTheTileWeather(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {place: {name: New York}}"
	f.Readings(append(days("new-york", time.Date(2026, 11, 27, 15, 0, 0, 0, time.UTC), "8", "12", "11", "8", "7/2 rain", "6/4.2 rain"),
		report("new-york", now.Add(-7*time.Minute), 11.4, "<b>few</b> clouds geheim"), report("cabin", now.Add(-3*time.Hour), -2, "light snow"))...)
	tile := f.tile("weather")
	if tile == nil || tile.Title != "New York" || !tile.At.Equal(now.Add(-7*time.Minute)) || tile.Stale != 45*time.Minute || len(tile.Needs) != 0 {
		t.Fatalf("%+v", tile)
	}
	for _, want := range []string{
		`&lt;b&gt;few&lt;/b&gt; clouds [secret]`, `role="img" aria-label="The next 24 hours: lowest 6° at 03:00, highest 12° at 15:00, 6.2 mm of rain or snow"`,
		`<li class="old-value">`, `<b>Cabin</b> <data value="-2" data-d="0">−2</data>° light snow · `, `>3 h</time> old`,
	} {
		if !strings.Contains(string(tile.Body), want) {
			t.Errorf("no %s in %s", want, tile.Body)
		}
	}
	if got, want := words(tile), "Sat rain 80 % 6 ° 8 ° Sun cloudy 10 % 8 ° 8 ° Mon"; !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	if len(tile.Plots) == 0 || tile.Plots[0].Key() != "weather.temperature_celsius,place=new-york" {
		t.Errorf("%v", tile.Plots)
	}
}

// TestThePastForecastsNothing: what is stored of a forecast is the latest one, which nobody knew.
func TestThePastForecastsNothing(t *testing.T) {
	f := newFixture(t)
	f.Readings(append(days("home", now.Add(-30*time.Hour).Truncate(slotTime), "8"), report("home", now.Add(-26*time.Hour), 5, "clear sky"), report("home", now.Add(-24*time.Hour), 7, "clear sky"), report("home", now, 20, "clear sky"))...)
	s := f.glance().Snapshot(t.Context(), View{At: now.Add(-23 * time.Hour)})
	if len(s.Tiles) != 1 || s.Tiles[0].Kind() != "weather" || len(s.Errors) > 0 {
		t.Fatalf("%+v", s)
	}
	if got := words(&s.Tiles[0]); got != "7 ° 5 to 7 ° until then clear sky" {
		t.Error(got)
	}
}

func TestAnIconForEachSky(t *testing.T) {
	for words, want := range map[string][2]string{
		"Clear/clear sky": {"sun", "moon"}, "Clouds/few clouds": {"partly", "partly-night"}, "Clouds/overcast clouds": {"cloud", "cloud"}, "Rain/moderate rain": {"rain", "rain"},
		"Drizzle/light intensity drizzle": {"drizzle", "drizzle"}, "Snow/light shower sleet": {"snow", "snow"}, "Thunderstorm/thunderstorm with light rain": {"storm", "storm"},
		"Mist/mist": {"fog", "fog"}, "/": {"", ""},
	} {
		summary, description, _ := strings.Cut(words, "/")
		r := reading.Reading{Text: map[string]string{"summary": summary, "description": description}}
		if got := [2]string{skyOf(r, false), skyOf(r, true)}; got != want {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
	for name, drawing := range icons {
		if drawing == "" || skyWords[name] == "" || strings.Contains(drawing, "style") {
			t.Errorf("%s: %s", name, drawing)
		}
	}
}

func TestACurveStaysBetweenItsPoints(t *testing.T) {
	b := box{Width: 100, Height: 100, Left: 0, Right: 9, Low: 0, High: 10}
	if got, want := smooth(b, []point{{0, 0}, {3, 10}, {6, 10}, {9, 0}}), "M0.0 100.0C11.1 66.7 22.2 0.0 33.3 0.0C44.4 0.0 55.6 0.0 66.7 0.0C77.8 0.0 88.9 66.7 100.0 100.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := smooth(b, []point{{0, 0}}); got != "" {
		t.Error(got)
	}
}
