package ingest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
)

// reasons returns refusals as "index: reason".
func reasons(rs []Refusal) string {
	var out []string
	for _, r := range rs {
		out = append(out, fmt.Sprintf("%d: %v", r.Index, r.Reason))
	}
	return strings.Join(out, "; ")
}

func TestReportsThatAreRejectedOrCut(t *testing.T) {
	good := device.Value{Key: "co2_ppm", V: 600}
	for name, tc := range map[string]struct {
		change   func(*Report)
		rejected string // "": the rest is stored
		leftOut  string
	}{
		"no values":                 {func(r *Report) { r.Values = nil }, "1: there is no number in the message", ""},
		"an unknown measurement":    {func(r *Report) { r.Measurement = "wether" }, "1: wether is not in the catalogue", ""},
		"not of devices":            {func(r *Report) { r.Measurement = "weather" }, `1: weather: the catalogue allows no label "device"`, ""},
		"a time in 1999":            {func(r *Report) { r.Time = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }, "1: air: the time 1999-12-31T23:59:59Z is outside 2000-01-01 to 2026-06-01 (now 2026-06-01)", ""},
		"a time in the future":      {func(r *Report) { r.Time = r.Arrived.Add(5*time.Minute + 1) }, "1: air: the time 2026-06-01T12:05:00.000000001Z is outside 2000-01-01T00:00:00Z to 2026-06-01T12:05:00Z (now 2026-06-01T12:00:00Z)", ""},
		"an unknown field":          {func(r *Report) { r.Values = append(r.Values, device.Value{Key: "colour", V: 1}) }, "", `1: air: the catalogue has no field "colour"`},
		"only an unknown field":     {func(r *Report) { r.Values = []device.Value{{Key: "colour", V: 1}} }, `1: air: the catalogue has no field "colour"`, ""},
		"an unknown text":           {func(r *Report) { r.Text = map[string]string{"mood": "good"} }, "", `1: air: the catalogue has no text "mood"`},
		"the reserved quality_code": {func(r *Report) { r.Values = append(r.Values, device.Value{Key: catalogue.Quality}) }, "", "1: quality_code is reserved for the quality that hearth determines"},
		"NaN":                       {func(r *Report) { r.Values = append(r.Values, device.Value{Key: "tvoc_ppb", V: math.NaN()}) }, "", "1: tvoc_ppb is NaN, not a number"},
		"an infinite number":        {func(r *Report) { r.Values = append([]device.Value{{Key: "tvoc_ppb", V: math.Inf(-1)}}, r.Values...) }, "", "1: tvoc_ppb is -Inf, not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			r := Report{Measurement: "air", Time: noon, Arrived: noon, Values: []device.Value{good}}
			tc.change(&r)
			a := h.store(air(-1, "co2_ppm", 500), r)
			if reasons(a.Rejected) != tc.rejected || reasons(a.LeftOut) != tc.leftOut || a.Stored+len(a.Rejected) != 2 {
				t.Errorf("%+v, want %q and %q", a, tc.rejected, tc.leftOut)
			}
			want := []string{"air,device=a co2_ppm=500 1780315140000000000"}
			if tc.rejected == "" {
				want = append(want, "air,device=a co2_ppm=600 1780315200000000000")
			}
			h.want("readings", h.lines("air"), want...)
			if got := h.states(); len(got) != 1 {
				t.Errorf("states %q, want only that of co2_ppm", got)
			}
		})
	}
}

func TestReportsAtTheLimitsOfTheCatalogueAreStored(t *testing.T) {
	h := newHarness(t)
	ahead := air(0, "co2_ppm", 600)
	ahead.Time = ahead.Arrived.Add(5 * time.Minute)
	old := Report{Measurement: "custom", Arrived: noon, Time: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Values: []device.Value{{Key: "x", V: 1}}}
	part := Report{Measurement: "power", Arrived: noon, Time: noon, Values: []device.Value{{Key: "socket_2_power_watts", V: 5}}}
	text := Report{Measurement: "ups", Arrived: noon, Time: noon, Text: map[string]string{"status": "OL"}}
	if a := h.store(ahead, old, part, text); a.Stored != 4 || len(a.LeftOut) > 0 {
		t.Errorf("%+v", a)
	}
	h.want("an UPS", h.lines("ups"), `ups,device=a status="OL" 1780315200000000000`)
}

