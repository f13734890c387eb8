package page

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Metric is the last word of one metric of a device.
type Metric struct {
	Key     string    `json:"key"`
	Title   string    `json:"title"`
	Unit    string    `json:"unit,omitempty"`
	Value   float64   `json:"value"`
	Text    string    `json:"text,omitempty"` // what there is in place of a number
	Time    time.Time `json:"time"`
	Quality string    `json:"quality,omitempty"` // "" is ok
	Reason  string    `json:"reason,omitempty"`
	Warn    bool      `json:"warn,omitempty"` // past the catalogue's threshold
}

// leading are the metrics of which one stands for its device, the first that it
// has. A battery that drives a house is no side matter, one in a sensor is.
var leading = []string{
	"water_leak", "smoke", "gas", "contact", "occupancy", "presence", "motion",
	"temperature_celsius", "co2_ppm", "eco2_ppm", "pm2_5_ugm3", "power_watts", "moisture_percent", "soil_moisture_percent",
	"load_percent", "cpu_usage_percent", "usage_percent", "state", "on", "humidity_percent", "illuminance_lux", "energy_kwh", "action",
}

// following come next, in this order; what is in neither list, by its title.
var following = []string{"humidity_percent", "pressure_hpa", "pm10_ugm3", "pm1_ugm3", "tvoc_ppb", "battery_percent", "runtime_seconds", "voltage_volts",
	"current_amperes", "energy_kwh", "illuminance_lux", "cpu_temperature_celsius", "memory_used_bytes", "memory_available_bytes", "load_1m"}

// small are written below, in small letters.
var small = []string{"battery_percent", "linkquality", "signal_dbm"}

// simulated is 1 at a node whose sensors are.
const simulated = "simulated"

// hidden are said in other ways, or to nobody.
var hidden = map[string]bool{"available": true, "online": true, "boot": true, simulated: true, catalogue.Quality: true, catalogue.Suspect: true,
	"particles_0_3um_per_dl": true, "particles_0_5um_per_dl": true, "particles_1um_per_dl": true,
	"particles_2_5um_per_dl": true, "particles_5um_per_dl": true, "particles_10um_per_dl": true}

// words are what 0 and 1 mean.
var words = map[string][2]string{
	"contact": {"open", "closed"}, "occupancy": {"still", "motion"}, "presence": {"nobody", "somebody"}, "motion": {"still", "motion"},
	"water_leak": {"dry", "leak"}, "smoke": {"clear", "smoke"}, "gas": {"clear", "gas"}, "state": {"off", "on"}, "on": {"off", "on"},
	"battery_low": {"fine", "low"}, "vibration": {"still", "shaking"}, "tamper": {"no", "yes"},
}

// names are how people call what the catalogue does not list.
var names = map[string]string{"state": "Switched", "contact": "Contact", "action": "Last action", "gas": "Gas", "presence": "Presence",
	"devices": "Devices", "groups": "Groups", "linkquality": "Link"}

// spelling writes metrics for people.
type spelling struct {
	declared []catalogue.Measurement      // what hearth.yml adds
	units    map[string]map[string]string // by device and key, as the devices declare
}

// unitsOf reads what the register knows of units: a Zigbee device says its own.
func unitsOf(ids []store.DeviceID) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, id := range ids {
		var about struct {
			Metrics map[string]struct{ Unit string }
		}
		if json.Unmarshal(id.About, &about) != nil || len(about.Metrics) == 0 {
			continue
		}
		units := map[string]string{}
		for name, m := range about.Metrics {
			if u, _ := catalogue.UnitOf(m.Unit); u.Symbol != "" {
				units[u.Key(catalogue.Key(name))] = u.Symbol
			}
		}
		out[id.Device] = units
	}
	return out
}

// measurementsOf are where the metrics of a kind of device are declared, the
// likeliest first.
var measurementsOf = map[string][]string{
	"zigbee": {"zigbee"}, "bridge": {"zigbee"}, "edge": catalogue.FromSensors(), "node": {"host"},
	"mapped": append(catalogue.FromSensors(), "custom"), "telegraf": {"host", "telegraf"},
}

