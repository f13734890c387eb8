package glance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// yields stores the yields of a day, by maturity.
func (f *fixture) yields(source, day string, of map[string]float64) {
	f.T.Helper()
	at, err := time.Parse(time.DateOnly, day)
	f.OK(err)
	var rs []reading.Reading
	for maturity, v := range of {
		rs = append(rs, reading.Reading{Name: source, Tags: map[string]string{"maturity": maturity}, Time: at, Fields: map[string]float64{"yield_percent": v}})
	}
	f.Readings(rs...)
}

func TestTheCurveOfToday(t *testing.T) {
	f := newFixture(t)
	if f.tile("curve") != nil {
		t.Fatal("a tile without yields")
	}
	f.yml = "house: {zone: America/Los_Angeles}"
	f.yields("treasury_yield", "2026-11-26", map[string]float64{"1m": 4.32, "1.5m": 4.3, "6m": 4.1, "2y": 3.92, "10y": 4.19, "30y": 4.6})
	f.yields("treasury_yield", "2026-11-25", map[string]float64{"2y": 9, "10y": 9})
	f.yields("treasury_yield", "2026-10-23", map[string]float64{"2y": 4, "10y": 4.1}) // a Friday: the 26th has none
	f.yields("treasury_yield", "2026-05-26", map[string]float64{"2y": 4.2, "10y": 4.1})
	f.yields("treasury_yield", "2025-11-26", map[string]float64{"2y": 4.4, "10y": 4.1, "30y": 4.3})
	f.yields("treasury_yield_alphavantage", "2026-11-26", map[string]float64{"10year": 1})
	tile := f.tile("curve")
	got := words(tile)
	for _, want := range []string{"month", "½ year", "year ago", "normal, 10y − 2y +0.27", "26 Nov"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	body := string(tile.Body)
	if strings.Count(body, "<path") != 4 || strings.Contains(body, "NaN") || !strings.Contains(body, `datetime="2026-11-26"`) {
		t.Error(body)
	}
	for _, want := range []string{"26 November 2026: 1m 4.32 %, 1.5m 4.30 %, 6m 4.10 %", "a month ago, 23 October 2026: 2y 4.00 %", "a year ago, 26 November 2025: 2y 4.40 %"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q for those who do not see the plot: %s", want, body)
		}
	}
	if len(tile.Plots) != 6 || tile.Plots[0].Key() != "treasury_yield.yield_percent,maturity=1m" || tile.Sample || tile.Stale == 0 || !tile.At.Equal(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", tile)
	}
}

func TestTheShapeOfTheCurve(t *testing.T) {
	for shape, ten := range map[string]float64{"normal, 10y − 2y +0.30": 4.3, "flat, 10y − 2y +0.19": 4.19, "flat, 10y − 2y 0.00": 4, "inverted, 10y − 2y −0.01": 3.99} {
		f := newFixture(t)
		f.yields("treasury_yield", "2026-11-26", map[string]float64{"2y": 4, "10y": ten})
		if got := words(f.tile("curve")); !strings.Contains(got, shape) {
			t.Errorf("%s, want %s", got, shape)
		}
	}
}

func TestACurveOfFewMaturities(t *testing.T) {
	f := newFixture(t)
	f.yields("treasury_yield_alphavantage", "2026-11-26", map[string]float64{"10year": 4.2})
	tile := f.tile("curve")
	if got := words(tile); got != "10y 4.20 % 26 Nov against… another day" {
		t.Error(got)
	}
	f.yields("treasury_yield_alphavantage", "2026-11-26", map[string]float64{"2year": 4.2, "30year": 4.2, `"><script>`: 3})
	body := string(f.tile("curve").Body)
	if strings.Contains(body, "script") || strings.Contains(body, "NaN") || !strings.Contains(body, ">30y<") {
		t.Error(body)
	}
}

func TestMonthsBefore(t *testing.T) {
	for _, c := range []struct {
		day    string
		months int
		want   string
	}{{"2026-11-26", 12, "2025-11-26"}, {"2026-03-31", 1, "2026-02-28"}, {"2024-03-31", 1, "2024-02-29"}, {"2026-01-15", 1, "2025-12-15"}, {"2024-02-29", 12, "2023-02-28"}, {"2026-05-31", 6, "2025-11-30"}} {
		at, _ := time.Parse(time.DateOnly, c.day)
		if got := monthsBefore(at, c.months).Format(time.DateOnly); got != c.want {
			t.Errorf("%d months before %s: %s, want %s", c.months, c.day, got, c.want)
		}
	}
}

func TestTheCurveOfADay(t *testing.T) {
	f := newFixture(t)
	f.yields("treasury_yield", "2025-11-26", map[string]float64{"10y": 4.1, "2y": 4.4, "1m": 5})
	g := f.glance()
	c, err := g.Curve(t.Context(), View{}, time.Date(2025, 11, 30, 0, 0, 0, 0, time.UTC))
	if err != nil || c.Day != "2025-11-26" || strings.Join(c.Maturities, " ") != "1m 2y 10y" || c.Yields[2] != 4.1 || *c.Spread != -0.3 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := g.Curve(t.Context(), View{}, time.Date(2025, 11, 25, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrNoCurve) {
		t.Error(err)
	}
}
