package function

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const home = "good_morning: \"07:15\"\nhouse: {zone: Europe/Berlin, currency: EUR, place: {name: Berlin}, price_per_kwh: [{price: 0.2, from: \"22:00\", to: \"06:00\"}, {price: 0.4, from: \"06:00\", to: \"22:00\"}]}\n"

// startHome is start with these settings alone, some minutes before 07:15 in Berlin.
func startHome(t *testing.T, yaml string) *fixture {
	h := start(t, "", nil)
	h.Secret("hearth-settings", yaml)
	h.Build(New)
	h.Later(-50 * time.Minute) // 07:10
	return h
}

// store stores what the message in the morning is made of.
func (h *fixture) store(labels map[string]string, sample bool) {
	h.t.Helper()
	with := func(key, v string) map[string]string {
		tags := map[string]string{key: v}
		for k, v := range labels {
			tags[k] = v
		}
		return tags
	}
	midnight := time.Date(2031, 11, 28, 0, 0, 0, 0, time.UTC).Add(-time.Hour)
	var rs []reading.Reading
	for _, place := range []string{"berlin", "cabin"} {
		rs = append(rs,
			reading.Reading{Name: "weather", Tags: with("place", place), Fields: map[string]float64{"temperature_celsius": 3.4}, Text: map[string]string{"description": "light rain"}, Time: morning.Add(-time.Hour)},
			reading.Reading{Name: "weather_day", Tags: with("place", place), Fields: map[string]float64{"low_celsius": 1, "high_celsius": 6, "rain_mm": 3, "precipitation_chance_percent": 70}, Time: midnight},
			reading.Reading{Name: "weather_day", Tags: with("place", place), Fields: map[string]float64{"low_celsius": -9, "high_celsius": -6}, Time: midnight.AddDate(0, 0, 1)})
	}
	for _, at := range []time.Duration{-25 * time.Hour, -23 * time.Hour, -10 * time.Hour, time.Hour} { // the first and the last are of other days
		rs = append(rs, reading.Reading{Name: "power", Tags: with("device", "rack"), Fields: map[string]float64{"energy_delta_kwh": 5}, Time: midnight.Add(at)})
	}
	if err := h.Store.Write(h.t.Context(), rs); err != nil {
		h.t.Fatal(err)
	}
	r, err := h.Store.Begin(h.t.Context(), store.Run{Function: "asana", Started: h.Now(), Sample: sample}, time.Minute, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	tasks := []item.Item{{ID: "1", Title: "Dentist", Attributes: map[string]string{"due_at": "2031-11-28T14:00:00Z"}}, {ID: "2", Title: "Tax return", Attributes: map[string]string{"due_on": "2031-11-20"}}}
	if _, _, err := h.Store.SaveItems(h.t.Context(), r, []store.List{{Source: "asana", Target: "Home", Items: tasks, Complete: true, Sample: sample}}, nil); err != nil {
		h.t.Fatal(err)
	}
}

const goodMorning = "Good morning.\nberlin: light rain, 3 °C now, 1 °C to 6 °C today, 70% chance of rain (3 mm).\nToday: Dentist (15:00).\nLate: Tax return (20 November).\n" +
	"All is well at home.\nYesterday: 10.0 kWh for 3.00 EUR."

func TestGoodMorningIsSentOnceADay(t *testing.T) {
	h := startHome(t, home)
	h.store(nil, false)
	h.expect(0)
	h.expect(5*time.Minute, goodMorning)
	h.Build(New) // as a new process
	h.expect(5 * time.Minute)
	h.expect(5 * time.Minute)
	h.expect(24*time.Hour, "Good morning.")
}

func TestGoodMorningIsOffByDefault(t *testing.T) {
	h := startHome(t, "house: {zone: Europe/Berlin}\n")
	h.expect(5 * time.Minute)
	h.expect(2 * time.Hour)
}

func TestGoodMorningIsLateAfterAPauseButNotInTheAfternoon(t *testing.T) {
	h := startHome(t, home)
	h.expect(2*time.Hour, "Good morning.")
	h = startHome(t, home)
	h.expect(4 * time.Hour)
}

func TestSampleDataOfTheMorningNeverLeaveTheMachine(t *testing.T) {
	h := startHome(t, home)
	h.store(map[string]string{"sample": "true"}, true)
	h.expect(5 * time.Minute)
	shown, err := h.Store.Outbox(t.Context(), 10)
	for _, m := range shown {
		if m.Destination != "page" || !m.Sample || m.Text != goodMorning {
			t.Errorf("%+v", m)
		}
	}
	if err != nil || len(shown) != 1 {
		t.Errorf("%d messages, %v", len(shown), err)
	}
}

func TestOnSundaysWhatIsComingIsToldToo(t *testing.T) {
	_, port := serveTLS(t, validFor(t, 90, morning.AddDate(0, 0, 26)), nil, tls.NoClientCert)
	h := startHome(t, home+"certificates: localhost:"+port)
	sunday := morning.AddDate(0, 0, 2)
	var rs []reading.Reading
	for d := range 20 {
		rs = append(rs, reading.Reading{Name: "zigbee", Tags: map[string]string{"device": "hall"}, Fields: map[string]float64{"battery_percent": 12 + float64(d)}, Time: sunday.AddDate(0, 0, -d)})
	}
	rs = append(rs, reading.Reading{Name: "github_usage", Tags: map[string]string{"owner": "me"}, Fields: map[string]float64{"minutes_used": 1990, "minutes_included": 2000}, Time: sunday.AddDate(0, 0, -1)})
	if err := h.Store.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	h.expect(0)
	got := h.tick(48*time.Hour + 5*time.Minute)
	for _, want := range []string{"Coming:", "All is well", "The battery of hall is at 13% and lasts until about 8 December.", "The certificate of localhost:" + port + " ends in 24 days, on 24 December 2031.", "GitHub Actions of me: 1990 of 2000 min of this month are used, at this rate all by 30 November."} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

func TestAnEmptyHouseIsToldInOneLine(t *testing.T) {
	h := startHome(t, home+"away: 2031-12-24")
	h.store(nil, false)
	h.expect(5*time.Minute, "All well at home, 10.0 kWh for 3.00 EUR yesterday.")
}
