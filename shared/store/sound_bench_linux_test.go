package store_test

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// BenchmarkSoundYears reads a year of a device by SoundWindows: without suspect values, with three
// of them on every other day and on each day, and with one of 40 at all times.
func BenchmarkSoundYears(b *testing.B) {
	if os.Getenv("HEARTH_BENCH_DEVICES") != "5" {
		b.Skip("make bench runs it, with HEARTH_BENCH_DEVICES=5")
	}
	for _, name := range []string{"sqlite", "influx1"} {
		for doubts, suspect := range map[string]func(n int) bool{
			"none":     func(n int) bool { return false },
			"180days":  func(n int) bool { return n/1643%2 == 0 && n%1643 < 90 && n%30 == 0 },
			"365days":  func(n int) bool { return n%1643 < 90 && n%30 == 0 },
			"allhours": func(n int) bool { return n%40 == 0 },
		} {
			b.Run(name+"/"+doubts, func(b *testing.B) {
				d := disks[name](b)
				d.fillDoubted(b, suspect)
				d.rollUp(b)
				for _, step := range []time.Duration{day, 18 * time.Hour, 63_072 * time.Second} {
					b.Run(step.String(), func(b *testing.B) { d.sound(b, step) })
				}
			})
		}
	}
}

// sound measures a query of the whole year.
func (d disk) sound(b *testing.B, step time.Duration) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	d.forgetPeak(b)
	q := store.Query{Name: "air", Tags: map[string]string{"device": "a"}, Fields: []string{"co2_ppm"}, From: yearFrom, To: noon, Step: step, Zone: zone}
	for b.Loop() {
		ws, err := d.SoundWindows(b.Context(), q)
		if err != nil || len(ws) != 1 || len(ws[0].Windows) < 365 {
			b.Fatal(len(ws), err)
		}
	}
}

// fillDoubted writes the year of a device; suspect says which of its readings are.
func (d disk) fillDoubted(b *testing.B, suspect func(n int) bool) {
	rs := make([]reading.Reading, 0, 5000)
	for n := range inAYear {
		r := reading.Reading{Name: "air", Tags: map[string]string{"device": "a"}, Time: yearFrom.Add(time.Duration(n) * between), Fields: map[string]float64{
			"temperature_celsius": math.Round(20 + float64(n%7)), "humidity_percent": 50, "co2_ppm": 700 + float64(n%250)}}
		if suspect(n) {
			r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "co2_ppm"}
		}
		if rs = append(rs, r); len(rs) < cap(rs) && n < inAYear-1 {
			continue
		}
		if err := d.Write(b.Context(), rs); err != nil {
			b.Fatal(fmt.Errorf("reading %d: %w", n, err))
		}
		rs = rs[:0]
	}
}
