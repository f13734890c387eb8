package function

import (
	"testing"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestAPayloadThatNamesItsUnit names it under a key of its own, before or behind the value.
func TestAPayloadThatNamesItsUnit(t *testing.T) {
	for payload, want := range map[string]string{
		`{"temperature":50,"unit":"F"}`:                  "air,device=x-y temperature_celsius=10",
		`{"unit":"°F","temperature":50,"humidity":40}`:   "air,device=x-y humidity_percent=40,temperature_celsius=10",
		`{"temperature":50,"TempUnit":"F"}`:              "air,device=x-y temperature_celsius=10",
		`{"temperature":"50","temperature_unit":"degF"}`: "air,device=x-y temperature_celsius=10",
		`{"temp":50,"humidity":40,"units":"imperial"}`:   "air,device=x-y humidity_percent=40,temperature_celsius=10",
		`{"temperature":50,"units":"US"}`:                "air,device=x-y temperature_celsius=10",
		`{"temperature":21,"unit":null}`:                 "air,device=x-y temperature_celsius=21",
		`{"temperature":50,"temp_units":"F"}`:            "air,device=x-y temperature_celsius=10",
		`{"temperature":21,"unit":"C"}`:                  "air,device=x-y temperature_celsius=21",
		`{"pressure":100100,"unit":"Pa"}`:                "air,device=x-y pressure_hpa=1001",
		`{"power":1.5,"unit":"kW"}`:                      "power,device=x-y power_watts=1500",
		`{"voltage":3000,"unit":"mV"}`:                   "power,device=x-y voltage_volts=3",
		`{"humidity":40,"unit":"%"}`:                     "air,device=x-y humidity_percent=40",
		`{"battery_run_time":30,"unit":"min"}`:           "ups,device=x-y runtime_seconds=1800",
		`{"temperature":21,"unit":3}`:                    "air,device=x-y-3 temperature_celsius=21",
		`{"temperature":21,"unit":"Kitchen"}`:            "air,device=x-y-kitchen temperature_celsius=21",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "x/y", payload)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", payload, a.Rejected)
		}
		same(t, payload, f.Lines(t, measurements...), []string{want + at})
	}
}
