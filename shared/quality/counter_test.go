package quality

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// counterOf is a counter as hearth.yml maps one.
func counterOf(key, unit string) catalogue.Field {
	return catalogue.Field{Key: key, Unit: unit, Min: -catalogue.Limits, Max: catalogue.Limits, Counter: true}
}

// follow judges the values of a counter, each a pause after the one before, and returns
// the sum of the rises and how many values are suspect at the end.
func follow(t interface{ Fatalf(string, ...any) }, h *History, f *catalogue.Field, pause time.Duration, values ...float64) (sum float64, suspect int) {
	at := h.GoodTime
	if at.IsZero() {
		at = noon
	}
	for _, v := range values {
		at = at.Add(pause)
		got := h.Judge(f, v, at, true)
		if got.Rise < 0 || math.IsNaN(got.Rise) || got.Rise > 0 && !got.Counted {
			t.Fatalf("%v: %+v", v, got)
		}
		sum += got.Rise
		suspect -= len(got.Confirmed)
		if got.Quality == Suspect {
			suspect++
		}
		if got.Outlier {
			h.AddOutlier(&Flagged{Fields: []string{f.Key}})
		}
	}
	return sum, suspect
}

// repeat returns v n times.
func repeat(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func joined(parts ...[]float64) (out []float64) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestCountersOfRealDevices(t *testing.T) {
	kwh, rain, water, gas := counterOf("energy_kwh", "kWh"), counterOf("rain_mm", "mm"), counterOf("water_liters", "l"), counterOf("gas_cubic_meters", "m³")
	pulses, bytes, seconds, raw := counterOf("pulses", ""), counterOf("received_bytes", "B"), counterOf("on_seconds", "s"), counterOf("energy_wh", "")
	coarse, percent := counterOf("steps", ""), counterOf("wear_percent", "%")
	slow := kwh
	coarse.Step, slow.Step = 5, .5
	glitches := []float64{22.413, 0, 0, 0, 22.414}
	for name, tc := range map[string]struct {
		f       catalogue.Field
		pause   time.Duration
		values  []float64
		sum     float64
		suspect int
	}{
		"a plug that glitches to 0 once": {kwh, time.Minute, []float64{22.413, 0, 22.414}, .001, 1},
		"twice":                          {kwh, time.Minute, []float64{22.413, 0, 0, 22.414}, .001, 2},
		"three times":                    {kwh, time.Minute, glitches, .001, 0},
		"again and again":                {kwh, time.Minute, joined(glitches, []float64{0, 0, 0, 0, 22.415, 0, 22.416, 0, 0, 0, 22.417}), .004, 1},
		"every ten minutes":              {kwh, 10 * time.Minute, glitches, .001, 0},
		"every hour":                     {kwh, time.Hour, glitches, .001, 0},
		"once in half a day":             {kwh, 12 * time.Hour, []float64{22.3, 22.413, 0, 0, 0, 23.9}, 1.6, 0},
		"for a night of inverters":       {kwh, time.Minute, joined([]float64{22.4, 22.413}, repeat(0, 900), []float64{22.414, 22.5}), .1, 0},
		"for three days":                 {kwh, time.Hour, joined([]float64{22.4, 22.413}, repeat(0, 72), []float64{22.42, 22.5}), .1, 0},
		"to a low value":                 {kwh, time.Minute, []float64{22.413, .01, .01, .01, .01, 22.414}, .001, 0},
		"to a higher low value":          {kwh, time.Minute, []float64{22.413, 5, 5, 5, 5, 22.414}, .001, 0},
		"to half":                        {kwh, time.Minute, []float64{22.413, 11.2065, 22.414}, .001, 1},
		"to half for long":               {kwh, time.Minute, joined([]float64{22.413}, repeat(11.2065, 50), []float64{22.414}), .001, 0},
		"to half each hour":              {kwh, time.Hour, joined([]float64{22.413}, repeat(11.2065, 5), []float64{22.414}), .001, 0},
		"to nearly the same":             {kwh, time.Minute, joined([]float64{22.413}, repeat(22.0, 5), []float64{22.414}), .001, 0},
		"to 0 and then to half":          {kwh, time.Minute, joined([]float64{22.413}, repeat(0, 5), repeat(11.2, 5), []float64{22.414}), .001, 0},
		"back to exactly the peak":       {kwh, time.Minute, []float64{22.413, 0, 0, 0, 22.413, 22.413}, 0, 0},
		"back a bit below the peak":      {kwh, time.Minute, []float64{22.413, 0, 0, 0, 22.4, 22.414}, .001, 0},
		"a spike":                        {kwh, time.Minute, []float64{22.413, 35000, 22.414, 22.415}, .002, 1},
		"a spike that stays a while":     {kwh, time.Minute, []float64{22.413, 35000, 35000, 35000, 35000, 22.414, 22.415}, .002, 0},
		"a spike and 0":                  {kwh, time.Minute, []float64{22.413, 0, 0, 0, 35000, 35000, 35000, 22.414}, .001, 0},
		"minus what 32 bits hold":        {kwh, time.Minute, []float64{22.413, -21474836, -21474836, -21474836, -21474836, 22.414}, .001, 4},
		"what 32 bits hold":              {kwh, time.Minute, []float64{22.413, 4294967.295, 4294967.295, 4294967.295, 4294967.295, 22.414}, .001, 4},
		"first what 32 bits hold":        {kwh, time.Minute, []float64{4294967295, 22.413, 22.414}, .001, 1},
		"first 0":                        {kwh, time.Minute, []float64{0, 0, 0, 22.413, 22.414, 22.415, 22.416}, .003, 0},
		"negative noise":                 {kwh, time.Minute, []float64{0, -.001, .001, .002}, .002, 1},
		"a plug that starts anew and finds its total again": {kwh, time.Minute, []float64{22.413, 0, .001, .002, .003, 22.416, 22.417}, .004, 0},
		"the same without what it counted":                  {kwh, time.Minute, []float64{22.413, 0, .001, .002, .003, 22.413, 22.414, 22.415, 22.418}, .005, 0},
		"values of no sense that rise":                      {kwh, time.Minute, []float64{22.413, 0, 1, 2, 22.414, 22.5, 23, 24, 25}, 2.587, 0},
		"twice values of no sense that rise":                {kwh, time.Minute, []float64{61.6, 5, 5.5, 5.9, 2, 2.5, 2.9, 61.61, 62, 62.5, 63.1, 63.9}, 2.3, 0},
		"what was counted too much, and half":               {kwh, 10 * time.Minute, []float64{49.0, 0, 1, 2, 49.08, 32.7, 32.7, 32.7, 49.1, 49.9, 51, 52}, 3, 0},
		"a new plug":                                        {kwh, time.Minute, []float64{1644.3, 0, 0, .01, .02, .05}, .05, 0},
		"a used plug":                                       {kwh, time.Minute, []float64{1644.3, 345.2, 345.2, 345.3, 345.4}, .2, 0},
		"a used plug a day later":                           {kwh, time.Minute, []float64{1644.3, 345.2, 345.2, 345.3, 345.4}, .2, 0},
		"a used plug that counted more":                     {kwh, time.Minute, []float64{345.2, 1644.3, 1644.3, 1644.3, 1644.4}, .1, 0},
		"Tasmota's Today of little use":                     {counterOf("energy_today_kwh", "kWh"), 10 * time.Minute, []float64{.04, .05, .06, 0, 0, 0, 0, .01, .02, .03, .06, .07}, .09, 0},
		"the same by any name":                              {kwh, 10 * time.Minute, []float64{.04, .05, .06, 0, 0, 0, 0, .01, .02, .03, .06, .07}, .09, 0},
		"Tasmota's Today":                                   {kwh, 5 * time.Minute, joined([]float64{4.1, 4.2, 0}, repeat(0, 70), []float64{.3, .8, 2.1, 3.5, 4.6, 0, 0, 0, .1, .2}), 4.9, 0},
		"a reset between two values":                        {kwh, time.Hour, []float64{4.2, .3, .8, 1.1}, 1.1, 0},
		"an inverter's yield of the day":                    {kwh, time.Minute, joined([]float64{12.39, 12.4}, repeat(12.4, 60), repeat(0, 600), []float64{.001, .002, .01, .02, .05}), .06, 0},
		"Shelly's Wh":                                       {raw, time.Minute, []float64{52311.7, 52329.4, 52347, 0, 0, 0, 52364.6}, 52.9, 0},
		"a kettle":                                          {kwh, time.Minute, []float64{10.000, 10.001, 10.002, 10.055, 10.108}, .108, 0},
		"a car":                                             {kwh, 10 * time.Minute, []float64{1000, 1000, 1003.6, 1007.3}, 7.3, 0},
		"a meter of whole kWh":                              {kwh, 30 * time.Second, []float64{100, 100, 101, 101, 102}, 2, 0},
		"an update after hours of the same":                 {kwh, time.Minute, joined(repeat(100, 300), []float64{107, 107, 107, 107.1}), 7.1, 0},
		"a spike after hours of the same":                   {kwh, time.Minute, joined(repeat(100, 300), []float64{190, 100.1}), .1, 1},
		"digits of a meter that waver":                      {kwh, time.Minute, []float64{10.25, 10.24, 10.25, 10.26, 10.25, 10.27}, .02, 0},
		"two litres a second":                               {water, time.Minute, []float64{5000, 5120, 5240, 5360}, 360, 0},
		"water, and 0":                                      {water, time.Minute, []float64{5000, 5120, 0, 0, 0, 5240}, 240, 0},
		"a pulse of 10 litres":                              {water, time.Second, []float64{5000, 5010, 5020}, 20, 0},
		"gas by 0.01 m³":                                    {gas, time.Minute, []float64{1234.56, 1234.57, 1234.63, 0, 1234.68}, .12, 1},
		"rain of 3.6 mm a minute":                           {rain, time.Minute, []float64{245.1, 248.7, 252.3, 255.9}, 10.8, 0},
		"a gauge of 0.2794 mm that starts anew each day":    {rain, 15 * time.Minute, joined([]float64{0, .2794, .5588}, repeat(0, 20), []float64{.2794}, repeat(0, 20), []float64{.2794, .5588}), 1.397, 0},
		"a gauge that counts for years, and 0":              {rain, time.Minute, []float64{812.5, 812.7794, 0, 0, 0, 813.0588}, .5588, 0},
		"pulses":                                            {pulses, time.Minute, []float64{0, 167, 334, 1501, 9000}, 9000, 0},
		"pulses of 16 bits":                                 {pulses, time.Minute, []float64{65001, 65400, 12, 400, 800, 1200}, 1599, 0},
		"pulses and what 32 bits hold":                      {pulses, time.Minute, []float64{1000, 4294967295, 4294967295, 4294967295, 1001}, 1, 3},
		"pulses and one of 2^31":                            {pulses, time.Minute, []float64{1000, 1003, 2147483648, 1006}, 6, 1},
		"pulses and a spike":                                {pulses, time.Minute, []float64{1000, 1003, 999999, 1006}, 6, 1},
		"bytes":                                             {bytes, 10 * time.Second, []float64{1500, 1.2e9, 5e9, 8e9}, 8e9 - 1500, 0},
		"bytes after a restart":                             {bytes, time.Minute, []float64{8e12, 4e6, 5e7, 9e7, 2e8}, 2e8, 0},
		"seconds switched on":                               {seconds, time.Minute, []float64{86300, 86360, 0, 60, 120, 180}, 240, 0},
		"minutes switched on, as seconds":                   {seconds, time.Minute, []float64{3600, 7200, 10800}, 7200, 0},
		"a field with a step of its own":                    {coarse, time.Minute, []float64{100, 105, 111, 115, 125}, 15, 2},
		"a faster rise than the step that is confirmed":     {slow, time.Minute, []float64{100, 100.6, 101.2, 101.8, 102.0}, 2, 0},
		"a day's counter that glitches":                     {counterOf("energy_today_kwh", "kWh"), time.Minute, []float64{.4, .41, 0, 0, 0, 0, .412, .42}, .02, 0},
		"a unit of which nothing is known":                  {percent, time.Minute, []float64{3, 4, 5, 0, 0, 0, 6}, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := &History{Daily: IsDaily(tc.f.Key)}
			if sum, suspect := follow(t, h, &tc.f, tc.pause, tc.values...); math.Abs(sum-tc.sum) > 1e-6*max(1, tc.sum) || suspect != tc.suspect {
				t.Errorf("%v: %v and %d suspect, want %v and %d", tc.values, sum, suspect, tc.sum, tc.suspect)
			}
		})
	}
}

