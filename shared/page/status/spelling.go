package status

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// spelling is what is known of the metrics of devices.
type spelling struct {
	measurements []catalogue.Measurement      // of devices: the catalogue's, as hearth.yml extends them, and its own
	units        map[string]map[string]string // by device and key, as the devices declare
}

// newSpelling adds to the catalogue's measurements what hearth.yml declares: more fields
// of a measurement of the catalogue, or measurements of its own. What hearth.yml does
// not say of a field is taken from a field of the catalogue with the same key.
func newSpelling(all, declared []catalogue.Measurement, ids []store.DeviceID) spelling {
	known := []catalogue.Measurement{catalogue.States()}
	for _, m := range all {
		if m.OfDevices() {
			known = append(known, m)
		}
	}
	ms, own := slices.Clone(known[1:]), 0 // those of hearth.yml come first: they take precedence
	for _, m := range declared {
		m.Fields = slices.Clone(m.Fields)
		same := slices.IndexFunc(ms, func(o catalogue.Measurement) bool { return o.Name == m.Name })
		for i, f := range m.Fields {
			if same < 0 || !slices.ContainsFunc(ms[same].Fields, func(o catalogue.Field) bool { return o.Key == f.Key }) {
				m.Fields[i] = completed(f, find(known, f.Key).field)
			}
		}
		if same >= 0 {
			ms[same] = m
			continue
		}
		slices.SortStableFunc(m.Fields, func(a, b catalogue.Field) int { return find(known, a.Key).compare(find(known, b.Key)) })
		ms = slices.Insert(ms, own, m)
		own++
	}
	return spelling{ms, unitsOf(ids)}
}

// completed returns a field of hearth.yml with what only the catalogue says of its key.
func completed(f, known catalogue.Field) catalogue.Field {
	if f.Title == "" {
		f.Title, f.Unit = cmp.Or(known.TitleOf(f.Key), catalogue.Title(f.Key)), cmp.Or(f.Unit, known.Unit, catalogue.KeyUnit(f.Key))
	}
	if f.Unit == known.Unit {
		f.Digits = known.Digits
		if f.Words == nil && known.Words != nil {
			f.Words = known.Words
		}
	}
	f.Show = known.Show
	return f
}

// of returns the measurements in which the metrics of a device may be declared. Its
// own readings are in the first own of them: in those that its kind may report,
// beginning with the one that declares most of its metrics.
func (s spelling) of(kind string, states []store.DeviceState) (ms []catalogue.Measurement, own int) {
	var others []catalogue.Measurement
	for _, m := range s.measurements {
		if m.FromKind(kind) {
			ms = append(ms, m)
		} else {
			others = append(others, m)
		}
	}
	declares := map[string]int{}
	for i := range ms {
		for j := range states {
			if _, ok := ms[i].Position(states[j].Metric); ok {
				declares[ms[i].Name]++
			}
		}
	}
	slices.SortStableFunc(ms, func(a, b catalogue.Measurement) int { return declares[b.Name] - declares[a.Name] })
	own = len(ms)
	return append(append(ms, catalogue.States()), others...), own
}

// declaration is where a key is declared: in the field at a position of one of some
// measurements. Where it is declared nowhere, its measurement is behind them all and
// its field is empty.
type declaration struct {
	field                 catalogue.Field
	measurement, position int
}

// compare orders declarations by measurement and position.
func (d declaration) compare(o declaration) int {
	return cmp.Or(d.measurement-o.measurement, d.position-o.position)
}

// find returns where the first of the measurements that declares a key does so.
func find(ms []catalogue.Measurement, key string) declaration {
	for i := range ms {
		if p, ok := ms[i].Position(key); ok {
			return declaration{ms[i].Fields[p], i, p}
		}
	}
	return declaration{measurement: len(ms)}
}

// unitsOf reads the units that devices declare from the register, by device and
// key. Only Zigbee devices declare any.
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
