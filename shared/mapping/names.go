package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
)

// checkNames notes the fields of rules and tiles that neither the catalogue nor a
// mapping has: nothing would ever be found under them.
func (s *Set) checkNames(f *settings.File) {
	for _, name := range slices.Sorted(maps.Keys(f.Rules)) {
		s.checkName(f, "rules."+name+".field", f.Rules[name].Field)
	}
	for i, t := range f.Tiles {
		for j, l := range t.Lines {
			s.checkName(f, fmt.Sprintf("tiles[%d].lines[%d].field", i, j), l.Field)
		}
	}
}

func (s *Set) checkName(f *settings.File, path, name string) {
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
		f.Mistake(path, "the measurement %q is in neither the catalogue nor devices", measurement)
		return
	}
	if _, ok := m.Field(key); !ok && !m.Open {
		f.Mistake(path, "%s has no field %q", measurement, key)
	}
}
