package mapping

import (
	"testing"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// TestTheRiseOfACounterIsDeclaredToo: it is stored beside the counter, and only declared
// fields are stored.
func TestTheRiseOfACounterIsDeclaredToo(t *testing.T) {
	s, err := Parse([]byte(`devices:
  - device: meter
    topic: meter
    measurement: utilities
    fields:
      pulses: {path: $.n, counter: true, title: Pulses}
      heat_kwh: {path: $.heat, unit: kWh, counter: true}
      level_percent: $.level
  - device: plug
    topic: plug
    measurement: power
    fields: {energy_kwh: $.total}
`))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := s.Get("utilities")
	if !ok {
		t.Fatal("the mapping's new measurement is not declared")
	}
	for key, want := range map[string]string{"pulses_delta": "Pulses since the reading before", "heat_delta_kwh": "Heat since the reading before"} {
		if f, ok := m.Field(key); !ok || f.Title != want || f.Min != 0 || f.Max != catalogue.Limits {
			t.Errorf("%s: %+v, %v", key, f, ok)
		}
	}
	if _, ok := m.Field("level_percent_delta"); ok {
		t.Error("a field that is not a counter has a rise")
	}
	power, _ := s.Get("power")
	own, _ := catalogue.Get("power")
	if len(power.Fields) != len(own.Fields) {
		t.Errorf("power has %d fields, in the catalogue %d: a declared field was declared again", len(power.Fields), len(own.Fields))
	}
	if _, ok := s.Get("nothing"); ok {
		t.Error("an undeclared measurement was found")
	}
}
