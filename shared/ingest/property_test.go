package ingest

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

var numbers = rapid.OneOf(rapid.Float64Range(-100, 2000), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -60, 85, 350, 40000, 1e30}))

func aTime(t *rapid.T, base time.Time) time.Time {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(-90, 90), func(s int) time.Time { return base.Add(time.Duration(s) * time.Second) }),
		rapid.SampledFrom([]time.Time{{}, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), base.AddDate(1, 0, 0)}),
	).Draw(t, "time")
}

// TestEachReportIsStoredUnchangedOrRejected: whatever is reported, all stored fields
// are declared and are numbers.
func TestEachReportIsStoredUnchangedOrRejected(t *testing.T) {
	h := newHarness(t)
	m, _ := catalogue.Get("air")
	base := noon
	rapid.Check(t, func(t *rapid.T) {
		base = base.Add(time.Minute)
		b, dev := h.begin()
		given := rapid.IntRange(1, 6).Draw(t, "reports")
		for i := range given {
			r := Report{Measurement: rapid.SampledFrom([]string{"air", "air", "zigbee", "weather", "nothing"}).Draw(t, "measurement"), Device: dev, Arrived: base,
				Time: aTime(t, base), Quality: rapid.SampledFrom([]quality.Quality{"", quality.OK, quality.WarmingUp, quality.Suspect, quality.ClockUnsynced}).Draw(t, "quality")}
			for range rapid.IntRange(0, 4).Draw(t, "values") {
				v := device.Value{Key: rapid.SampledFrom([]string{"co2_ppm", "temperature_celsius", "colour", "time", catalogue.Quality}).Draw(t, "key"), V: numbers.Draw(t, "number")}
				if f, ok := m.Field(v.Key); ok {
					v.Field = &f
				}
				r.Values = append(r.Values, v)
			}
			b.Add(i, r)
		}
		b.Done(nil)
		for _, r := range b.readings {
			if err := r.Check(); err != nil {
				t.Fatalf("%s: %v", r.Line(), err)
			}
			if _, err := store.Normal([]reading.Reading{r}); err != nil {
				t.Fatalf("%s: %v", r.Line(), err)
			}
			m, ok := catalogue.Get(r.Name)
			if err := errors.Join(checkLabels(&m, r.Tags), checkTexts(&m, r.Text)); err != nil || !ok {
				t.Fatalf("%s: %v", r.Line(), err)
			}
			for k := range r.Fields {
				if _, err := fieldOf(&m, k); err != nil {
					t.Fatalf("%s: %v", r.Line(), err)
				}
			}
		}
		a, err := b.Store(h.t.Context())
		if err != nil || a.Stored+a.Unchanged+len(a.Rejected) != given {
			t.Fatalf("%d given: %+v, %v", given, a, err)
		}
		for _, r := range append(a.Rejected, a.LeftOut...) {
			if r.Index < 0 || r.Index >= given || r.Reason == nil {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// TestEachReadingIsStoredUnchangedOrRefused: and a rerun stores nothing.
func TestEachReadingIsStoredUnchangedOrRefused(t *testing.T) {
	h := newHarness(t)
	base, run := noon.AddDate(-1, 0, 0), h.run()
	rapid.Check(t, func(t *rapid.T) {
		base = base.Add(time.Hour)
		var found []Checked
		kept := 0
		for range rapid.IntRange(1, 3).Draw(t, "targets") {
			var f Found
			for range rapid.IntRange(0, 5).Draw(t, "readings") {
				r := reading.Reading{Name: rapid.SampledFrom([]string{"weather", "weather", "nothing"}).Draw(t, "measurement"), Fields: map[string]float64{},
					Tags: map[string]string{rapid.SampledFrom([]string{"place", "place", "place", "stray"}).Draw(t, "label"): "home"}, Time: aTime(t, base)}
				for range rapid.IntRange(0, 3).Draw(t, "values") {
					r.Fields[rapid.SampledFrom([]string{"temperature_celsius", "humidity_percent", "colour"}).Draw(t, "key")] = numbers.Draw(t, "number")
				}
				f.Readings = append(f.Readings, r)
			}
			c, refused, err := f.Check(base)
			if err == nil && len(c.found.Readings)+len(refused) < len(f.Readings) {
				t.Fatalf("%d given, %d kept, refused: %v", len(f.Readings), len(c.found.Readings), refused)
			}
			kept += len(c.found.Readings)
			found = append(found, c)
		}
		stored, unchanged, err := SaveRun(h.t.Context(), h.st, run, found, nil, nil)
		if err != nil || stored+unchanged != kept {
			t.Fatalf("%d kept: %d stored, %d unchanged, %v", kept, stored, unchanged, err)
		}
		again, unchanged, err := SaveRun(h.t.Context(), h.st, run, found, nil, nil)
		if err != nil || again != 0 || unchanged != kept {
			t.Fatalf("again: %d stored, %d unchanged, %v", again, unchanged, err)
		}
	})
}
