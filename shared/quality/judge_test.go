package quality

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/catalogue"
)

var (
	noon        = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	temperature = catalogue.Field{Key: "temperature_celsius", Min: -60, Max: 85, Step: 5}
	energy      = catalogue.Field{Key: "energy_kwh", Max: catalogue.Limits, Counter: true}
)

// judged judges values a minute apart and returns a letter for each: suspect (s), good
// (g), good and confirming the outliers before it (c). rise is the sum of the rises.
func judged(h *History, f *catalogue.Field, values ...float64) (out string, rise float64) {
	for i, v := range values {
		got := h.Judge(f, v, noon.Add(time.Duration(i)*time.Minute), true)
		rise += got.Rise
		switch {
		case got.Quality == Suspect:
			out += "s"
		case len(got.Confirmed) > 0:
			out += "c"
		default:
			out += "g"
		}
		if got.Outlier {
			h.AddOutlier(&Flagged{Fields: []string{f.Key}})
		}
	}
	return out, rise
}

func TestSteps(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   string
	}{
		"steady":                         {[]float64{20, 20.5, 21}, "ggg"},
		"a_spike":                        {[]float64{20, 60, 20.1}, "gsg"},
		"spikes_on_alternating_sides":    {[]float64{20, 60, -20, 60, -20, 20}, "gssssg"},
		"a_step_that_stays":              {[]float64{20, 60, 61, 60, 60}, "gsscg"},
		"a_step_down_that_stays":         {[]float64{60, 20, 21, 20, 20}, "gsscg"},
		"a_fire_that_rises":              {[]float64{20, 35, 50, 65, 70}, "gsscg"},
		"outside_of_its_range":           {[]float64{20, -140, -140, -140, -140, 20}, "gssssg"},
		"the_first_is_good":              {[]float64{70, 70}, "gg"},
		"slow_enough":                    {[]float64{20, 25, 30, 35}, "gggg"},
		"just_too_fast":                  {[]float64{20, 25.001}, "gs"},
		"back_before_it_is_confirmed":    {[]float64{20, 60, 60, 20, 60, 60, 60}, "gssgssc"},
		"its_upper_bound":                {[]float64{85, 85, 85.001}, "ggs"},
		"its_lower_bound":                {[]float64{-60, -60, -60.001}, "ggs"},
		"within_the_rate_of_two_minutes": {[]float64{20, 99, 30}, "gsg"},
		"just_above_that_rate":           {[]float64{20, 99, 30.001}, "gss"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := judged(&History{}, &temperature, tc.values...); got != tc.want {
				t.Errorf("%v: %s, want %s", tc.values, got, tc.want)
			}
		})
	}
}

func TestWithinAMinuteTheStepOfAMinuteIsAllowed(t *testing.T) {
	for v, want := range map[float64]Quality{25: OK, 25.001: Suspect} {
		h := &History{}
		h.Judge(&temperature, 20, noon, true)
		if got := h.Judge(&temperature, v, noon.Add(time.Second), true); got.Quality != want {
			t.Errorf("%v: %+v", v, got)
		}
	}
}

func TestAfterAGapAnyValueIsPlausible(t *testing.T) {
	for gap, want := range map[time.Duration]Quality{time.Hour: Suspect, time.Hour + 1: OK} {
		h, narrow := &History{}, temperature
		narrow.Step = 0.1 // in an hour 6
		h.Judge(&narrow, 20, noon, true)
		if got := h.Judge(&narrow, 60, noon.Add(gap), true); got.Quality != want {
			t.Errorf("after %s: %+v", gap, got)
		}
	}
}

func TestALateValueIsNotCheckedForSteps(t *testing.T) {
	h := &History{}
	h.Judge(&temperature, 20, noon, true)
	if got := h.Judge(&temperature, 60, noon.Add(-time.Minute), false); got.Quality != OK || h.Good != 20 {
		t.Errorf("%+v, good %v", got, h.Good)
	}
	if got := h.Judge(&temperature, 60, time.Time{}, true); got.Quality != OK || h.Good != 20 {
		t.Errorf("without a time: %+v, good %v", got, h.Good)
	}
}

func TestAnUndeclaredValueIsGoodWithinTheLimits(t *testing.T) {
	h := &History{}
	for v, want := range map[float64]Quality{0: OK, catalogue.Limits: OK, -catalogue.Limits: OK, 1.1e18: Suspect, -1.1e18: Suspect} {
		if got := h.Judge(nil, v, noon, true); got.Quality != want || want == OK && h.Good != v || (want == Suspect) != (got.Reason != "") {
			t.Errorf("%v: %+v, good %v", v, got, h.Good)
		}
	}
	plain := catalogue.Field{Key: "on", Max: 1}
	if got, _ := judged(h, &plain, 0, 1, 0, 1); got != "gggg" || h.Good != 1 {
		t.Errorf("a field without a step: %s", got)
	}
}

