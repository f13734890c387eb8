package ingest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
)

// declaration is the catalogue's entry for a measurement of devices, looked up once
// per batch.
type declaration struct {
	catalogue.Measurement
	err error // why no device can report it
}

// declaration returns the declaration of a measurement. Reports of one measurement
// mostly follow each other, so the last one is kept at hand.
func (b *Batch) declaration(name string) *declaration {
	if b.lastDeclaration != nil && b.lastDeclaration.Name == name {
		return b.lastDeclaration
	}
	d := b.declarations[name]
	if d == nil {
		m, ok := b.lookup(name)
		d = &declaration{Measurement: m}
		if m.Name = name; !ok {
			d.err = fmt.Errorf("%s is not in the catalogue", name)
		} else if !slices.Contains(m.Labels, "device") {
			d.err = fmt.Errorf("%s: the catalogue allows no label %q", name, "device")
		}
		if b.declarations == nil {
			b.declarations = map[string]*declaration{}
		}
		b.declarations[name] = d
	}
	b.lastDeclaration = d
	return d
}

// field returns the declaration of a field, nil where there is none: an open
// measurement takes fields without one.
func (d *declaration) field(key string) *catalogue.Field {
	if f, ok := d.Field(key); ok {
		return &f
	}
	return nil
}

// checkReport removes from a report what must not be stored. added is the number of
// metrics that it would add to the register, bad the reason for the first value or
// text that was removed, err the reason why nothing of it can be stored.
func (b *Batch) checkReport(r *Report) (added int, bad, err error) {
	d := b.declaration(r.Measurement)
	if d.err != nil {
		return 0, nil, d.err
	}
	if !r.Time.IsZero() {
		if err := d.CheckTime(r.Time, r.Arrived); err != nil {
			return 0, nil, err
		}
	}
	r.Values, added, bad = b.checkValues(r, d)
	if err := checkTexts(&d.Measurement, r.Text); err != nil {
		bad = cmp.Or(bad, err)
		r.Text = maps.Clone(r.Text) // the caller keeps its map
		maps.DeleteFunc(r.Text, func(k, _ string) bool { return !slices.Contains(d.Text, k) })
	}
	for k := range r.Text {
		added += b.countNew(r.Device, k)
	}
	for _, s := range r.TextStates {
		added += b.countNew(r.Device, s.Key)
	}
	return added, bad, nil
}

// checkValues returns the values of a report that may be stored: of a key that comes
// twice only the last. It copies the slice only if it removes a value.
func (b *Batch) checkValues(r *Report, d *declaration) (kept []device.Value, added int, bad error) {
	kept, copied := r.Values, false
	for i := range r.Values {
		v := &r.Values[i]
		isNew, err := b.checkValue(r, d, v)
		if isNew {
			added++
		}
		bad = cmp.Or(bad, err)
		repeated := slices.ContainsFunc(r.Values[i+1:], func(later device.Value) bool { return later.Key == v.Key })
		switch {
		case (err != nil || repeated) && !copied:
			kept, copied = slices.Clone(r.Values[:i]), true // the caller keeps its slice
		case err == nil && !repeated && copied:
			kept = append(kept, *v)
		}
	}
	return kept, added, bad
}

// checkValue returns why a value must not be stored, nil if it may. A metric whose
// last report was of the same measurement is not looked up again. isNew: it would add
// a metric to the register.
func (b *Batch) checkValue(r *Report, d *declaration, v *device.Value) (isNew bool, err error) {
	if math.IsNaN(v.V) || math.IsInf(v.V, 0) {
		return false, fmt.Errorf("%s is %v, not a number", v.Key, v.V)
	}
	m := b.Known(r.Device, v.Key)
	if m != nil && m.Measurement == r.Measurement {
		return false, nil
	}
	if v.Key == catalogue.Quality {
		return m == nil, fmt.Errorf("%s is reserved for the quality that hearth determines", v.Key)
	}
	_, err = fieldOf(&d.Measurement, v.Key)
	return m == nil, err
}

// countNew returns 1 if the device has no such metric yet, else 0.
func (b *Batch) countNew(d *device.Device, key string) int {
	if b.Known(d, key) == nil {
		return 1
	}
	return 0
}
