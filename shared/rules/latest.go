package rules

import (
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// LiveTime is how old a value of a device may be when it arrives: an older one neither
// raises nor resolves an alert.
const LiveTime = 2 * time.Minute

// Latest returns what the rules with a threshold say of alerts by the latest states of
// their devices, where these are newer than the alert's evidence and were live when they
// arrived. active are the alerts that are active. A function that stores readings may have
// missed such a state: it learns only after some seconds which alerts others have raised.
//
// A state that was not live, and that the condition does not hold of, resolves nothing. But an
// alert that is pending waits anew after it: a door that was closed during an outage is not
// open for 10 minutes.
func (s *Set) Latest(active []alert.State, states []store.DeviceState, away bool) (out []alert.Observation) {
	type metric struct{ device, key string }
	latest := make(map[metric]*store.DeviceState, len(states))
	for i := range states {
		latest[metric{states[i].Device, states[i].Metric}] = &states[i]
	}
	for _, a := range active {
		d := latest[metric{a.Device, a.Field}]
		if d == nil || a.Measurement == "" || d.Text != "" || !d.Time.After(a.Seen) || quality.Quality(d.Quality) != quality.OK {
			continue
		}
		for _, t := range s.Of(Metric{a.Measurement, a.Field, a.Device, a.Name, a.Room}) {
			if t.Spec.Rule != a.Rule {
				continue
			}
			excepted := func() bool { f := latest[metric{a.Device, t.Except}]; return f != nil && f.Value == 1 }
			o := t.Observe(a.Key, a.Subject, d.Value, t.Verdict(d.Value, away, excepted), d.Time, away)
			o.Sample = a.Sample
			if !wasLive(d) {
				if a.Phase != alert.Pending || o.Verdict == alert.Bad {
					continue
				}
				o.Verdict = alert.NoData
			}
			out = append(out, o)
		}
	}
	return out
}

// wasLive reports whether a state was live when it arrived.
func wasLive(d *store.DeviceState) bool {
	return !d.Retained && !d.Time.IsZero() && d.Arrived.Sub(d.Time) <= LiveTime
}
