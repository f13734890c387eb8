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

// listing is what the catalogue says of a measurement of devices, looked up once
// a batch.
type listing struct {
	catalogue.Measurement
	err error // why no device can have it
}

// listing returns that of a measurement. Reports of the same one come in a row.
func (b *Batch) listing(name string) *listing {
	if b.last != nil && b.last.Name == name {
		return b.last
	}
	l := b.listings[name]
	if l == nil {
		m, ok := b.lookup(name)
		l = &listing{Measurement: m}
		if m.Name = name; !ok {
			l.err = fmt.Errorf("%s is not in the catalogue", name)
		} else if !slices.Contains(m.Labels, "device") {
			l.err = fmt.Errorf("%s: the catalogue allows no label %q", name, "device")
		}
		if b.listings == nil {
			b.listings = map[string]*listing{}
		}
		b.listings[name] = l
	}
	b.last = l
	return l
}

// field returns the declaration of a number, nil where an open measurement takes
// it without one.
func (l *listing) field(key string) *catalogue.Field {
	if f, ok := l.Field(key); ok {
		return &f
	}
	return nil
}

// check takes out of a report what must not be stored. fresh is how many metrics
// it would add to the register, bad the first value or text that was taken out,
// err why nothing of it can be stored. A metric is looked up in the catalogue once.
func (b *Batch) check(r *Report) (fresh int, bad, err error) {
	l := b.listing(r.Measurement)
	if l.err != nil {
		return 0, nil, l.err
	}
	if !r.Time.IsZero() {
		if err := l.CheckTime(r.Time, r.Arrived); err != nil {
			return 0, nil, err
		}
	}
	values, whole := r.Values, true
	for i := range r.Values {
		v := &r.Values[i]
		why, again := error(nil), slices.ContainsFunc(r.Values[i+1:], func(next device.Value) bool { return next.Key == v.Key })
		if math.IsNaN(v.V) || math.IsInf(v.V, 0) {
			why = fmt.Errorf("%s is %v, no number", v.Key, v.V)
		} else if m := b.Known(r.Thing, v.Key); m == nil || m.Listed != r.Measurement {
			if _, why = declared(&l.Measurement, v.Key); v.Key == catalogue.Quality {
				why = fmt.Errorf("%s is what hearth itself says of a reading", v.Key)
			}
			if m == nil {
				fresh++
			}
		}
		if bad = cmp.Or(bad, why); (why != nil || again) && whole {
			values, whole = slices.Clone(r.Values[:i]), false // they belong to the caller
		} else if why == nil && !again && !whole {
			values = append(values, *v)
		}
	}
	r.Values = values
	if why := checkTexts(&l.Measurement, r.Text); why != nil {
		bad = cmp.Or(bad, why)
		r.Text = maps.Clone(r.Text)
		maps.DeleteFunc(r.Text, func(k, _ string) bool { return !slices.Contains(l.Text, k) })
	}
	for k := range r.Text {
		fresh += b.unknown(r.Thing, k)
	}
	for _, n := range r.Notes {
		fresh += b.unknown(r.Thing, n.Key)
	}
	return fresh, bad, nil
}

// unknown returns 1 for a metric that the device has not, else 0.
func (b *Batch) unknown(t *device.Thing, key string) int {
	if b.Known(t, key) == nil {
		return 1
	}
	return 0
}
