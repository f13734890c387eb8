package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
)

func compile(t *testing.T, yml string) *Set {
	t.Helper()
	f := settings.Parse([]byte(yml))
	s := Compile(f, nil)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// rule returns the rule of a name that judges a metric, nil if none does.
func rule(s *Set, name string, m Metric) *Threshold {
	for _, t := range s.Of(m) {
		if t.Spec.Rule == name {
			return t
		}
	}
	return nil
}

// TestEveryDefaultRule lists the rules that the catalogue makes: a rule that is added, or a
// limit that is changed, is seen here.
func TestEveryDefaultRule(t *testing.T) {
	s := compile(t, "")
	var got []string
	for _, byField := range s.thresholds {
		for _, all := range byField {
			for _, rule := range all {
				r := rule.base
				line := r.Spec.Rule + " " + string(r.Severity) + " " + string(r.Channel)
				if r.above != nil {
					line += fmt.Sprintf(" above %g to %g", r.above.enter, r.above.leave)
				}
				if r.below != nil {
					line += fmt.Sprintf(" below %g to %g", r.below.enter, r.below.leave)
				}
				if r.For > 0 {
					line += " for " + alert.Span(r.For)
				}
				got = append(got, line)
				if r.Title == "" || r.Next == "" || r.Remind != 24*time.Hour {
					t.Errorf("%s: title %q, next step %q, repeated every %s", r.Spec.Rule, r.Title, r.Next, r.Remind)
				}
			}
		}
	}
	slices.Sort(got)
	if text := strings.Join(got, "\n"); text != strings.TrimSpace(defaults) {
		t.Errorf("got\n%s", text)
	}
}

const defaults = `
air-co2-high warning climate above 1500 to 1300 for 2 min
air-freezer warning climate above -12 to -14 for 1 h 0 min
air-frost warning climate below 3 to 4 for 5 min
air-heat warning climate above 40 to 37 for 30 min
air-humid warning climate above 80 to 75 for 24 h 0 min
air-pm10-high warning climate above 75 to 60 for 2 min
air-pm2-5-high warning climate above 50 to 40 for 2 min
github-usage-minutes-left-low warning pipelines below 200 to 250
host-life-used-high warning hardware above 90 to 89
host-undervoltage warning hardware above 0.5 to 0.5
outdoor-air-us-aqi-high warning climate above 100 to 90
ups-alarm warning hardware above 0.5 to 0.5
ups-bypass warning hardware above 0.5 to 0.5
ups-link-lost warning hardware above 0.5 to 0.5 for 1 min
ups-load-high warning hardware above 50 to 45 for 15 min
ups-low-battery critical hardware above 0.5 to 0.5
ups-on-battery warning hardware above 0.5 to 0.5
ups-output-off warning hardware above 0.5 to 0.5
ups-overload critical hardware above 0.5 to 0.5
ups-replace-battery warning hardware above 0.5 to 0.5
ups-shutdown critical hardware above 0.5 to 0.5
zigbee-away-motion critical security above 0.5 to 0.5
zigbee-away-motion critical security above 0.5 to 0.5
zigbee-away-motion critical security above 0.5 to 0.5
zigbee-battery-flag warning devices above 0.5 to 0.5
zigbee-battery-low warning devices below 15 to 25
zigbee-carbon-monoxide critical security above 0.5 to 0.5
zigbee-co2-high warning climate above 1500 to 1300 for 2 min
zigbee-contact-open warning security below 0.5 to 0.5 for 10 min
zigbee-freezer warning climate above -12 to -14 for 1 h 0 min
zigbee-frost warning climate below 3 to 4 for 5 min
zigbee-gas critical security above 0.5 to 0.5
zigbee-heat warning climate above 40 to 37 for 30 min
zigbee-humid warning climate above 80 to 75 for 24 h 0 min
zigbee-pm10-high warning climate above 75 to 60 for 2 min
zigbee-pm25-high warning climate above 50 to 40 for 2 min
zigbee-smoke critical security above 0.5 to 0.5
zigbee-tamper critical security above 0.5 to 0.5
zigbee-water-leak critical security above 0.5 to 0.5
`

func TestDefaultRulesHoldOnlyWhereNoFalseAlarmIsToBeExpected(t *testing.T) {
	s := compile(t, "")
	for _, c := range []struct {
		m    Metric
		want string
	}{
		{Metric{"air", "temperature_celsius", "office-air", "Office", "Office"}, "air-frost air-heat"},
		{Metric{"air", "temperature_celsius", "x", "", ""}, ""}, // it may be outside
		{Metric{"air", "temperature_celsius", "x", "Sensor", "Garden"}, ""},
		{Metric{"air", "temperature_celsius", "x", "Balkon Nord", "Wohnzimmer"}, ""},
		{Metric{"air", "temperature_celsius", "freezer-temp", "", ""}, "air-freezer"},
		{Metric{"air", "temperature_celsius", "x", "Gefrierschrank", "Keller"}, "air-freezer"},
		{Metric{"air", "temperature_celsius", "x", "Fridge freezer", "Kitchen"}, ""},
		{Metric{"zigbee", "temperature_celsius", "x", "Freezer plug", "Cellar"}, ""},
		{Metric{"air", "exhaust_temperature_celsius", "x", "Rack", "Office"}, ""}, // of a part
		{Metric{"ups", "battery_temperature_celsius", "x", "", "Office"}, ""},
		{Metric{"power", "socket_2_power_watts", "x", "", ""}, ""},
		{Metric{"zigbee", "water_leak", "x", "", ""}, "zigbee-water-leak"},
		{Metric{"nothing", "water_leak", "x", "", ""}, ""},
	} {
		var names []string
		for _, r := range s.Of(c.m) {
			names = append(names, r.Spec.Rule)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.m, got, c.want)
		}
	}
}

