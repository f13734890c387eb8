package catalogue

import "testing"

func TestGuessIsTheMeasurementThatDeclaresMost(t *testing.T) {
	for _, tc := range []struct {
		fields, texts []string
		want          string
		declared      int
	}{
		{[]string{"co2_ppm", "temperature_celsius"}, nil, "air", 2},
		{[]string{"socket_2_power_watts", "energy_kwh", "humidity_percent"}, nil, "power", 2},
		{[]string{"runtime_seconds"}, []string{"status", "mood"}, "ups", 2},
		{[]string{"mood"}, nil, "", 0},
		{[]string{Quality}, nil, "", 0}, // hearth's own, of every measurement
		{nil, nil, "", 0},
	} {
		if got, n := Guess(tc.fields, tc.texts); got != tc.want || n != tc.declared {
			t.Errorf("%v %v: %s, %d; want %s, %d", tc.fields, tc.texts, got, n, tc.want, tc.declared)
		}
	}
}
