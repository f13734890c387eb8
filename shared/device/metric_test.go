package device

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var temperature = catalogue.Field{Key: "temperature_celsius", Min: -60, Max: 85, Step: 5}

// judged feeds values a minute apart and tells which were suspect (s), good (g)
// and released others (R).
func judged(f *catalogue.Field, values ...float64) string {
	m := &metric{}
	out := ""
	for i, v := range values {
		got := m.judge(f, v, noon.Add(time.Duration(i)*time.Minute), true)
		switch {
		case got.quality == Suspect && got.step:
			m.pending = append(m.pending, &mark{})
			out += "s"
		case got.quality == Suspect:
			out += "s"
		case len(got.released) > 0:
			out += "R"
		default:
			out += "g"
		}
	}
	return out
}

func TestSteps(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   string
	}{
		"steady":                    {[]float64{20, 20.5, 21}, "ggg"},
		"a_spike":                   {[]float64{20, 60, 20.1}, "gsg"},
		"two_spikes_of_two_sides":   {[]float64{20, 60, -20, 60, -20, 20}, "gssssg"},
		"a_step_that_stays":         {[]float64{20, 60, 61, 60, 60}, "gssRg"},
		"a_fire_that_rises":         {[]float64{20, 35, 50, 65, 70}, "gssRg"},
		"beyond_what_it_can_be":     {[]float64{20, -140, -140, -140, -140, 20}, "gssssg"},
		"the_first_is_what_it_is":   {[]float64{70, 70}, "gg"},
		"slow_enough":               {[]float64{20, 25, 30, 35}, "gggg"},
		"back_before_it_is_believe": {[]float64{20, 60, 60, 20, 60, 60, 60}, "gssgssR"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judged(&temperature, tc.values...); got != tc.want {
				t.Errorf("%v: %s, want %s", tc.values, got, tc.want)
			}
		})
	}
}

func TestALateValueSaysNothingOfSteps(t *testing.T) {
	m := &metric{}
	m.judge(&temperature, 20, noon, true)
	if got := m.judge(&temperature, 60, noon.Add(-time.Minute), false); got.quality != OK || m.good != 20 {
		t.Errorf("%+v, good %v", got, m.good)
	}
	if got := m.judge(&temperature, 60, noon.Add(2*time.Hour), true); got.quality != OK {
		t.Errorf("after a gap any value is plausible: %+v", got)
	}
}

func TestCounters(t *testing.T) {
	energy := catalogue.Field{Key: "energy_kwh", Max: catalogue.Limits, Counter: true}
	for name, tc := range map[string]struct {
		values []float64
		total  float64 // of the deltas
	}{
		"it_grows":              {[]float64{100, 100.5, 101}, 1},
		"a_dip_is_noise":        {[]float64{100, 99.95, 100.2}, 0.2},
		"a_reset":               {[]float64{100, 0, 0.1, 0.2, 0.3}, 0.3},
		"one_glitch_to_zero":    {[]float64{100, 0, 100.1}, 0.1},
		"one_glitch_to_heaven":  {[]float64{100, 35000, 100.1}, 0.1},
		"a_correction":          {[]float64{215, 214, 214, 214, 214.1}, 0.1},
		"a_jump_that_stays":     {[]float64{100, 150, 150, 150, 151}, 51},
		"nothing_before":        {[]float64{5000}, 0},
		"a_plug_behind_another": {[]float64{100, 0, 0, 0, 50, 50, 50}, 50},
	} {
		t.Run(name, func(t *testing.T) {
			m := &metric{}
			total := 0.0
			for i, v := range tc.values {
				got := m.judge(&energy, v, noon.Add(time.Duration(i)*time.Minute), true)
				if got.step {
					m.pending = append(m.pending, &mark{})
				}
				total += got.delta
			}
			if d := total - tc.total; d > 1e-9 || d < -1e-9 {
				t.Errorf("%v: %v, want %v", tc.values, total, tc.total)
			}
		})
	}
}

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Living room (left)": "living-room-left", "0x00158d0001a2b3c4": "0x00158d0001a2b3c4", "Küche": "kueche", "garage_temp": "garage_temp",
		"///": "", "温度": "", "a/b/c": "a-b-c", "--x--": "x",
	} {
		if got := Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}
