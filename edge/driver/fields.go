package driver

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// all has the fields of all measurements of sensors. A driver does not know its own
// measurement, so a field has the widest range of all. The platform checks each number
// against the range of its measurement.
var all = func() catalogue.Measurement {
	byKey := map[string]catalogue.Field{}
	for _, name := range catalogue.FromSensors() {
		m, _ := catalogue.Get(name)
		for _, f := range m.Fields {
			if wider, ok := byKey[f.Key]; ok {
				f.Min, f.Max = min(f.Min, wider.Min), max(f.Max, wider.Max)
			}
			byKey[f.Key] = f
		}
	}
	delete(byKey, catalogue.Quality) // set by the platform, not by a driver
	return catalogue.Measurement{Fields: slices.Collect(maps.Values(byKey)), Parts: true}
}()

// FieldOf returns the declaration of a key: that of its longest suffix that is declared.
// A key may have the name of a part as a prefix. gpu_1_temperature_celsius is a
// temperature_celsius, socket_2_power_watts a power_watts.
func FieldOf(key string) (catalogue.Field, bool) { return all.Field(key) }

// FlagOutOfRange marks s as suspect for each value outside its declared range.
func (s *Sample) FlagOutOfRange() {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if f, ok := FieldOf(k); ok && !(s.Fields[k] >= f.Min && s.Fields[k] <= f.Max) {
			s.Flag(Suspect, "%s is %g, outside of %g to %g", k, s.Fields[k], f.Min, f.Max)
		}
	}
}

// CheckKeys returns an error for a key that the catalogue does not declare.
func (s Sample) CheckKeys() error {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if _, ok := FieldOf(k); !ok {
			return fmt.Errorf("the field %s is not declared", k)
		}
	}
	return nil
}
