package glance

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// ownSeries is a value of an own tile: of one series, or of several that are added up.
type ownSeries struct {
	m       catalogue.Measurement
	field   catalogue.Field
	unit    *shownUnit // that the line names; nil: by house.units
	title   string
	thing   string              // what it is of: the device, the place
	members []map[string]string // the labels of each series
	names   []string            // of the members: the things that they are of
	mean    bool                // of several members the mean, not the sum
	value   float64             // as it is stored
	ok      bool                // there is a value
	at      time.Time           // of the value; of several the oldest
	pause   time.Duration       // between two values; 0: unknown
	sample  bool

	low, high, mark float64 // the range of a bar and its threshold, as the value is stored; high <= low: unknown; NaN: none
}

const (
	ownBehind       = 7 * 24 * time.Hour  // older values of devices are not shown
	ownBehindSource = 35 * 24 * time.Hour // the same of sources
)

// fieldOf returns the declaration of a measurement's field, as in air.co2_ppm.
func fieldOf(declared []catalogue.Measurement, name string) (m catalogue.Measurement, f catalogue.Field, ok bool) {
	measurement, key, _ := strings.Cut(name, ".")
	m, ok = catalogue.Get(measurement)
	if i := slices.IndexFunc(declared, func(d catalogue.Measurement) bool { return d.Name == measurement }); i >= 0 {
		m, ok = declared[i], true
	}
	if !ok || key == "" {
		return m, f, false
	}
	f, ok = m.Field(key)
	if !ok && m.Open {
		return m, catalogue.Field{Key: key, Title: catalogue.Title(key), Unit: catalogue.KeyUnit(key)}, true
	}
	f.Title = f.TitleOf(key)
	f.Key = key
	return m, f, ok
}

// ownSeries returns the series of lines, in their order.
func (w *world) ownSeries(ctx context.Context, lines []settings.Line) (out []*ownSeries, err error) {
	for _, l := range lines {
		m, f, ok := fieldOf(w.declared, l.Field)
		if !ok || w.Guest && catalogue.FamilyOf(m.Function).Private {
			continue
		}
		unit, err := unitOf(f, l.Unit)
		if err != nil {
			unit = nil
		}
		var found []*ownSeries
		if m.OfDevices() {
			found, err = w.ofDevices(ctx, m, f, l.Device)
		} else {
			found, err = w.ofSources(ctx, m, f, l.Labels)
		}
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			s.unit = unit
			if l.Title != "" {
				s.title = l.Title
				if len(found) > 1 {
					s.title += ", " + s.thing
				}
			}
			s.setRange(l)
		}
		out = append(out, found...)
	}
	return out, nil
}

