package driver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

var byKey = declared()

// declared are the fields of all measurements that sensors bring. A driver does not
// know which is its own, so the widest range counts here; the platform checks each
// number against the range of its own measurement.
func declared() map[string]catalogue.Field {
	out := map[string]catalogue.Field{}
	for _, name := range catalogue.FromSensors() {
		m, _ := catalogue.Get(name)
		for _, f := range m.Fields {
			if wider, ok := out[f.Key]; ok {
				f.Min, f.Max = min(f.Min, wider.Min), max(f.Max, wider.Max)
			}
			out[f.Key] = f
		}
	}
	delete(out, catalogue.Quality) // the platform's
	return out
}

// FieldOf returns the declaration of a key, by the longest ending that is declared:
// a part may have its name in front. nvme_composite_temperature_celsius is a
// temperature_celsius, socket_2_power_watts a power_watts.
func FieldOf(key string) (catalogue.Field, bool) {
	for rest, found := key, true; found; _, rest, found = strings.Cut(rest, "_") {
		if f, ok := byKey[rest]; ok {
			return f, true
		}
	}
	return catalogue.Field{}, false
}

// Guard flags what lies outside of the declared ranges.
func (s *Sample) FlagOutOfRange() {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if f, ok := FieldOf(k); ok && !(s.Fields[k] >= f.Min && s.Fields[k] <= f.Max) {
			s.Flag(Suspect, "%s is %g, outside of %g to %g", k, s.Fields[k], f.Min, f.Max)
		}
	}
}

// Check reports a key that is not declared.
func (s Sample) CheckKeys() error {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if _, ok := FieldOf(k); !ok {
			return fmt.Errorf("the field %s is not declared", k)
		}
	}
	return nil
}

// Part makes a name fit for the front of a key: "Core 0" becomes "core_0".
func KeyPart(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}
