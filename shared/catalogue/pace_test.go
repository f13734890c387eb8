package catalogue

import "testing"

func TestThePaceOfACounterIsThatOfItsUnitOrStep(t *testing.T) {
	for _, tc := range []struct {
		field              Field
		burst, rate, noise float64 // noise at 1000
		known              bool
	}{
		{Field{Key: "energy_kwh", Unit: "kWh"}, 1, 50, 0.1, true},
		{Field{Key: "energy_kwh"}, 1, 50, 0.1, true},
		{Field{Key: "water_liters", Unit: "l"}, 500, 36000, 5, true},
		{Field{Key: "rain_mm", Unit: "mm", Step: 2}, 30, 2400, 0.3, true},
		{Field{Key: "pulses"}, 1e4, 6e5, 20, false},
		{Field{Key: "energy_kwh", Unit: "MJ"}, 1e4, 6e5, 20, false},
	} {
		p := tc.field.Pace()
		if p.Burst != tc.burst || p.Rate != tc.rate || p.Noise(1000) != tc.noise || p.Known != tc.known || p.Step != tc.field.Step {
			t.Errorf("%+v: %+v", tc.field, p)
		}
	}
	if p := (&Field{Unit: "kWh"}).Pace(); p.Noise(0.06) > 0.002 {
		t.Errorf("a counter at 0.06 kWh may step back by %v", p.Noise(0.06))
	}
}