func TestARuleHasHysteresis(t *testing.T) {
	s := compile(t, "rules:\n  air-co2-high: {above: {enter: 1000, leave: 800}}\n  range: {field: air.humidity_percent, above: 70, below: 30}\n")
	co2, between := rule(s, "air-co2-high", Metric{Measurement: "air", Field: "co2_ppm"}), rule(s, "range", Metric{Measurement: "air", Field: "humidity_percent"})
	leak := rule(s, "zigbee-water-leak", Metric{Measurement: "zigbee", Field: "water_leak"})
	for _, c := range []struct {
		r    *Threshold
		v    float64
		want alert.Verdict
	}{
		{co2, 1000.1, alert.Bad}, {co2, 1000, alert.Between}, {co2, 801, alert.Between}, {co2, 800, alert.Good},
		{between, 71, alert.Bad}, {between, 69, alert.Between}, {between, 60, alert.Good}, {between, 31, alert.Between}, {between, 29, alert.Bad},
		{leak, 1, alert.Bad}, {leak, 0, alert.Good}, {leak, 0.4, alert.Between}, {leak, 7, alert.Between},
	} {
		if got := c.r.judge(c.v); got != c.want {
			t.Errorf("%s %g: %d, want %d", c.r.Spec.Rule, c.v, got, c.want)
		}
	}
}