// measurements returns where a device's readings may be: first where most of its
// metrics are declared.
func (s spelling) measurements(kind string, states []store.DeviceState) []catalogue.Measurement {
	listed := measurementsOf[kind]
	if listed == nil {
		listed = append(catalogue.FromSensors(), "custom", "telegraf", "zigbee")
	}
	var out []catalogue.Measurement
	if kind != "zigbee" {
		out = append(out, s.declared...)
	}
	for _, name := range listed {
		if m, ok := catalogue.Get(name); ok && !slices.ContainsFunc(out, func(o catalogue.Measurement) bool { return o.Name == name }) {
			out = append(out, m)
		}
	}
	known := map[string]int{}
	for i := range out {
		for j := range states {
			if _, ok := out[i].Field(states[j].Metric); ok {
				known[out[i].Name]++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b catalogue.Measurement) int { return known[b.Name] - known[a.Name] })
	return out
}

func field(ms []catalogue.Measurement, key string) (catalogue.Field, bool) {
	for i := range ms {
		if f, ok := ms[i].Field(key); ok {
			return f, true
		}
	}
	return catalogue.Field{}, false
}

// metric writes one state for people.
func (s spelling) metric(ms []catalogue.Measurement, d store.DeviceState) Metric {
	m := Metric{Key: d.Metric, Value: d.Value, Text: d.Text, Time: d.Time, Reason: d.Reason, Title: names[d.Metric]}
	if m.Time.IsZero() {
		m.Time = d.Arrived
	}
	if d.Quality != "ok" {
		m.Quality = d.Quality
	}
	f, listed := field(ms, d.Metric)
	if listed {
		m.Unit = f.Unit
		m.Warn = d.Text == "" && (f.Warn.HasAbove && d.Value > f.Warn.Above || f.Warn.HasBelow && d.Value < f.Warn.Below)
	}
	if f.Title == "" { // hearth.yml need not say it again
		known, _ := field(s.measurements("", nil), d.Metric)
		f.Title, m.Unit = known.Title, cmp.Or(m.Unit, known.Unit)
		f.Key = cmp.Or(known.Key, f.Key)
	}
	if m.Unit == "" && !listed || f.Title == "" {
		m.Unit = cmp.Or(m.Unit, s.units[d.Device][d.Metric], ending(d.Metric))
	}
	if m.Title == "" && f.Title != "" {
		m.Title = f.Title
		if part := strings.TrimSuffix(d.Metric, "_"+f.Key); part != d.Metric {
			m.Title = plain(part) + ": " + f.Title
		}
	}
	if m.Title == "" {
		m.Title = plain(d.Metric)
		if suffix := suffixes[m.Unit]; suffix != "" {
			m.Title = plain(strings.TrimSuffix(d.Metric, "_"+suffix))
		}
	}
	if d.Text == "" {
		m.Text = word(f, d.Metric, d.Value)
	}
	return m
}

// word is what 0 or 1 means, "" for a number.
func word(f catalogue.Field, key string, v float64) string {
	if v != 0 && v != 1 {
		return ""
	}
	if w, ok := words[key]; ok {
		return w[int(v)]
	}
	if f.Key != "" && f.Max == 1 && f.Min == 0 && f.Unit == "" {
		return [2]string{"no", "yes"}[int(v)]
	}
	return ""
}

// plain makes words of a key.
func plain(key string) string {
	words := strings.Fields(strings.ReplaceAll(key, "_", " "))
	for i, w := range words {
		if capital[w] {
			words[i] = strings.ToUpper(w)
		} else if i == 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	if len(words) == 0 {
		return key
	}
	return strings.Join(words, " ")
}

var capital = map[string]bool{"cpu": true, "gpu": true, "soc": true, "npu": true, "nvme": true, "ups": true, "ram": true, "pm": true, "tvoc": true, "amd": true, "usb": true, "ssd": true}

// suffixes are the endings of keys by the sign of their unit.
var suffixes = func() map[string]string {
	m := map[string]string{}
	for _, sign := range []string{"°C", "K", "%", "hPa", "ppm", "ppb", "µg/m³", "lx", "W", "VA", "var", "V", "A", "kWh", "Hz", "rpm", "s",
		"B", "m", "mm", "m/s", "°", "l", "m³", "m³/h", "dB", "dBm", "mired"} {
		if u, ok := catalogue.UnitOf(sign); ok {
			m[u.Symbol] = u.Suffix
		}
	}
	return m
}()

// ending returns the unit that a key ends with.
func ending(key string) string {
	best, sign := "", ""
	for s, suffix := range suffixes {
		if len(suffix) > len(best) && (key == suffix || strings.HasSuffix(key, "_"+suffix)) {
			best, sign = suffix, s
		}
	}
	return sign
}

// rank orders metrics: the leading ones, the following, the rest.
func rank(key string) int {
	if i := slices.Index(leading, key); i >= 0 {
		return i
	}
	if i := slices.Index(following, key); i >= 0 {
		return 100 + i
	}
	return 1000
}
