package past

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var now = time.Date(2026, 11, 27, 14, 7, 0, 0, time.UTC)

func TestSeriesOfSamplesGetAHistoryOnce(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	sample := func(name string, tags map[string]string, at time.Time, fields map[string]float64) reading.Reading {
		tags["sample"] = "true"
		return reading.Reading{Name: name, Tags: tags, Time: at, Fields: fields}
	}
	friday := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	live := reading.Reading{Name: "air", Tags: map[string]string{"device": "real"}, Time: now, Fields: map[string]float64{"temperature_celsius": 20}}
	old := sample("air", map[string]string{"device": "old"}, now, map[string]float64{"temperature_celsius": 20})
	older := old
	older.Time = now.Add(-2 * time.Hour)
	err = st.Write(t.Context(), []reading.Reading{
		live, old, older,
		sample("air", map[string]string{"device": "office-air"}, now, map[string]float64{"temperature_celsius": 22, "co2_ppm": 600, "quality_code": 0}),
		sample("power", map[string]string{"device": "plug"}, now, map[string]float64{"power_watts": 60, "energy_kwh": 1000, "energy_delta_kwh": 0.001, "on": 1, "on_seconds": 60}),
		sample("treasury_yield", map[string]string{"maturity": "10y"}, friday, map[string]float64{"yield_percent": 4, "maturity_months": 120}),
		sample("stock_quote", map[string]string{"symbol": "SPY"}, now, map[string]float64{"price_usd": 580}),
		sample("weather_forecast", map[string]string{"place": "home"}, now.Add(time.Hour), map[string]float64{"temperature_celsius": 9}),
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := Fill(t.Context(), st, now)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	count := func(name string, tags map[string]string) []reading.Reading {
		t.Helper()
		rs, err := st.Between(t.Context(), name, tags, now.Add(-2*longest), now.Add(day))
		if err != nil {
			t.Fatal(err)
		}
		return rs
	}
	for _, want := range []struct {
		name, label, value string
		least, most        int
	}{
		{"air", "device", "office-air", 860, 865}, {"air", "device", "real", 1, 1}, {"air", "device", "old", 2, 2}, {"power", "device", "plug", 860, 865},
		{"treasury_yield", "maturity", "10y", 280, 290}, {"stock_quote", "symbol", "SPY", 18, 24}, {"weather_forecast", "place", "home", 1, 1},
	} {
		rs := count(want.name, map[string]string{want.label: want.value})
		if len(rs) < want.least || len(rs) > want.most {
			t.Errorf("%s %s has %d readings, want %d to %d", want.name, want.value, len(rs), want.least, want.most)
		}
		for _, r := range rs {
			if want.value != "real" && r.Tags["sample"] != "true" {
				t.Fatalf("%+v is not marked", r)
			}
		}
	}
	plug := count("power", map[string]string{"device": "plug"})
	for i, r := range plug[1:] {
		if r.Fields["energy_kwh"] < plug[i].Fields["energy_kwh"] {
			t.Fatalf("the counter falls from %v to %v", plug[i].Fields, r.Fields)
		}
	}
	if again, err := Fill(t.Context(), st, now); again != 0 || err != nil {
		t.Errorf("once more: %d, %v", again, err)
	}
}
