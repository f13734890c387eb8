package glance

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/store"
)

// readDevices returns the devices with their latest values, by name.
func readDevices(ctx context.Context, w *world) ([]device, error) {
	listed, err := w.st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	states, err := w.states(ctx)
	if err != nil {
		return nil, err
	}
	values := map[string]map[string]store.DeviceState{}
	for _, s := range states {
		if values[s.Device] == nil {
			values[s.Device] = map[string]store.DeviceState{}
		}
		values[s.Device][s.Metric] = s
	}
	var out []device
	for _, d := range listed {
		if own := values[d.ID]; len(own) > 0 && (d.ReplacedBy == "" || w.Past) && !catalogue.DeviceKindOf(d.Kind).Hidden {
			out = append(out, deviceOf(w, d, own))
		}
	}
	slices.SortStableFunc(out, func(a, b device) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) })
	return out, nil
}

// RoomOf returns the room of a device: the one that was chosen for it, or else the one that its
// name or id begins with, "" if neither names one.
func RoomOf(d store.Device) string {
	return cmp.Or(d.Room, guessPlace(cmp.Or(d.Name, d.ID), d.ID))
}

func deviceOf(w *world, d store.Device, own map[string]store.DeviceState) device {
	name := cmp.Or(d.Name, d.ID)
	place := RoomOf(d)
	out := device{Device: d, Title: w.Redact(withoutPlace(name, place)), Place: w.Redact(place), Values: own}
	for metric, s := range own {
		if t := timeOf(s); t.After(out.Seen) {
			out.Seen = t
		}
		switch show(metric) {
		case catalogue.Reachable:
			out.Away = out.Away || s.Value == 0
		case catalogue.Simulated:
			out.Sample = s.Value == 1
		}
	}
	return out
}

// show says where a state that is no reading is shown.
func show(metric string) catalogue.Show {
	f, ok := catalogue.States().Field(metric)
	if !ok {
		if z, found := catalogue.Get("zigbee"); found {
			f, ok = z.Field(metric)
		}
	}
	if !ok {
		return catalogue.Listed
	}
	return f.Show
}

// measurementOf returns the measurement that has the readings of a metric of a device: of those
// that its kind may report and that declare the metric the one that declares most of its other
// metrics. ok is false if there is none.
func (w *world) measurementOf(d device, metric string) (best catalogue.Measurement, ok bool) {
	most := -1
	for _, m := range append(slices.Clone(w.declared), catalogue.All()...) {
		if !m.FromKind(d.Kind) {
			continue
		}
		_, declared := m.Position(metric)
		if !declared && !m.Open {
			continue
		}
		n := 0
		if declared {
			n = 1
			for other := range d.Values {
				if _, ok := m.Position(other); ok {
					n++
				}
			}
		}
		if n > most {
			most, best, ok = n, m, true
		}
	}
	return best, ok
}

// shortestPause is how long no value of a device is old, however often it reports.
const shortestPause = 15 * time.Minute

// fresh returns how old a value of a device may be: three times the usual pause of its
// measurement or its kind.
func (w *world) fresh(d device, m catalogue.Measurement) time.Duration {
	within := max(shortestPause, 3*max(m.Cadence, catalogue.DeviceKindOf(d.Kind).Pause))
	if w.Past {
		within += time.Hour // the times of earlier values are less exact
	}
	return within
}

// alertOf returns the open alert about a metric of a device that a person is to see: it is
// neither acknowledged nor silenced.
func (w *world) alertOf(device, metric string) (a status.Alert, ok bool) {
	for _, root := range w.Status.Alerts.Open {
		for _, a := range append([]status.Alert{root}, root.Below...) {
			if a.Device == device && strings.HasSuffix(a.Key, "/"+metric) && !a.Acked && !a.Silenced && !a.Maintained {
				return a, true
			}
		}
	}
	return status.Alert{}, false
}

// colour returns the class of what an alert is about.
func colour(s alert.Severity) string {
	if s == alert.Critical {
		return "bad"
	}
	return "mid"
}

// good returns the last value of a metric that is not suspect, and its time.
func (d device) good(metric string) (v float64, at time.Time, ok bool) {
	s, ok := d.Values[metric]
	switch {
	case !ok || s.Text != "":
		return 0, at, false
	case s.Quality != "suspect":
		return s.Value, timeOf(s), true
	case s.Good != nil:
		return *s.Good, s.GoodTime, true
	}
	return 0, at, false
}