func TestWhatHearthYmlChanges(t *testing.T) {
	s := compile(t, `
rules:
  air-co2-high: {room: Kitchen, above: 2000, severity: critical, for: 0s, remind: 0s}
  air-pm10-high: {off: true}
  air-frost: {device: balcony, below: 36, unit: °F}
  cellar-frost: {field: air.temperature_celsius, room: cellar, below: {enter: 40, leave: 42}, unit: °F, for: 10m, channel: security, title: Frost in the cellar}
  silent: {device: [garden], silent: 6h}
  frozen: {off: true}
  fast: {field: air.co2_ppm, silent: 15m, severity: critical}
  dead-letters: {severity: critical, channel: hardware}
  quota: {room: Kitchen, off: true}
`)
	kitchen := rule(s, "air-co2-high", Metric{"air", "co2_ppm", "k", "", "kitchen"})
	office := rule(s, "air-co2-high", Metric{"air", "co2_ppm", "o", "", "Office"})
	if kitchen.above.enter != 2000 || kitchen.above.leave != 1800 || kitchen.Severity != alert.Critical || kitchen.For != 0 || kitchen.Remind != 0 {
		t.Errorf("in the kitchen: %+v, %+v", kitchen, kitchen.above)
	}
	if office.above.enter != 1500 || office.Severity != alert.Warning || office.For != 2*time.Minute {
		t.Errorf("elsewhere: %+v, %+v", office, office.above)
	}
	if rule(s, "air-pm10-high", Metric{Measurement: "air", Field: "pm10_ugm3"}) != nil {
		t.Error("a rule that is off still judges")
	}
	if r := rule(s, "air-frost", Metric{"air", "temperature_celsius", "balcony", "", ""}); r == nil || r.below.enter < 2.2 || r.below.enter > 2.3 {
		t.Errorf("frost on the balcony, which the user chose: %+v", r)
	}
	own := rule(s, "cellar-frost", Metric{"air", "temperature_celsius", "c", "", "Cellar"})
	if own == nil || fmt.Sprintf("%.2f %.2f", own.below.enter, own.below.leave) != "4.44 5.56" || own.Title != "Frost in the cellar" || own.Channel != alert.Security || own.Remind != 24*time.Hour {
		t.Errorf("an own rule: %+v", own)
	}
	if rule(s, "cellar-frost", Metric{"air", "temperature_celsius", "c", "", "Office"}) != nil {
		t.Error("an own rule holds in other rooms")
	}
	spec, after, ok := s.Silence(Metric{Field: "temperature_celsius", Device: "garden"})
	if !ok || after != 6*time.Hour || spec.Rule != Silent {
		t.Error(spec, after, ok)
	}
	spec, after, ok = s.Silence(Metric{"air", "co2_ppm", "office", "", ""})
	if !ok || after != 15*time.Minute || spec.Rule != "fast" || spec.Severity != alert.Critical {
		t.Error(spec, after, ok)
	}
	if spec, after, ok = s.Silence(Metric{"air", "pm10_ugm3", "office", "", ""}); !ok || after != 0 || spec.Rule != Silent {
		t.Error(spec, after, ok)
	}
	if _, _, ok = s.Frozen(Metric{"air", "co2_ppm", "office", "", ""}); ok {
		t.Error("frozen is off")
	}
	if spec, on := s.Spec(DeadLetters, "", ""); !on || spec.Severity != alert.Critical || spec.Channel != alert.Hardware {
		t.Error(spec, on)
	}
	if _, on := s.Spec(Quota, "x", "Kitchen"); on {
		t.Error("off in the kitchen")
	}
	if _, on := s.Spec(Quota, "x", "Office"); !on {
		t.Error("only off in the kitchen")
	}
}

func TestMistakesInRules(t *testing.T) {
	for yml, want := range map[string]string{
		"air-co2-hihg: {above: 3}":                                  `there is no rule "air-co2-hihg": did you mean air-co2-high? A rule of your own needs a field and a condition`,
		"mine: {field: air.co2_ppm}":                                `there is no rule "mine".`,
		"mine: {field: air.co2_ppm, above: 3, unit: °C}":            "co2_ppm is stored in ppm: it cannot be compared in °C",
		"air-co2-high: {silent: 1h}":                                "this rule is about a threshold",
		"air-co2-high: {field: air.pm10_ugm3, above: 2}":            "this rule is about co2_ppm",
		"dead-letters: {above: 3}":                                  "the rule dead-letters has no such condition",
		"silent: {frozen: 3h}":                                      "the rule silent has no such condition",
		"mine: {field: air.humidity_percent, above: 50, below: 49}": "no value would end it",
		"mine: {field: air.humidity_percent, above: 120}":           "rules.mine.above: humidity_percent is 100% at most: write less than that",
		"air-frost: {below: -90, unit: °F}":                         "rules.air-frost.below: temperature_celsius is -60°C at least",
	} {
		f := settings.Parse([]byte("rules: {" + yml + "}\n"))
		Compile(f, nil)
		if err := f.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", yml, err, want)
		}
	}
}

