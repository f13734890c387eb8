package ingest

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
)

// BenchmarkAdd adds one report of four values to a batch.
func BenchmarkAdd(b *testing.B) {
	h := newHarness(b)
	batch, dev := h.begin()
	m, _ := catalogue.Get("air")
	values := make([]device.Value, 4)
	for i, k := range []string{"temperature_celsius", "humidity_percent", "co2_ppm", "pressure_hpa"} {
		f, _ := m.Field(k)
		values[i] = device.Value{Key: k, V: []float64{20, 50, 600, 1000}[i], Field: &f}
	}
	t := noon
	b.ReportAllocs()
	for b.Loop() {
		t = t.Add(time.Second)
		batch.Add(0, Report{Measurement: "air", Device: dev, Values: values, Time: t, Arrived: t})
		batch.readings = batch.readings[:0]
	}
	batch.Done(nil)
}
