package mapping

import (
	"testing"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// TestTheRiseOfACounterIsDeclaredToo: it is stored beside the counter, and what the
// catalogue does not list is stored nowhere.
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
		t.Fatal("the mapping's own measurement is not declared")
	}
	for key, want := range map[string]string{"pulses_delta": "Pulses since the reading before", "heat_delta_kwh": "since the reading before"} {
		if f, ok := m.Field(key); !ok || f.Title != want || f.Min != 0 || f.Max != catalogue.Limits {
			t.Errorf("%s: %+v, %v", key, f, ok)
		}
	}
	if _, ok := m.Field("level_percent_delta"); ok {
		t.Error("no counter has a rise")
	}
	power, _ := s.Get("power")
	own, _ := catalogue.Get("power")
	if len(power.Fields) != len(own.Fields) {
		t.Errorf("power has %d fields, the catalogue's %d: what is declared is declared twice", len(power.Fields), len(own.Fields))
	}
	if _, ok := s.Get("nothing"); ok {
		t.Error("a measurement that nobody declared")
	}
}