// TestAnOpenMeasurementTakesAnyNumberButNoReservedName: the store would refuse the
// whole batch for a reserved name.
func TestAnOpenMeasurementTakesAnyNumberButNoReservedName(t *testing.T) {
	h := newHarness(t)
	for key, ok := range map[string]bool{"x": true, "Anything": true, "time": false, "_x": false, "": false, "device": false, "suspect": false} {
		a := h.store(Report{Measurement: "zigbee", Time: noon, Arrived: noon, Values: []device.Value{{Key: key, V: 1}}})
		if (len(a.Rejected) == 0) != ok {
			t.Errorf("%q: %+v", key, a)
		}
	}
}

func TestAnOpenMeasurementMarksOnlyNumbersBeyondTheLimits(t *testing.T) {
	for v, want := range map[float64]string{-1: "ok", 1e17: "ok", -1e17: "ok", 1e19: "suspect", -1e19: "suspect"} {
		h := newHarness(t)
		h.store(Report{Measurement: "zigbee", Time: noon, Arrived: noon, Values: []device.Value{{Key: "x", V: v}}})
		if got := h.state("x").Quality; got != want {
			t.Errorf("%g is %s, want %s", v, got, want)
		}
	}
}

func TestAValueOutOfItsRangeIsStoredAsSuspect(t *testing.T) {
	h := newHarness(t)
	r := air(0, "co2_ppm", 40001)
	r.Values = append(r.Values, air(0, "humidity_percent", 50).Values...)
	if a := h.store(r); a.Stored != 1 || len(a.LeftOut) != 0 {
		t.Errorf("%+v", a)
	}
	h.want("readings", h.lines("air"), `air,device=a co2_ppm=40001,humidity_percent=50,quality_code=2,suspect="co2_ppm" 1780315200000000000`)
	h.want("states", h.states(), "co2_ppm=40001 suspect co2_ppm is 40001, outside of 350 to 40000", "humidity_percent=50 ok ")
}

func TestTheSourcesQualityIsKept(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Report)
		line   string
		state  string
	}{
		"the whole reading":                 {func(r *Report) { r.Quality, r.Reason = quality.Suspect, "a loose wire" }, `co2_ppm=600,quality_code=2,suspect="*"`, "suspect a loose wire"},
		"one value":                         {func(r *Report) { r.Values[0].Bad = "saturated" }, `co2_ppm=600,quality_code=2,suspect="co2_ppm"`, "suspect saturated"},
		"warming up":                        {func(r *Report) { r.Quality = quality.WarmingUp }, `co2_ppm=600,quality_code=1`, "warming_up "},
		"clock not set":                     {func(r *Report) { r.Quality = quality.ClockUnsynced }, `co2_ppm=600,quality_code=3`, "clock_unsynced "},
		"simulated":                         {func(r *Report) { r.Simulated = true }, `co2_ppm=600`, "ok "},
		"warming up, and one value suspect": {func(r *Report) { r.Quality, r.Values[0].Bad = quality.WarmingUp, "saturated" }, `co2_ppm=600,quality_code=2,suspect="co2_ppm"`, "suspect saturated"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			r := air(0, "co2_ppm", 600)
			tc.change(&r)
			h.store(r)
			tags := "device=a"
			if r.Simulated {
				tags += ",sample=true"
			}
			h.want("readings", h.lines("air"), "air,"+tags+" "+tc.line+" 1780315200000000000")
			h.want("states", h.states(), "co2_ppm=600 "+tc.state)
		})
	}
}

func TestAConfirmedStepClearsTheMarksOfItsOutliers(t *testing.T) {
	h := newHarness(t)
	both := func(minute int, co2, humidity float64) Report {
		r := air(minute, "co2_ppm", co2)
		r.Values = append(r.Values, air(minute, "humidity_percent", humidity).Values...)
		return r
	}
	h.store(both(0, 600, 50))
	h.store(both(1, 20000, 101), both(2, 20000, 50))
	h.want("before", h.lines("air")[1:], `air,device=a co2_ppm=20000,humidity_percent=101,quality_code=2,suspect="co2_ppm,humidity_percent" 1780315260000000000`,
		`air,device=a co2_ppm=20000,humidity_percent=50,quality_code=2,suspect="co2_ppm" 1780315320000000000`)
	if a := h.store(both(3, 20000, 50)); a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	h.want("after", h.lines("air")[1:], `air,device=a co2_ppm=20000,humidity_percent=101,quality_code=2,suspect="humidity_percent" 1780315260000000000`,
		`air,device=a co2_ppm=20000,humidity_percent=50,quality_code=0,suspect="" 1780315320000000000`, `air,device=a co2_ppm=20000,humidity_percent=50 1780315380000000000`)
}

