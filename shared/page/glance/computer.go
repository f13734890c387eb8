package glance

import (
	"context"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/store"
)

const maxFans = 4 // that are shown of a computer

// graphics returns the values of a computer's graphics card and fans.
func (w *world) graphics(d device) (out []reported) {
	gpu := texts.Say("computers.gpu")
	for _, m := range []struct{ title, key string }{
		{gpu, "gpu_temperature_celsius"}, {gpu, "amd_gpu_temperature_celsius"}, {"", "gpu_usage_percent"}, {"", "amd_gpu_usage_percent"}, {"", "gpu_power_watts"}, {"", "amd_gpu_power_watts"},
	} {
		if r := w.firstOf(d, m.key); r != nil {
			r.Title = m.title
			out = append(out, *r)
		}
	}
	if len(out) > 0 {
		out[0].Title = gpu
	}
	if fans := w.fans(d); fans != nil {
		out = append(out, *fans)
	}
	return out
}

// fans returns how fast the fans of a computer turn.
func (w *world) fans(d device) *reported {
	var all []template.HTML
	out := &reported{Title: texts.Say("computers.fans"), key: "fan_rpm"}
	for _, key := range slices.Sorted(maps.Keys(d.Values)) {
		if v, ok := w.fromHost(d, key); ok && strings.HasSuffix(key, "fan_rpm") && len(all) < maxFans {
			all = append(all, num(v, 0))
		}
	}
	if len(all) == 0 {
		return nil
	}
	if len(all) == 1 {
		out.Title = texts.Say("computers.fan")
	}
	out.Text = join(all, ", ") + " rpm"
	return out
}

// caseOf returns the temperature inside of a case and by how much the computer heats the air:
// that of the exhaust, or without one of the inside, above the intake.
func (w *world) caseOf(devices []device) (out []reported) {
	of := func(metric string) (*reported, device) {
		for _, d := range devices {
			if r := w.firstOf(d, metric); r != nil {
				return r, d
			}
		}
		return nil, device{}
	}
	inside, d := of("interior_temperature_celsius")
	if inside != nil {
		inside.Title = texts.Say("computers.case")
		out = append(out, *inside)
	}
	intake, _ := of("intake_temperature_celsius")
	exhaust, from := of("exhaust_temperature_celsius")
	heating, _ := of("heating_kelvin")
	switch {
	case heating != nil:
	case intake == nil:
		return out
	case exhaust != nil:
		heating = w.reported(from, "heating_kelvin", exhaust.v-intake.v)
	case inside != nil:
		heating = w.reported(d, "heating_kelvin", inside.v-intake.v)
	default:
		return out
	}
	heating.Title = ""
	heating.Text = texts.HTML("computers.aboveIntake", heating.Text)
	return append(out, *heating)
}

// curved are the metrics of which a computer has a curve, the best first.
var curved = []string{"cpu_usage_percent", "load_1m", "cpu_temperature_celsius"}

// hostSeries returns what is plotted of a computer, first what its curve shows.
func hostSeries(d device, title string) (out []history.Series) {
	keys := append(slices.Clone(curved), "gpu_temperature_celsius", "gpu_usage_percent", "memory_usage_percent")
	for _, key := range slices.Sorted(maps.Keys(d.Values)) {
		if isDisk(key) {
			keys = append(keys, key)
		}
	}
	measurement := "host"
	if !isHost(d) {
		measurement, keys = "air", []string{"interior_temperature_celsius", "exhaust_temperature_celsius", "intake_temperature_celsius", "heating_kelvin"}
	}
	for _, key := range keys {
		if has(d, key) && len(out) < maxPlotted {
			out = append(out, history.Series{Measurement: measurement, Field: key, Tags: map[string]string{catalogue.DeviceLabel: d.ID}, Title: title + catalogue.Title(key)})
		}
	}
	return out
}

// hostCurves returns the last day of each computer.
func (w *world) hostCurves(ctx context.Context, hosts []device) (map[string][]point, error) {
	to := w.Now.Truncate(curveStep).Add(curveStep)
	q := store.Query{Name: "host", Fields: curved, From: to.Add(-curveSpan), To: to, Step: curveStep, Suspects: true}
	series, err := w.windows(ctx, q)
	out := map[string][]point{}
	for _, d := range hosts {
		if i := slices.IndexFunc(curved, func(key string) bool { return has(d, key) }); i >= 0 {
			out[d.ID] = roomCurve(series, d.ID, curved[i], q, w.hostFresh(d))
		}
	}
	return out, err
}
