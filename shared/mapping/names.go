package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/settings"
)

// CheckNames notes fields of rules and tiles that neither the catalogue nor a mapping
// declares: they would never have a value. f is the file that s was compiled from, and
// note its Mistake or its Warn. Warn suits a file that another version of hearth reads
// too, which may declare the name.
func (s *Set) CheckNames(f *settings.File, note func(path, format string, args ...any)) {
	if f.Broken("devices") { // an entry that was left out may declare the name
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.Rules)) {
		s.checkName(f, "rules."+name+".field", f.Rules[name].Field, note)
	}
	for i, t := range f.Tiles {
		for j, l := range t.Lines {
			s.checkName(f, fmt.Sprintf("tiles[%d].lines[%d].field", i, j), l.Field, note)
		}
	}
}

func (s *Set) checkName(f *settings.File, path, name string, note func(path, format string, args ...any)) {
	measurement, key, ok := strings.Cut(name, ".")
	if !ok || f.Broken(path) {
		return
	}
	m, ok := s.Get(measurement)
	if !ok {
		note(path, "the measurement %q is in neither the catalogue nor devices%s", measurement, didYouMean(measurement, s.names()))
		return
	}
	if _, ok := m.Field(key); !ok && !m.Open {
		keys := make([]string, len(m.Fields))
		for i, field := range m.Fields {
			keys[i] = field.Key
		}
		note(path, "%s has no field %q%s", measurement, key, didYouMean(key, keys))
	}
}

// names returns the names of all measurements.
func (s *Set) names() (out []string) {
	for _, m := range append(catalogue.All(), s.measurements...) {
		out = append(out, m.Name)
	}
	return out
}

// didYouMean asks for the nearest of names, "" where none is near.
func didYouMean(name string, names []string) string {
	if near := nearest.Of(name, names); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}
