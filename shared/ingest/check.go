package ingest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// undeclaredError is returned for a name that the catalogue does not have: the code
// that made the reading and the catalogue disagree.
type undeclaredError struct{ text string }

func (e *undeclaredError) Error() string { return e.text }

func undeclared(format string, args ...any) error {
	return &undeclaredError{fmt.Sprintf(format, args...)}
}

// checkReading returns a reading without the numbers that are outside of their range,
// and an error for each of those in dropped. The reading may be left without a value.
// err: nothing of it may be stored.
func checkReading(r reading.Reading, lookup Lookup, now time.Time) (_ reading.Reading, dropped []error, err error) {
	if err := r.Check(); err != nil {
		return r, nil, err
	}
	m, ok := lookup(r.Name)
	if !ok {
		return r, nil, undeclared("%s is not in the catalogue", r.Name)
	}
	if err := cmp.Or(checkLabels(&m, r.Tags), checkTexts(&m, r.Text), m.CheckTime(r.Time, now)); err != nil {
		return r, nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(r.Fields)) {
		f, err := fieldOf(&m, k)
		if err != nil {
			return r, nil, err
		}
		if v := r.Fields[k]; v < f.Min || v > f.Max {
			dropped = append(dropped, fmt.Errorf("%s: %s is %v, outside of %v to %v", r.Name, k, v, f.Min, f.Max))
			if len(dropped) == 1 {
				r.Fields = maps.Clone(r.Fields) // the caller keeps its map
			}
			delete(r.Fields, k)
		}
	}
	if len(dropped) > 0 && onlyLabels(&m, r.Fields) {
		clear(r.Fields)
	}
	if isEmpty(r) {
		return r, dropped, nil
	}
	_, err = store.Normal([]reading.Reading{r})
	return r, dropped, err
}

// onlyLabels reports whether all fields are labels as numbers, which say nothing alone.
func onlyLabels(m *catalogue.Measurement, fields map[string]float64) bool {
	for k := range fields {
		if f, ok := m.Field(k); !ok || f.Of == "" {
			return false
		}
	}
	return true
}

func isEmpty(r reading.Reading) bool { return len(r.Fields)+len(r.Text) == 0 }

func checkLabels(m *catalogue.Measurement, tags map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if k != catalogue.SampleLabel && !slices.Contains(m.Labels, k) {
			return undeclared("%s: the catalogue allows no label %q", m.Name, k)
		}
	}
	return nil
}

func checkTexts(m *catalogue.Measurement, texts map[string]string) error {
	if len(texts) == 0 {
		return nil // most readings of devices have no text
	}
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		if !slices.Contains(m.Text, k) {
			return undeclared("%s: the catalogue has no text %q", m.Name, k)
		}
	}
	return nil
}

// fieldOf returns the declaration of a field. An open measurement takes any key but
// those that a store or the measurement itself uses for something else.
func fieldOf(m *catalogue.Measurement, key string) (catalogue.Field, error) {
	f, ok := m.Field(key)
	switch {
	case ok:
		return f, nil
	case m.Open && key != "" && key[0] != '_' && key != "time" && !slices.Contains(m.Labels, key) && !slices.Contains(m.Text, key):
		return catalogue.Field{Key: key, Min: -catalogue.Limits, Max: catalogue.Limits}, nil
	}
	return f, undeclared("%s: the catalogue has no field %q", m.Name, key)
}
