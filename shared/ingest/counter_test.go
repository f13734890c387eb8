package ingest

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
)

// plug is a report of a plug's counter, so many seconds after noon.
func plug(second int, kwh float64) Report {
	m, _ := catalogue.Get("power")
	f, _ := m.Field("energy_kwh")
	t := noon.Add(time.Duration(second) * time.Second)
	return Report{Measurement: "power", Time: t, Arrived: t, Values: []device.Value{{Key: "energy_kwh", V: kwh, Field: &f}}}
}

// rises is the sum of the stored rises of the plug.
func (h *harness) rises(from, to time.Time) (sum float64) {
	h.t.Helper()
	rs, err := h.st.Between(h.t.Context(), "power", nil, from, to)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range rs {
		rise := r.Fields["energy_delta_kwh"]
		if rise < 0 {
			h.t.Fatalf("%s", r.Line())
		}
		sum += rise
	}
	return sum
}

// TestACounterThatGlitchesToZeroHasConsumedNothing: in the store, and after a restart
// within the zeros.
func TestACounterThatGlitchesToZeroHasConsumedNothing(t *testing.T) {
	h := newHarness(t)
	for i, kwh := range []float64{22.413, 0, 0, 0, 0, 22.414} {
		h.store(plug(60*i, kwh))
		h.r = &device.Register{Function: "sensors"}
	}
	h.store(plug(600, 22.5))
	if sum := h.rises(noon, noon.Add(time.Hour)); math.Abs(sum-.087) > 1e-9 {
		t.Errorf("%v:\n%q", sum, h.lines("power"))
	}
	h.want("states", h.states(), "energy_kwh=22.5 ok ")
}

// TestStoredRisesAddUpToTheGrowthOfACounter: with glitches, values that come twice or
// late, restarts, and two processes that take turns.
func TestStoredRisesAddUpToTheGrowthOfACounter(t *testing.T) {
	h := newHarness(t)
	registers := []*device.Register{h.r, {Function: "sensors"}}
	total, second := 100.0, 0
	h.store(plug(0, total))
	rapid.Check(t, func(t *rapid.T) {
		first, from := total, second
		var reports []Report
		say := func(kwh float64) {
			second++
			reports = append(reports, plug(second, kwh))
		}
		glitch := rapid.SampledFrom([]float64{0, .5, total / 2, 1e6, -1}).Draw(t, "glitch")
		for range rapid.IntRange(1, 3).Draw(t, "glitches") {
			total += float64(rapid.IntRange(0, 100).Draw(t, "thousandths of a kWh")) / 1000
			say(total)
			for range rapid.IntRange(0, 5).Draw(t, "times") {
				say(glitch)
			}
		}
		for i := range reports[1:] { // a value is overtaken by the next
			if rapid.IntRange(0, 5).Draw(t, "late") == 0 {
				reports[i], reports[i+1] = reports[i+1], reports[i]
			}
		}
		total += .001
		say(total)
		for len(reports) > 0 {
			n := rapid.IntRange(1, len(reports)).Draw(t, "in a batch")
			h.r = registers[rapid.IntRange(0, 1).Draw(t, "process")]
			for range rapid.IntRange(1, 2).Draw(t, "sent") {
				h.store(reports[:n]...)
			}
			reports = reports[n:]
		}
		at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
		if sum := h.rises(at(from+1), at(second+1)); math.Abs(sum-(total-first)) > 1e-6 {
			t.Fatalf("%v, want %v", sum, total-first)
		}
	})
}

// TestTheLastGoodValueOutlastsSuspectOnes: the page shows it, also of a field that nothing
// declares, and of none if there never was one.
func TestTheLastGoodValueOutlastsSuspectOnes(t *testing.T) {
	h := newHarness(t)
	odd := func(minute int, v float64) Report {
		r := plug(60*minute, v)
		r.Measurement, r.Values[0] = "zigbee", device.Value{Key: "glow", V: v}
		return r
	}
	h.store(air(0, "temperature_celsius", 21.5), air(0, "humidity_percent", 655), odd(0, 7))
	h.r = &device.Register{Function: "sensors"}
	h.store(air(1, "temperature_celsius", 215), air(1, "humidity_percent", 655), odd(1, 1e19))
	states, err := h.st.DeviceStates(t.Context(), "a")
	if err != nil || len(states) != 3 {
		t.Fatal(states, err)
	}
	good := map[string]float64{"temperature_celsius": 21.5, "glow": 7}
	for _, s := range states {
		want, ok := good[s.Metric]
		if s.Quality != "suspect" || ok != (s.Good != nil) || ok && (*s.Good != want || !s.GoodTime.Equal(noon)) {
			t.Errorf("%s: %+v", s.Metric, s)
		}
	}
}
