package glance

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/energy"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

const wattsKey = "power_watts"

// meterNames are the measurements whose powers are added up where hearth.yml names no group: a
// computer or a UPS measures what a plug or a meter counts, too.
var meterNames = []string{"power", "zigbee"}

// meter is a device that measures power.
type meter struct {
	device device
	metric string // power_watts, or that of a part: socket_2_power_watts
	in     catalogue.Measurement
	watts  float64
	at     time.Time
	old    bool

	powers, used []energy.Part // since yesterday: what its power adds up to, and what it measured
}

// used returns what a meter measured between two times: what its counter says, and what its
// power adds up to where the counter says nothing at the beginning or the end: it was not there
// yet, or no longer. The first rise of a counter is that of up to slack before.
func used(counts, powers []energy.Part, from, to time.Time, slack time.Duration) []energy.Part {
	if len(counts) == 0 {
		return powers
	}
	first, last := counts[0].Start, counts[len(counts)-1].End
	var before, after []energy.Part
	if first.Sub(from) > slack {
		before = energy.Within(powers, from, first)
	}
	if to.Sub(last) > slack {
		after = energy.Within(powers, last, to)
	}
	return slices.Concat(before, counts, after)
}

// slack is how far what a meter measured may begin after a time and end before another, between
// which it is known.
func (w *world) slack(m *meter) time.Duration { return max(time.Hour, w.fresh(m.device, m.in)) }

// countKey returns the key of the rises of the counter that belongs to a power.
func countKey(metric string) string { return strings.TrimSuffix(metric, wattsKey) + "energy_delta_kwh" }

func (m *meter) plot(w *world) history.Series {
	return history.Series{Measurement: m.in.Name, Field: m.metric, Tags: map[string]string{catalogue.DeviceLabel: m.device.ID}, Title: w.spoken(m.device)}
}

// meterGroup is a number of meters whose powers are added up.
type meterGroup struct {
	title  string
	meters []*meter
}

// watts returns the sum of the meters whose values are not old; ok is false if all are.
func (g meterGroup) watts() (sum float64, ok bool) {
	for _, m := range g.meters {
		if !m.old {
			sum, ok = sum+m.watts, true
		}
	}
	return sum, ok
}

// meterGroups returns the groups that hearth.yml names for the tile, or else one of all meters.
func (w *world) meterGroups(devices []device) (out []meterGroup) {
	for _, t := range w.File.Tiles {
		if t.Tile != "power" {
			continue
		}
		for _, l := range t.Lines {
			if g := (meterGroup{w.Redact(l.Title), w.metersOf(devices, l)}); len(g.meters) > 0 {
				out = append(out, g)
			}
		}
		break
	}
	if len(out) > 0 {
		return out
	}
	var all []*meter
	for _, d := range devices {
		if w.isComputed(d.ID) || !w.isIn(d.Place) {
			continue
		}
		all = append(all, w.metersIn(d, func(m *meter) bool { return slices.Contains(meterNames, m.in.Name) })...)
	}
	if len(all) == 0 {
		return nil
	}
	return []meterGroup{{meters: all}}
}

// isComputed reports whether the values of a device are sums of others.
func (w *world) isComputed(id string) bool {
	return slices.ContainsFunc(w.File.Devices, func(d settings.Device) bool {
		return len(d.Topic) == 0 && len(d.Fields) > 0 && slices.Contains(d.Device, id)
	})
}

// metersOf returns the meters of a line: those of its devices, or all that have its field.
func (w *world) metersOf(devices []device, l settings.Line) (out []*meter) {
	name, key, _ := strings.Cut(l.Field, ".")
	for _, d := range devices {
		if len(l.Device) > 0 && !slices.Contains(l.Device, d.ID) {
			continue
		}
		if m, ok := w.meterOf(d, key); ok && m.in.Name == name {
			out = append(out, m)
		}
	}
	return out
}

// metersIn returns the meters of a device: its power, or if it has none those of its parts.
func (w *world) metersIn(d device, wanted func(*meter) bool) (out []*meter) {
	if m, ok := w.meterOf(d, wattsKey); ok {
		if wanted(m) {
			out = append(out, m)
		}
		return out
	}
	for metric := range d.Values {
		if !strings.HasSuffix(metric, "_"+wattsKey) || strings.HasPrefix(metric, "nominal_") {
			continue
		}
		if m, ok := w.meterOf(d, metric); ok && wanted(m) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *meter) int { return strings.Compare(a.metric, b.metric) })
	return out
}

func (w *world) meterOf(d device, metric string) (*meter, bool) {
	v, at, ok := d.good(metric)
	if !ok {
		return nil, false
	}
	in, ok := w.measurementOf(d, metric)
	m := &meter{device: d, metric: metric, in: in, watts: v, at: at}
	m.old = w.Now.Sub(at) > w.fresh(d, in)
	return m, ok && w.Now.Sub(at) < roomSilent
}

// powerStep is that of the curves and sums of the tile.
const powerStep = energy.PriceStep

// readMeters reads what the meters measured since a time.
func (w *world) readMeters(ctx context.Context, ms []*meter, from time.Time) error {
	fields := map[string][]string{}
	for _, m := range ms {
		for _, key := range []string{m.metric, countKey(m.metric)} {
			if !slices.Contains(fields[m.in.Name], key) {
				fields[m.in.Name] = append(fields[m.in.Name], key)
			}
		}
	}
	for name, keys := range fields {
		q := store.Query{Name: name, Fields: keys, From: from, To: w.Now.Truncate(powerStep).Add(powerStep), Step: powerStep}
		if w.Past {
			q.To = w.Now
		}
		series, err := w.windows(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if m.in.Name == name {
				m.powers = energy.Integrated(deviceWindows(series, m.device.ID, m.metric), q, w.fresh(m.device, m.in), w.Now)
				counts := energy.Counted(deviceWindows(series, m.device.ID, countKey(m.metric)), q, w.Now)
				m.used = used(counts, m.powers, from, w.Now, w.slack(m))
			}
		}
	}
	return nil
}
