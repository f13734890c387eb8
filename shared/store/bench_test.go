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

// BenchmarkAYear reads a year of one device that reports every 53 seconds.
func BenchmarkAYear(b *testing.B) {
	const year = 365 * 24 * time.Hour
	for _, backend := range backends[:2] {
		b.Run(backend.name, func(b *testing.B) {
			s := backend.open(b)
			rs := make([]reading.Reading, 0, 5000)
			for i := range 600_000 {
				v := float64(i%1000) / 10
				rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": "a"}, Time: noon.Add(time.Duration(i) * year / 600_000),
					Fields: map[string]float64{"temperature_celsius": 15 + v/7, "humidity_percent": 40 + v/3, "co2_ppm": float64(400 + i%900)}})
				if len(rs) == cap(rs) {
					if err := s.Write(b.Context(), rs); err != nil {
						b.Fatal(err)
					}
					rs = rs[:0]
				}
			}
			q := store.Query{Name: "air", Fields: []string{"co2_ppm"}, From: noon, To: noon.Add(year)}
			for name, call := range map[string]func() (int, error){
				"500windows": func() (int, error) {
					q.Step = year / 500 / time.Second * time.Second
					ws, err := s.Windows(b.Context(), q)
					return len(ws), err
				},
				"days": func() (int, error) {
					q.Step = 24 * time.Hour
					ws, err := s.Windows(b.Context(), q)
					return len(ws), err
				},
				"latest": func() (int, error) { rs, err := s.Latest(b.Context(), "air", noon); return len(rs), err },
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if n, err := call(); err != nil || n != 1 {
							b.Fatal(n, err)
						}
					}
				})
			}
		})
	}
}