// ofDevices returns the values of devices: one series that adds these up, or one of each device.
func (w *world) ofDevices(ctx context.Context, m catalogue.Measurement, f catalogue.Field, ids []string) (out []*ownSeries, err error) {
	// The states of a device do not say of which measurement they are: its readings do.
	read, err := w.windows(ctx, store.Query{Name: m.Name, Fields: []string{f.Key}, From: w.Now.Add(-ownBehind).Truncate(24 * time.Hour), To: w.Now, Step: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		sum := &ownSeries{m: m, field: f, mean: !adds(f.Unit), ok: true}
		for _, id := range ids {
			sum.add(w.ofDevice(m, f, id, devices, read))
		}
		return []*ownSeries{sum}, nil
	}
	for _, d := range devices {
		if s := w.ofDevice(m, f, d.ID, devices, read); s.ok {
			out = append(out, s)
		}
	}
	return out, nil
}

// ofDevice returns the value of a device; not ok if there is none of the last week. read has the
// series of the measurement.
func (w *world) ofDevice(m catalogue.Measurement, f catalogue.Field, id string, devices []device, read []store.WindowSeries) *ownSeries {
	s := &ownSeries{m: m, field: f, thing: id, members: []map[string]string{{catalogue.DeviceLabel: id}}, pause: m.Cadence}
	measures := false
	for _, r := range read {
		if r.Tags[catalogue.DeviceLabel] == id {
			measures, s.sample = true, s.sample || r.Tags[catalogue.SampleLabel] != ""
		}
	}
	i := slices.IndexFunc(devices, func(d device) bool { return d.ID == id })
	if i < 0 {
		return s
	}
	d := devices[i]
	s.thing, s.sample = cmp.Or(d.Name, d.ID), s.sample || d.Sample
	s.pause = cmp.Or(catalogue.DeviceKindOf(d.Kind).Pause, m.Cadence)
	state, has := d.Values[f.Key]
	if !has || !measures || state.Text != "" {
		return s
	}
	s.value, s.at, s.ok = state.Value, timeOf(state), true
	if state.Quality == string(quality.Suspect) {
		if s.ok = state.Good != nil; s.ok {
			s.value, s.at = *state.Good, state.GoodTime
		}
	}
	s.ok = s.ok && w.Now.Sub(s.at) <= ownBehind
	return s
}

// ofSources returns the values of the series that have these labels; of a forecast the next ones.
func (w *world) ofSources(ctx context.Context, m catalogue.Measurement, f catalogue.Field, labels map[string]string) (out []*ownSeries, err error) {
	readings, err := w.newestOf(ctx, m)
	for _, r := range readings {
		if _, has := r.Fields[f.Key]; has && hasAll(r.Tags, labels) {
			out = append(out, w.seriesOf(m, f, r))
		}
	}
	return out, err
}

// newestOf returns the latest reading of each series of a source, in the order of the catalogue;
// of a forecast the next ones.
func (w *world) newestOf(ctx context.Context, m catalogue.Measurement) (readings []reading.Reading, err error) {
	if m.Ahead > 0 {
		from := w.Now.Truncate(time.Minute)
		readings, err = w.between(ctx, m.Name, nil, from, from.Add(24*time.Hour))
		readings = slices.CompactFunc(slices.Clone(readings), func(a, b reading.Reading) bool { return a.Series() == b.Series() })
	} else {
		readings, err = w.latest(ctx, m.Name, ownBehindSource)
		readings = slices.Clone(readings) // the cache has them, too
	}
	slices.SortStableFunc(readings, func(a, b reading.Reading) int { return cmp.Compare(m.Place(a.Tags), m.Place(b.Tags)) })
	return readings, err
}

// seriesOf returns the series of a source's reading.
func (w *world) seriesOf(m catalogue.Measurement, f catalogue.Field, r reading.Reading) *ownSeries {
	s := &ownSeries{m: m, field: f, members: []map[string]string{r.Tags}, value: r.Fields[f.Key], ok: true, at: r.Time, pause: m.Cadence,
		sample: r.Tags[catalogue.SampleLabel] != "", thing: w.nameOf(m, r.Tags)}
	if m.Ahead > 0 {
		s.at = w.Now // it is of a time to come
	}
	if m.Day { // it is of a whole day
		s.pause = max(s.pause, 24*time.Hour)
	}
	return s
}

// nameOf joins the values of the labels of a series, in the order of the catalogue.
func (w *world) nameOf(m catalogue.Measurement, tags map[string]string) string {
	var parts []string
	for _, l := range m.Labels {
		if v := tags[l]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " · ")
}

func hasAll(tags, labels map[string]string) bool {
	for k, v := range labels {
		if tags[k] != v {
			return false
		}
	}
	return true
}

// add adds the value of a further device. Without one, the sum has none.
func (s *ownSeries) add(o *ownSeries) {
	n := float64(len(s.members))
	s.members = append(s.members, o.members...)
	s.names = append(s.names, o.thing)
	s.ok = s.ok && o.ok
	if s.mean {
		s.value = (s.value*n + o.value) / (n + 1)
	} else {
		s.value += o.value
	}
	if s.at.IsZero() || o.at.Before(s.at) {
		s.at = o.at
	}
	s.pause, s.sample = max(s.pause, o.pause), s.sample || o.sample
	if n == 0 {
		s.thing = o.thing
	} else {
		s.thing = ""
	}
}

// adds reports whether a sum of values of a unit means something.
func adds(unit string) bool {
	return slices.Contains([]string{"", "W", "VA", "var", "kWh", "kvarh", "A", "l", "m³", "l/min", "l/h", "m³/h", "B", "B/s", "g", "kg", "$", "s", "min"}, unit)
}

// setRange sets the ends of a bar: those of the line, of a share 0 to 100, else a quarter more
// than the threshold.
func (s *ownSeries) setRange(l settings.Line) {
	s.mark = math.NaN()
	id := ""
	if len(s.members) == 1 {
		id = s.members[0][catalogue.DeviceLabel]
	}
	switch t := s.field.WarnOf(id); {
	case t.HasAbove:
		s.mark, s.low, s.high = t.Above, max(s.field.Min, 0), t.Above*1.25
	case t.HasBelow:
		s.mark = t.Below
	}
	if s.field.Unit == "%" {
		s.low, s.high = 0, 100
	}
	if l.Min != nil {
		s.low = s.stored(*l.Min)
	}
	if l.Max != nil {
		s.high = s.stored(*l.Max)
	}
}

// stored returns a number of the line's unit as it is stored.
func (s *ownSeries) stored(v float64) float64 {
	if s.unit == nil {
		return v
	}
	return s.unit.back(v)
}

// windowsOf is the query for the curve of a series.
func windowsOf(s *ownSeries, tags map[string]string, from, to time.Time) store.Query {
	return store.Query{Name: s.m.Name, Tags: tags, Fields: []string{s.field.Key}, From: from, To: to, Step: ownStep}
}

// sameSeries reports whether windows are of the series with these labels: a query finds those
// with more labels, too.
func sameSeries(of, tags map[string]string, m catalogue.Measurement) bool {
	return m.OfDevices() && of[catalogue.DeviceLabel] == tags[catalogue.DeviceLabel] || maps.Equal(of, tags)
}
