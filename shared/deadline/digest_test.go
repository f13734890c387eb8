package deadline

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
)

func task1(title, key, due string) item.Item {
	return item.Item{Title: title, Attributes: map[string]string{key: due}}
}

func TestGoodMorningSaysWhatTheDayBrings(t *testing.T) {
	now := time.Date(2026, 11, 27, 7, 15, 0, 0, berlin)
	full := Morning{
		Weather: []Weather{{Place: "Berlin", Sky: "light rain", Now: new(-0.3), Low: new(-2.6), High: new(11.4), Rain: 4.2, RainPercent: 80}},
		Tasks: []item.Item{task1("Pay rent", "due_on", "2026-11-27"), task1("Dentist", "due_at", "2026-11-27T15:00:00+01:00"), task1("Tax return", "due_on", "2026-11-20"),
			task1("Holiday", "due_on", "2026-12-20"), task1("Someday", "x", "")},
		Firing: []alert.State{
			{Spec: alert.Spec{Title: "CO₂ is high", Severity: alert.Warning}, Subject: alert.Subject{Name: "Office air"}, Since: now.Add(-time.Hour)},
			{Spec: alert.Spec{Title: "Water", Severity: alert.Critical}, Subject: alert.Subject{Name: "Cellar"}, Since: now},
		},
		Energy: &Energy{KWh: 14.23, Cost: new(4.5536)}, Currency: "EUR",
		Coming: []string{"The battery of Hall is at 12%."},
	}
	for name, c := range map[string]struct {
		m    Morning
		want string
	}{
		"all": {full, "Good morning.\nBerlin: light rain, 0 °C now, -3 °C to 11 °C today, 80% chance of rain (4 mm).\nToday: Dentist (15:00); Pay rent.\nLate: Tax return (20 November).\n" +
			"2 alerts: Water: Cellar; CO₂ is high: Office air.\nYesterday: 14.2 kWh for 4.55 EUR.\nComing:\n• The battery of Hall is at 12%."},
		"nothing": {Morning{}, "Good morning.\nAll is well at home."},
		"imperial": {Morning{Imperial: true, Weather: []Weather{{Place: "Seattle", Now: new(20.0), Snow: 25.4, RainPercent: 50}}, Energy: &Energy{KWh: 123.4}},
			"Good morning.\nSeattle: 68 °F now, 50% chance of snow (1.0 in).\nAll is well at home.\nYesterday: 123 kWh."},
	} {
		if got := c.m.Text(house(), now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := full.Away(house(), now); got != "At home: 2 alerts: Water: Cellar; CO₂ is high: Office air, 14.2 kWh for 4.55 EUR yesterday." {
		t.Errorf("%q", got)
	}
	full.Firing, full.Energy.Cost = nil, nil
	if got := full.Away(house(), now); got != "All well at home, 14.2 kWh yesterday." {
		t.Errorf("%q", got)
	}
}

func TestOnlyTheFirstOfManyAreNamed(t *testing.T) {
	m := Morning{}
	for range 7 {
		m.Tasks = append(m.Tasks, task1("Task", "due_on", "2026-11-27"))
	}
	now := time.Date(2026, 11, 27, 7, 15, 0, 0, berlin)
	if got, want := m.Text(house(), now), "Good morning.\nToday: Task; Task; Task; Task; Task and 2 more.\nAll is well at home."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestABatteryThatEndsWithinAMonthIsTold(t *testing.T) {
	now := time.Date(2026, 11, 29, 7, 0, 0, 0, time.UTC)
	line := func(n int, last, perDay float64) (out []Level) {
		for i := range n {
			d := n - 1 - i
			out = append(out, Level{now.AddDate(0, 0, -d), last - perDay*float64(d)})
		}
		return out
	}
	for _, c := range []struct {
		levels []Level
		want   string
	}{
		{line(20, 25, -1), "The battery of Hall is at 25% and lasts until about 19 December."},
		{line(20, 80, -1), ""},
		{line(20, 50, 0), ""},
		{line(3, 25, -5), ""}, // too few days
		{line(20, 15, 0), "The battery of Hall is at 15%."},
		{line(20, 3, -1), "The battery of Hall is at 3% and lasts until about 29 November."},
		{line(1, 90, 0), ""},
		{nil, ""},
	} {
		if got := BatteryEnds("Hall", c.levels, now); got != c.want {
			t.Errorf("%v: %q, want %q", c.levels, got, c.want)
		}
	}
}

func TestAnAllotmentThatDoesNotLastIsTold(t *testing.T) {
	for _, c := range []struct {
		day            int
		used, included float64
		want           string
	}{
		{10, 1000, 2000, "GitHub Actions: 1000 of 2000 min of this month are used, at this rate all by 19 November."},
		{16, 900, 2000, ""},
		{2, 1900, 2000, ""}, // too early to tell
		{20, 2100, 2000, "GitHub Actions: 2100 of 2000 min of this month are used."},
		{20, 0, 0, ""},
	} {
		if got := Allotment("GitHub Actions", "min", c.used, c.included, time.Date(2026, 11, c.day, 0, 0, 0, 0, time.UTC)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
