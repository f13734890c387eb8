package glance

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
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
		if own := values[d.ID]; len(own) > 0 && d.ReplacedBy == "" && !catalogue.DeviceKindOf(d.Kind).Hidden {
			out = append(out, deviceOf(w, d, own))
		}
	}
	slices.SortStableFunc(out, func(a, b device) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) })
	return out, nil
}

func deviceOf(w *world, d store.Device, own map[string]store.DeviceState) device {
	name := cmp.Or(d.Name, d.ID)
	place := cmp.Or(d.Room, guessPlace(name, d.ID))
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
