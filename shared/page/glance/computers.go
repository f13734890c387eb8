package glance

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
)

const (
	maxComputers = 6
	diskFull     = 95.0 // percent
)

// computer is one row. Values that are missing are nil.
type computer struct {
	Name                   string
	Off                    template.HTML // since when it is off; "": it is on
	Spark                  template.HTML
	Temperature, Use, Load *reported
	Memory, Disk           *reported
	More                   []reported // of a computer with a graphics card, fans or a case: a second line
	Plot                   plotted

	device device
}

// reported is a value of a computer.
type reported struct {
	Title string
	Text  template.HTML
	Class string // mid or bad: an alert is open about it, or it is among the needs

	key  string
	v    float64
	need bool // it is past its threshold, and no alert says so
}

// computers shows a row for each computer.
func computers(ctx context.Context, w *world) (*Tile, error) {
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	hosts, cases := hostsOf(devices)
	if len(hosts) == 0 {
		return nil, nil
	}
	more := max(len(hosts)-maxComputers, 0)
	hosts = hosts[:len(hosts)-more]
	curves, err := w.hostCurves(ctx, hosts)
	t := &Tile{}
	v := computersView{Rest: more}
	for _, d := range hosts {
		c := w.computer(d, cases[d.ID], curves[d.ID])
		t.Needs = append(t.Needs, w.computerNeeds(c)...)
		t.Sample = t.Sample || d.Sample
		if c.Off == "" {
			t.At, t.Stale = later(t.At, d.Seen.Truncate(time.Minute)), max(t.Stale, w.hostFresh(d))
		}
		if series := hostSeries(d, c.Name+", "); len(series) > 0 && len(t.Plots) < maxPlotted {
			t.Plots = append(t.Plots, series[0])
		}
		v.add(c)
	}
	slices.SortStableFunc(v.Rows, func(a, b computer) int { return a.place() - b.place() })
	t.Body = draw("computers", v)
	return t, err
}

// place orders the rows: where not all fit, the first do, which are low and say something.
func (c computer) place() int {
	switch {
	case len(c.More) > 0:
		return 1
	case c.Off != "":
		return 2
	}
	return 0
}

// computersView is what the markup of the tile reads.
type computersView struct {
	Rows                   []computer
	Rest                   int  // computers that are left out
	Temperature, Use, Load bool // some row has it
	Memory, Disk, Curve    bool
}

func (v *computersView) add(c computer) {
	v.Rows = append(v.Rows, c)
	v.Temperature, v.Use, v.Load = v.Temperature || c.Temperature != nil, v.Use || c.Use != nil, v.Load || c.Load != nil
	v.Memory, v.Disk, v.Curve = v.Memory || c.Memory != nil, v.Disk || c.Disk != nil, v.Curve || c.Spark != ""
}

// hostsOf returns the computers, and the devices in their cases: a sensor whose id begins with
// that of a computer. A case without a computer is one of its own.
func hostsOf(devices []device) (hosts []device, cases map[string][]device) {
	var inCases []device
	for _, d := range devices {
		switch {
		case isHost(d):
			hosts = append(hosts, d)
		case has(d, "interior_temperature_celsius") || has(d, "exhaust_temperature_celsius") || has(d, "heating_kelvin"):
			inCases = append(inCases, d)
		}
	}
	cases = map[string][]device{}
	var alone []device
	for _, c := range inCases {
		i := slices.IndexFunc(hosts, func(h device) bool { return strings.HasPrefix(c.ID, h.ID) })
		if i < 0 {
			alone = append(alone, c)
			continue
		}
		cases[hosts[i].ID] = append(cases[hosts[i].ID], c)
	}
	return append(hosts, alone...), cases
}

func has(d device, metric string) bool { _, ok := d.Values[metric]; return ok }

// isHost reports whether a device is a computer, by what it reports.
func isHost(d device) bool {
	for key := range d.Values {
		switch {
		case key == "cpu_usage_percent", key == "cpu_temperature_celsius", key == "load_1m", strings.HasPrefix(key, "memory_"),
			strings.HasSuffix(key, "disk_usage_percent"), strings.HasPrefix(key, "gpu_"):
			return true
		}
	}
	return false
}

// computer returns the row of a computer and the sensors in its case.
func (w *world) computer(d device, inCase []device, curve []point) computer {
	c := computer{Name: w.Redact(cmp.Or(d.Name, d.ID)), device: d, Spark: spark(curve), Plot: plotsOf(hostSeries(d, "")...)}
	if d.Away || w.Now.Sub(d.Seen) > w.hostFresh(d) {
		c.Off, c.Spark = w.offSince(d.Seen), ""
		return c
	}
	c.Temperature = w.firstOf(d, "cpu_temperature_celsius", "soc_temperature_celsius", "acpi_temperature_celsius", "temperature_celsius")
	c.Use = w.firstOf(d, "cpu_usage_percent", "usage_percent")
	c.Load = w.firstOf(d, "load_1m")
	c.Memory, c.Disk = w.memory(d), w.fullest(d)
	c.More = append(w.graphics(d), w.caseOf(append([]device{d}, inCase...))...)
	return c
}