// TestACounterCountsOnAfterARestart: at any value, of all that History holds only Good,
// GoodTime and Memo are kept.
func TestACounterCountsOnAfterARestart(t *testing.T) {
	kwh := counterOf("energy_kwh", "kWh")
	for name, tc := range map[string]struct {
		values []float64
		sum    float64
	}{
		"glitches":                   {[]float64{22.413, 0, 0, 0, 0, 0, 0, 22.414, 22.415}, .002},
		"a reset":                    {[]float64{22.413, 0, 0, 0, 0, 0, 0, .1, .2, .3, .4, .5}, .5},
		"a reset, and the old total": {[]float64{22.413, .1, .2, .3, .4, .5, .6, 22.9, 23.0, 23.1, 23.2, 23.3}, .887},
		"counted too much":           {[]float64{22.413, 0, 1, 2, 3, 4, 22.5, 23.5, 24.5, 25.5, 26.5, 27}, 4.587},
		"a spike":                    {[]float64{22.413, 99, 99, 99, 99, 99, 22.5}, .087},
	} {
		for cut := 1; cut < len(tc.values); cut++ {
			h := &History{}
			before, _ := follow(t, h, &kwh, time.Minute, tc.values[:cut]...)
			next := &History{Good: h.Good, GoodTime: h.GoodTime, Since: h.Since}
			next.Recall(h.Memo())
			after, _ := follow(t, next, &kwh, time.Minute, tc.values[cut:]...)
			if sum := before + after; math.Abs(sum-tc.sum) > 1e-9 {
				t.Errorf("%s, after %d values: %v, want %v", name, cut, sum, tc.sum)
			}
		}
	}
}