func TestOfAKeyThatComesTwiceTheLastCounts(t *testing.T) {
	h := newHarness(t)
	values := []device.Value{{Key: "a", V: math.Inf(1)}, {Key: "b", V: 1}, {Key: "c", V: 2}, {Key: "b", V: 3}}
	a := h.store(Report{Measurement: "custom", Time: noon, Arrived: noon, Values: values})
	if a.Stored != 1 || reasons(a.LeftOut) != "0: a is +Inf, not a number" {
		t.Errorf("%+v", a)
	}
	h.want("readings", h.lines("custom"), "custom,device=a b=3,c=2 1780315200000000000")
	h.want("states", h.states(), "b=3 ok ", "c=2 ok ")
	if values[1].V != 1 || values[2].Key != "c" {
		t.Errorf("the caller's values became %v", values)
	}
}

func TestAReportWithoutTimeSetsOnlyStates(t *testing.T) {
	h := newHarness(t)
	a := h.store(Report{Measurement: "air", Arrived: noon, Retained: true, Values: []device.Value{{Key: "co2_ppm", V: 600}}, TextStates: []device.TextState{{Key: "mode", Text: "auto"}, {Key: "none"}}})
	if a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	h.want("readings", h.lines("air"))
	h.want("states", h.states(), "co2_ppm=600 ok ", "mode=auto ok ")
	states, _ := h.st.DeviceStates(t.Context(), "a")
	for _, s := range states {
		if !s.Retained || !s.Time.IsZero() || !s.Changed.Equal(noon) {
			t.Errorf("%+v", s)
		}
	}
}

// TestTheCatalogueJudgesValuesWithoutDeclaration: by the field's range and step, and
// by whether it is a counter. An undeclared field of an open measurement takes any
// number.
func TestTheCatalogueJudgesValuesWithoutDeclaration(t *testing.T) {
	h := newHarness(t)
	bare := func(minute int, measurement, key string, v float64) Report {
		return Report{Measurement: measurement, Time: at(minute), Arrived: at(minute), Values: []device.Value{{Key: key, V: v}}}
	}
	h.store(bare(0, "air", "humidity_percent", 250), bare(0, "air", "co2_ppm", 600), bare(1, "air", "co2_ppm", 12000),
		bare(0, "power", "energy_kwh", 10), bare(1, "power", "energy_kwh", 10.5), bare(0, "zigbee", "glow", 1e9))
	h.want("states", h.states(), "co2_ppm=12000 suspect co2_ppm went from 600 to 12000 in 1m0s", "energy_kwh=10.5 ok ", "glow=1e+09 ok ",
		"humidity_percent=250 suspect humidity_percent is 250, outside of 0 to 100")
	h.want("readings", h.lines("power"), "power,device=a energy_kwh=10 1780315200000000000", "power,device=a energy_delta_kwh=0.5,energy_kwh=10.5 1780315260000000000")
}

// TestOneKeyInTwoMeasurements: two mappings of one topic. Both measurements store the
// number, the metric has one state, and a duplicate changes neither.
func TestOneKeyInTwoMeasurements(t *testing.T) {
	h := newHarness(t)
	inBoth := func(minute int, celsius float64) []Report {
		r := air(minute, "temperature_celsius", celsius)
		other := r
		other.Measurement = "zigbee"
		return []Report{r, other}
	}
	for range 2 {
		for minute, celsius := range []float64{20, 20, 20.5} {
			h.store(inBoth(minute, celsius)...)
		}
		for _, name := range []string{"air", "zigbee"} {
			h.want(name, h.lines(name), name+",device=a temperature_celsius=20 1780315200000000000",
				name+",device=a temperature_celsius=20 1780315260000000000", name+",device=a temperature_celsius=20.5 1780315320000000000")
		}
		h.want("states", h.states(), "temperature_celsius=20.5 ok ")
	}
	if a := h.store(air(2, "temperature_celsius", 20.5)); a.Stored != 1 {
		t.Errorf("reported last in the other measurement: %+v", a)
	}
	if a := h.store(air(2, "temperature_celsius", 20.5)); a.Unchanged != 1 {
		t.Errorf("reported last in this measurement: %+v", a)
	}
}