// offSince writes since when something is: the time of day, or the day if that is not of the last 24 hours.
func (w *world) offSince(t time.Time) template.HTML {
	if w.Now.Sub(t) < 24*time.Hour {
		return w.at(t, clock)
	}
	return w.at(t, date)
}

// hostFresh is how old a value of a computer may be: after so long without one it is off.
func (w *world) hostFresh(d device) time.Duration {
	m, _ := catalogue.Get("host")
	return w.fresh(d, m)
}

// fromHost returns a value of a computer that is not old.
func (w *world) fromHost(d device, key string) (v float64, ok bool) {
	return d.value(key, w.Now, w.hostFresh(d))
}

// firstOf returns the first of some metrics that a computer has.
func (w *world) firstOf(d device, metrics ...string) *reported {
	for _, key := range metrics {
		if v, ok := w.fromHost(d, key); ok {
			return w.reported(d, key, v)
		}
	}
	return nil
}

// reported returns a value as it is shown.
func (w *world) reported(d device, key string, v float64) *reported {
	r := &reported{Title: catalogue.Title(key), key: key, v: v}
	if a, ok := w.alertOf(d.ID, key); ok {
		r.Class = colour(a.Severity)
	} else if past(d, key, v) && !w.hasAlert(aboutMetric(d.ID, key)) { // an alert that is acknowledged colours nothing
		r.Class, r.need = "mid", true
	}
	switch unit := catalogue.KeyUnit(key); unit {
	case "°C":
		r.Text = w.degrees(v, 0)
	case "%", "W", "rpm":
		r.Text = num(v, 0) + template.HTML(" "+unit)
	case "B":
		r.Text = num(v/1e9, 1) + " GB"
	case "K":
		r.Text = w.kelvin(v)
	default:
		r.Text = num(v, 2)
	}
	return r
}

// kelvin writes a difference of temperatures.
func (w *world) kelvin(v float64) template.HTML {
	if w.imperial() {
		return num(v*1.8, 0) + " °F"
	}
	return num(v, 0) + " K"
}

// past reports whether a value is past a threshold of the catalogue that holds at once, or a disk
// is full.
func past(d device, key string, v float64) bool {
	if isDisk(key) {
		return v >= diskFull
	}
	m, _ := catalogue.Get("host")
	f, ok := m.Field(key)
	if !ok {
		return false
	}
	t := f.WarnOf(d.ID)
	return t.For == 0 && (t.HasAbove && v > t.Above || t.HasBelow && v < t.Below)
}

// isDisk reports whether a metric says how full a disk is. A snap is always full.
func isDisk(key string) bool {
	return strings.HasSuffix(key, "disk_usage_percent") && !strings.HasPrefix(key, "snap_")
}

// memory returns how much of the memory is used: in percent if that is known.
func (w *world) memory(d device) *reported {
	if r := w.firstOf(d, "memory_usage_percent"); r != nil {
		return r
	}
	total, ok := w.fromHost(d, "memory_total_bytes")
	if used, known := w.fromHost(d, "memory_used_bytes"); known && ok && total > 0 {
		return w.reported(d, "memory_usage_percent", used/total*100)
	}
	if free, known := w.fromHost(d, "memory_available_bytes"); known && ok && total > 0 {
		return w.reported(d, "memory_usage_percent", (1-free/total)*100)
	}
	return w.firstOf(d, "memory_used_bytes")
}

// fullest returns the fullest disk, in percent; by its size and what is free where that is all
// that is known.
func (w *world) fullest(d device) (out *reported) {
	for _, key := range slices.Sorted(maps.Keys(d.Values)) {
		part, sized := strings.CutSuffix(key, "disk_size_bytes")
		percent := part + "disk_usage_percent"
		if !sized {
			percent = key
		}
		v, ok := w.fromHost(d, key)
		if !ok || !isDisk(percent) {
			continue
		}
		if sized {
			free, known := w.fromHost(d, part+"disk_free_bytes")
			if !known || v <= 0 {
				continue
			}
			v = (1 - free/v) * 100
		}
		if out == nil || v > out.v {
			out = w.reported(d, percent, v)
		}
	}
	return out
}

// aboutMetric returns what recognizes the keys of alerts about a metric of a device.
func aboutMetric(device, metric string) func(key string) bool {
	return func(key string) bool { return strings.HasSuffix(key, "/"+device+"/"+metric) }
}

// computerNeeds returns what of a row needs somebody and is no alert.
func (w *world) computerNeeds(c computer) (out []Need) {
	all := []*reported{c.Temperature, c.Use, c.Load, c.Memory, c.Disk}
	for i := range c.More {
		all = append(all, &c.More[i])
	}
	for _, r := range all {
		if r != nil && r.need {
			out = append(out, Need{Severity: alert.Warning, What: c.Name + ", " + w.Redact(catalogue.Title(r.key)), Value: r.Text, Since: timeOf(c.device.Values[r.key]), Sample: c.device.Sample})
		}
	}
	return out
}