func TestAMemoOfAnotherValueIsIgnored(t *testing.T) {
	kwh := counterOf("energy_kwh", "kWh")
	h := &History{}
	follow(t, h, &kwh, time.Minute, 22.413, 0, 0, 0)
	for memo, want := range map[string]bool{h.Memo(): true, "": false, "{": false} {
		same, other := &History{GoodTime: h.GoodTime}, &History{GoodTime: h.GoodTime.Add(time.Minute)}
		same.Recall(memo)
		other.Recall(memo)
		if !same.counter.PeakTime.IsZero() != want || !other.counter.PeakTime.IsZero() {
			t.Errorf("%q: %+v, %+v", memo, same.counter, other.counter)
		}
	}
	plain := &History{}
	if follow(t, plain, &kwh, time.Minute, 1, 2, 3); plain.Memo() != "" {
		t.Errorf("a counter that only grew has the memo %q", plain.Memo())
	}
}

// TestTheRisesOfACounterWithGlitchesAddUpToItsGrowth: whatever a counter shows between
// its values, 0, a lower value, a spike or nonsense, once or for hours.
func TestTheRisesOfACounterWithGlitchesAddUpToItsGrowth(t *testing.T) {
	for _, f := range []catalogue.Field{counterOf("energy_kwh", "kWh"), counterOf("water_liters", "l"), counterOf("pulses", "")} {
		t.Run(f.Key, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				pace := f.Pace()
				total := rapid.Float64Range(1, 500).Draw(t, "first in bursts") * pace.Burst
				first, sum, usual := total, 0.0, 0.0
				h, at := &History{}, noon
				show := func(v float64) {
					at = at.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
					got := h.Judge(&f, v, at, true)
					if got.Rise < 0 || got.Rise > 0 && got.Quality == Suspect {
						t.Fatalf("%v: %+v", v, got)
					}
					if got.Outlier {
						h.AddOutlier(&Flagged{})
					}
					sum += got.Rise
					if rapid.IntRange(0, 9).Draw(t, "restarts") == 0 {
						memo := h.Memo()
						h = &History{Good: h.Good, GoodTime: h.GoodTime, Since: h.Since}
						h.Recall(memo)
					}
				}
				show(total)
				for range rapid.IntRange(1, 12).Draw(t, "glitches") {
					for range rapid.IntRange(1, 5).Draw(t, "good values") {
						rise := rapid.Float64Range(0, .05).Draw(t, "rise") * pace.Burst
						usual = max(usual, rise)
						total += rise
						show(total)
					}
					v := glitch(t, total, pace)
					for range rapid.IntRange(1, 12).Draw(t, "times") {
						show(v)
					}
				}
				total += usual
				show(total)
				if d := sum - (total - first); math.Abs(d) > usual+pace.Noise(total)+1e-6*total {
					t.Fatalf("%v, want %v", sum, total-first)
				}
			})
		})
	}
}

