package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// thousand returns the readings of 20 devices in 50 seconds.
func thousand(at time.Time) []reading.Reading {
	rs := make([]reading.Reading, 1000)
	for i := range rs {
		rs[i] = reading.Reading{
			Name:   "air",
			Tags:   map[string]string{"device": fmt.Sprint("device-", i%20)},
			Fields: map[string]float64{"pm2_5_ugm3": float64(i) / 7, "pm10_ugm3": float64(i) / 3},
			Time:   at.Add(time.Duration(i/20) * time.Second),
		}
	}
	return rs
}

// benchmark repeats call with readings that are a step later each time. With a step of
// 0 the readings are equal, and call must store nothing.
func benchmark(b *testing.B, step time.Duration, call func(*store.Store, []reading.Reading) (stored int, err error)) {
	for _, backend := range backends[:2] {
		b.Run(backend.name, func(b *testing.B) {
			s := backend.open(b)
			at := noon
			if _, err := call(s, thousand(at)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				at = at.Add(step)
				if stored, err := call(s, thousand(at)); err != nil || step == 0 && stored != 0 {
					b.Fatal(stored, err)
				}
			}
			b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

func BenchmarkWrite1000(b *testing.B) {
	benchmark(b, time.Minute, func(s *store.Store, rs []reading.Reading) (int, error) { return len(rs), s.Write(b.Context(), rs) })
}

func mergeAll(b *testing.B) func(*store.Store, []reading.Reading) (int, error) {
	return func(s *store.Store, rs []reading.Reading) (int, error) {
		stored, _, err := merge(b.Context(), s, rs)
		return stored, err
	}
}

func BenchmarkMerge1000New(b *testing.B)   { benchmark(b, time.Minute, mergeAll(b)) }
func BenchmarkMerge1000Again(b *testing.B) { benchmark(b, 0, mergeAll(b)) }
