package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

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

func BenchmarkWrite1000(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "hearth.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		if err := s.Write(b.Context(), thousand(at)); err != nil {
			b.Fatal(err)
		}
		at = at.Add(time.Minute)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
}
