package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
)

// CheckNames notes the fields of rules and tiles that neither the catalogue nor a
// mapping has: nothing would ever be found under them. f is what s was compiled of,
// and note its Mistake, or its Warn: another version of hearth may know the name.
func (s *Set) CheckNames(f *settings.File, note func(path, format string, args ...any)) {
	if f.Broken("devices") { // it may be one of these
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
	m, ok := catalogue.Get(measurement)
	for _, own := range s.measurements {
		if own.Name == measurement {
			m, ok = own, true
		}
	}
	if !ok {
		note(path, "the measurement %q is in neither the catalogue nor devices", measurement)
		return
	}
	if _, ok := m.Field(key); !ok && !m.Open {
		note(path, "%s has no field %q", measurement, key)
	}
}
