package rules_test

import (
	"testing"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
)

func TestLimitsOfAMappedFieldHoldForItsDevice(t *testing.T) {
	f := settings.Parse([]byte(`devices:
  - {device: tank, topic: a, fields: {temperature_celsius: {path: $.t, above: 35}, level_percent: $.l}}
  - {device: boiler, topic: b, fields: {temperature_celsius: {path: $.t, above: 80}, level_percent: $.l}}
  - {device: cellar, topic: c, fields: {temperature_celsius: $.t, level_percent: $.l}}
  - {device: nursery, topic: d, fields: {co2_ppm: {path: $.c, above: 900}}}
`))
	s := rules.Compile(f, mapping.Compile(f).Measurements())
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, measurement, field, device, title string
		above                                   float64 // 0: no such rule
	}{
		{"custom-temperature-high", "custom", "temperature_celsius", "tank", "Temperature is high", 35},
		{"custom-temperature-high", "custom", "temperature_celsius", "boiler", "Temperature is high", 80},
		{"custom-temperature-high", "custom", "temperature_celsius", "cellar", "", 0},
		{"air-co2-high", "air", "co2_ppm", "nursery", "CO₂ is high", 900},
		{"air-co2-high", "air", "co2_ppm", "office-air", "CO₂ is high", 1500},
	} {
		m := rules.Metric{Measurement: tc.measurement, Field: tc.field, Device: tc.device}
		found := s.Of(m)
		if tc.above == 0 {
			if len(found) != 0 {
				t.Errorf("%s has the rule %s of another device", tc.device, found[0].Rule)
			}
			continue
		}
		if len(found) != 1 || found[0].Rule != tc.name || found[0].Title != tc.title {
			t.Errorf("%s: %d rules, want %s once, %q", tc.device, len(found), tc.name, tc.title)
			continue
		}
		none := func() bool { return false }
		if at, above := found[0].Verdict(tc.above, false, none), found[0].Verdict(tc.above+1, false, none); at == alert.Bad || above != alert.Bad {
			t.Errorf("%s: at %g %v, above %v", tc.device, tc.above, at, above)
		}
	}
}