// glitch is a value that a counter at total cannot have.
func glitch(t *rapid.T, total float64, p catalogue.Pace) float64 {
	return rapid.OneOf(
		rapid.Just(0.0),
		rapid.Map(rapid.Float64Range(0, .97), func(share float64) float64 { return share * total }),
		rapid.Map(rapid.Float64Range(100, 1e6), func(bursts float64) float64 { return 12*total + bursts*p.Burst + 13*p.Rate }),
		rapid.SampledFrom([]float64{-1, -21474836, 1<<31 - 1, 1 << 32, math.NaN(), math.Inf(1)}),
	).Draw(t, "glitch")
}

// TestACounterThatStartsAnewEachDayCountsEachDay: at midnight it is 0 for a while. What it
// counted since its last value of a day is lost, as it is by the device.
func TestACounterThatStartsAnewEachDayCountsEachDay(t *testing.T) {
	f := counterOf("energy_today_kwh", "kWh")
	rapid.Check(t, func(t *rapid.T) {
		h := &History{Daily: rapid.Bool().Draw(t, "named so")}
		sum, want := 0.0, 0.0
		for day := range rapid.IntRange(2, 6).Draw(t, "days") {
			least := 0.0
			if !h.Daily && day < 2 { // on the second day, it has to show that it was reset
				least = .25
			}
			today, values := 0.0, repeat(0, rapid.IntRange(3, 20).Draw(t, "zeros"))
			for range rapid.IntRange(4, 20).Draw(t, "values") {
				today += rapid.Float64Range(least, max(least, float64(day/2))).Draw(t, "kWh")
				values = append(values, today)
			}
			more, _ := follow(t, h, &f, 20*time.Minute, values...)
			sum, want = sum+more, want+today
		}
		if math.Abs(sum-want) > 1e-6 {
			t.Fatalf("%v, want %v", sum, want)
		}
	})
}
