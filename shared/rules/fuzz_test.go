package rules

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/settings"
)

// FuzzCompile: no section rules crashes the compiler, and a rule without mistakes judges
// every number.
func FuzzCompile(f *testing.F) {
	f.Add([]byte("rules: {air-co2-high: {above: {enter: 1000, leave: 800}, room: Kitchen}}"), 900.0)
	f.Add([]byte("rules: {mine: {field: zigbee.new_celsius, below: 3, unit: °F, device: [a, b]}}"), -1e300)
	f.Add([]byte("rules: {silent: {off: true}, x: {field: air.co2_ppm, frozen: 1h}}"), 0.0)
	f.Fuzz(func(t *testing.T, yml []byte, v float64) {
		s := Compile(settings.Parse(yml), nil)
		for name, byField := range s.thresholds {
			for key := range byField {
				m := Metric{name, key, "a", "freezer", "Kitchen"}
				for _, j := range s.Judges(m, alert.Subject{Device: m.Device}) {
					verdict := j.Verdict(v, true, func() bool { return false })
					j.Observe(j.Key, j.subject, v, verdict, time.Time{}, true)
				}
			}
		}
	})
}
