package history

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Measurement returns a measurement of the catalogue or of hearth.yml, and refuses one that is
// not declared, or not for guests.
func (in Inputs) Measurement(name string, guest bool) (catalogue.Measurement, error) {
	all := append(slices.Clone(in.Declared()), catalogue.All()...) // hearth.yml may add fields to one of the catalogue
	i := slices.IndexFunc(all, func(d catalogue.Measurement) bool { return d.Name == name })
	if i < 0 {
		names := make([]string, len(all))
		for i, d := range all {
			names[i] = d.Name
		}
		return catalogue.Measurement{}, refuse("unknown measurement %s%s", cut(name), perhaps(name, names))
	}
	m := all[i]
	if guest && catalogue.FamilyOf(m.Function).Private {
		return m, &Refused{http.StatusForbidden, "the view for guests has no " + m.Name}
	}
	return m, nil
}

// check refuses a series whose field or labels are not declared. Of an open measurement a
// field is known if a device has reported it.
func check(ctx context.Context, st *store.Store, m catalogue.Measurement, s Series) error {
	labels := append(slices.Clone(m.Labels), catalogue.SampleLabel)
	for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
		if !slices.Contains(labels, k) {
			return refuse("%s has no label %s%s: it has %s", m.Name, cut(k), perhaps(k, labels), strings.Join(m.Labels, ", "))
		}
	}
	if f, ok := m.Field(s.Field); ok && validKey(s.Field, f.Key) {
		return nil
	}
	keys := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		if keys[i] = f.Key; f.Counter && catalogue.RiseKey(f.Key) == s.Field {
			return nil
		}
	}
	if m.Open {
		states, err := st.DeviceStates(ctx, s.Tags[catalogue.DeviceLabel])
		if err != nil {
			return err
		}
		for _, d := range states {
			if d.Metric == s.Field {
				return nil
			}
			keys = append(keys, d.Metric)
		}
	}
	return refuse("%s has no field %s%s", m.Name, cut(s.Field), perhaps(s.Field, keys))
}

// validKey reports whether what stands before a declared key is the name of a part.
func validKey(key, declared string) bool {
	part := strings.TrimSuffix(key, declared)
	return part == "" || catalogue.Key(part)+"_" == part
}

// field returns how a field is shown.
func field(m catalogue.Measurement, key string) catalogue.Field {
	f, ok := m.Field(key)
	if !ok {
		f = catalogue.Field{Title: catalogue.Title(key)}
		if strings.HasSuffix(key, "_delta_kwh") || strings.HasSuffix(key, "_delta") {
			f.Title = catalogue.Title(strings.Replace(key, "_delta", "", 1)) + " since the reading before"
		}
	}
	if f.Unit == "" && m.Open {
		f.Unit = catalogue.KeyUnit(key)
	}
	f.Title = f.TitleOf(key)
	return f
}