func TestReasonsNameTheValueAndItsBounds(t *testing.T) {
	h := &History{}
	h.Judge(&temperature, 20, noon, true)
	for v, want := range map[float64]string{99: "temperature_celsius is 99, outside of -60 to 85", 60: "temperature_celsius went from 20 to 60 in 1m0s"} {
		if got := h.Judge(&temperature, v, noon.Add(time.Minute), true); got.Reason != want {
			t.Errorf("%q, want %q", got.Reason, want)
		}
	}
	c := &History{}
	c.Judge(&energy, 100, noon, true)
	if got := c.Judge(&energy, 0, noon.Add(time.Minute), true); got.Reason != "the counter went from 100 to 0" {
		t.Error(got.Reason)
	}
}

func TestCounters(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   string
		total  float64 // of the rises
	}{
		"it_grows":              {[]float64{100, 100.5, 101}, "ggg", 1},
		"it_stands":             {[]float64{100, 100, 100}, "ggg", 0},
		"a_dip_is_noise":        {[]float64{100, 99.95, 100.2}, "ggg", 0.2},
		"a_reset":               {[]float64{100, 0, 0.1, 0.2, 0.3}, "gsscg", 0.3},
		"one_glitch_to_zero":    {[]float64{100, 0, 100.1}, "gsg", 0.1},
		"one_glitch_far_up":     {[]float64{100, 35000, 100.1}, "gsg", 0.1},
		"a_correction":          {[]float64{215, 214, 214, 214, 214.1}, "gsscg", 0.1},
		"a_jump_that_stays":     {[]float64{100, 150, 150, 150, 151}, "gsscg", 1},
		"nothing_before":        {[]float64{5000}, "g", 0},
		"a_plug_behind_another": {[]float64{100, 0, 0, 0, 50, 50, 50}, "gsscssc", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, total := judged(&History{}, &energy, tc.values...)
			if d := total - tc.total; got != tc.want || d > 1e-9 || d < -1e-9 {
				t.Errorf("%v: %s %v, want %s %v", tc.values, got, total, tc.want, tc.total)
			}
		})
	}
}

func TestACounterCountsOnlyAtLaterTimes(t *testing.T) {
	h := &History{}
	if got := h.Judge(&energy, 10, noon, true); got.Counted {
		t.Errorf("the first: %+v", got)
	}
	if got := h.Judge(&energy, 11, noon, true); got.Counted || got.Quality != OK || h.Good != 10 {
		t.Errorf("at the same time: %+v", got)
	}
	if got := h.Judge(&energy, 10, noon.Add(1), true); !got.Counted || got.Rise != 0 {
		t.Errorf("a moment later: %+v", got)
	}
	if got := h.Judge(&energy, 9.95, noon.Add(2), true); !got.Counted || got.Rise != 0 || h.Good != 10 {
		t.Errorf("noise: %+v", got)
	}
}

// TestACounterNeverCountsMoreThanItShowed: no rise is negative, and the rises of a
// counter that only grows add up to its growth.
func TestACounterNeverCountsMoreThanItShowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 100), 1, 60).Draw(t, "hundredths of a kWh")
		h, total, sum, at := &History{}, 0.0, 0, noon
		for i, s := range steps {
			if i > 0 {
				sum += s
			}
			at = at.Add(time.Duration(rapid.IntRange(1, 180).Draw(t, "minutes")) * time.Minute)
			got := h.Judge(&energy, 5+float64(sum)/100, at, true)
			if got.Quality == Suspect || got.Rise < 0 {
				t.Fatalf("%+v", got)
			}
			total += got.Rise
		}
		if d := total - float64(sum)/100; d > 1e-6 || d < -1e-6 {
			t.Fatalf("%v, want %v", total, float64(sum)/100)
		}
	})
}

func TestPendingOutliersSurviveAReload(t *testing.T) {
	old := &History{}
	judged(old, &temperature, 20, 60, 60)
	same := &History{Good: 20, GoodTime: old.GoodTime.Add(999)} // the store keeps microseconds
	same.KeepOutliers(old)
	if got := same.Judge(&temperature, 60, noon.Add(3*time.Minute), true); len(got.Confirmed) != 2 {
		t.Errorf("%+v", got)
	}
	other := &History{Good: 20, GoodTime: old.GoodTime.Add(time.Microsecond)}
	other.KeepOutliers(old)
	if got := other.Judge(&temperature, 60, noon.Add(3*time.Minute), true); got.Quality != Suspect {
		t.Errorf("outliers of another good value were kept: %+v", got)
	}
}

func TestQualities(t *testing.T) {
	for q, code := range map[Quality]float64{OK: 0, WarmingUp: 1, Suspect: 2, ClockUnsynced: 3} {
		if q.Code() != code || !q.Known() {
			t.Errorf("%s is %v", q, q.Code())
		}
		if worse := Quality(strings.ToUpper(string(q))); worse.Known() {
			t.Errorf("%s is known", worse)
		}
	}
}
