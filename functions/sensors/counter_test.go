package function

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestMappedCountersCountWhatWasUsed: of every unit, through a restart, with a message
// that comes twice and one that is late.
func TestMappedCountersCountWhatWasUsed(t *testing.T) {
	const yml = `devices:
  - topic: tele/+/SENSOR
    device: "{2}"
    measurement: utilities
    fields:
      total: {path: $.ENERGY.Total, unit: kWh, counter: true}
      today: {path: $.ENERGY.Today, unit: kWh, counter: true}
      shelly: {path: $.wh, unit: Wh, counter: true}
      water: {path: $.l, unit: l, counter: true}
      gas: {path: $.gas, unit: m³, counter: true}
      rain: {path: $.rain, unit: mm, counter: true}
      pulses: {path: $.n, counter: true}
      on: {path: $.on, unit: s, counter: true}
      received: {path: $.rx, unit: B, counter: true}
`
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	writeSettings(t, f, yml)
	var late []wire.Message
	for i, v := range [][9]float64{ // total, today, Wh, l, m³, mm, pulses, s, B
		{22.413, .04, 52311, 5000, 1234.56, 245.1, 100, 3600, 1e9},
		{0, .06, 52329, 5120, 1234.57, 248.7, 3000, 3660, 2e9},
		{0, 0, 0, 5240, 1234.63, 0, 3001, 3720, 5e9},
		{0, 0, 0, 5360, 0, 0, 3002, 3780, 6e9},
		{22.414, 0, 0, -21474836, 1234.64, 0, 4294967295, 0, 100},
		{22.414, .01, 52347, -21474836, 1234.65, 252.3, 4294967295, 60, 1e9},
		{22.415, .02, 52364, -21474836, 1234.66, 252.5794, 4294967295, 120, 2e9},
		{22.415, .03, 52381, 5480, 1234.67, 252.8588, 3005, 180, 3e9},
	} {
		m := message(time.Duration(i)*time.Minute, "tele/house/SENSOR", fmt.Sprintf(`{"ENERGY":{"Total":%v,"Today":%v},"wh":%v,"l":%v,"gas":%v,"rain":%v,"n":%v,"on":%v,"rx":%v}`,
			v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]))
		if i == 1 || i == 6 {
			late = append(late, m)
			continue
		}
		if a := f.Post(t, m, m); len(a.Rejected) > 0 {
			t.Fatalf("%+v", a)
		}
		if f.Post(t, late...); i == 3 {
			f = batchtest.Serve(t, New, st)
			writeSettings(t, f, yml)
		}
	}
	rs, err := st.Between(t.Context(), "utilities", nil, noon, noon.Add(time.Hour))
	if err != nil || len(rs) != 8 {
		t.Fatalf("%d readings, %v", len(rs), err)
	}
	for key, want := range map[string]float64{"total_delta_kwh": .002, "today_delta_kwh": .03, "shelly_delta_kwh": .07, "water_liters_delta": 480, "gas_cubic_meters_delta": .11,
		"rain_mm_delta": 7.7588, "pulses_delta": 2905, "on_seconds_delta": 360, "received_bytes_delta": 8e9} {
		sum, worst := 0.0, 0.0
		for _, r := range rs {
			sum, worst = sum+r.Fields[key], min(worst, r.Fields[key])
		}
		if math.Abs(sum-want) > 1e-6*max(1, want) || worst < 0 {
			t.Errorf("%s: %v, want %v; the least is %v", key, sum, want, worst)
		}
	}
}