func TestAFieldOfHearthYmlHasItsRule(t *testing.T) {
	own := []catalogue.Measurement{{Name: "barrel", Fields: []catalogue.Field{{Key: "level_percent", Title: "Filled", Unit: "%", Max: 100, Warn: catalogue.Threshold{Below: 10, HasBelow: true}}}}}
	s := Compile(settings.Parse(nil), own)
	r := rule(s, "barrel-level-low", Metric{Measurement: "barrel", Field: "level_percent"})
	if r == nil || r.below.enter != 10 || r.below.leave != 13 || r.Title != "Filled is low" || r.Channel != alert.Devices {
		t.Errorf("%+v", r)
	}
}

func TestAwayMotionIsCriticalAndTheDoorToo(t *testing.T) {
	s := compile(t, "")
	motion, door := rule(s, "zigbee-away-motion", Metric{Measurement: "zigbee", Field: "occupancy"}), rule(s, "zigbee-contact-open", Metric{Measurement: "zigbee", Field: "contact"})
	never := func() bool { return false }
	for _, c := range []struct {
		r        *Threshold
		v        float64
		away     bool
		verdict  alert.Verdict
		severity alert.Severity
		after    time.Duration
	}{
		{motion, 1, false, alert.Between, alert.Critical, 0}, {motion, 1, true, alert.Bad, alert.Critical, 0}, {motion, 0, false, alert.Good, alert.Critical, 0},
		{door, 0, false, alert.Bad, alert.Warning, 10 * time.Minute}, {door, 0, true, alert.Bad, alert.Critical, 0}, {door, 1, true, alert.Good, alert.Critical, 0},
	} {
		verdict := c.r.Verdict(c.v, c.away, never)
		o := c.r.Observe("k", alert.Subject{}, c.v, verdict, time.Time{}, c.away)
		if verdict != c.verdict || o.Severity != c.severity || o.For != c.after || o.Value != nil {
			t.Errorf("%s %g away %t: %d %+v", c.r.Spec.Rule, c.v, c.away, verdict, o)
		}
	}
}

func TestASelfTestOfAUPSIsNoPowerCut(t *testing.T) {
	r := rule(compile(t, ""), "ups-on-battery", Metric{Measurement: "ups", Field: "on_battery"})
	for calibrating, want := range map[bool]alert.Verdict{true: alert.Between, false: alert.Bad} {
		if got := r.Verdict(1, false, func() bool { return calibrating }); got != want {
			t.Errorf("calibrating %t: %d, want %d", calibrating, got, want)
		}
	}
}

func TestTextsOfAnObservation(t *testing.T) {
	s := compile(t, "rules: {cold: {field: air.temperature_celsius, below: 16}}")
	for _, c := range []struct {
		name    string
		m       Metric
		v       float64
		verdict alert.Verdict
		want    string
	}{
		{"air-co2-high", Metric{Measurement: "air", Field: "co2_ppm"}, 1620, alert.Bad, "CO₂ is high|CO₂ is 1,620 ppm, above 1,500 ppm"},
		{"air-co2-high", Metric{Measurement: "air", Field: "co2_ppm"}, 900, alert.Good, "CO₂ is high|CO₂ is 900 ppm"},
		{"cold", Metric{Measurement: "air", Field: "temperature_celsius"}, 12.34, alert.Bad, "Temperature is low|Temperature is 12.34°C, below 16°C"},
		{"zigbee-water-leak", Metric{Measurement: "zigbee", Field: "water_leak"}, 1, alert.Bad, "Water leak|"},
		{"zigbee-contact-open", Metric{Measurement: "zigbee", Field: "contact"}, 0, alert.Bad, "Open|"},
	} {
		r := rule(s, c.name, c.m)
		if r == nil {
			t.Errorf("%s: no rule", c.name)
			continue
		}
		o := r.Observe("k", alert.Subject{Field: c.m.Field}, c.v, c.verdict, time.Time{}, false)
		if got := o.Title + "|" + o.Text; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
