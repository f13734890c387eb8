package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
)

// Each device of BenchmarkYears reports three fields every 52 s for a year.
const (
	inAYear = 600_000
	between = 365 * day / inAYear
)

// disk is a store of a benchmark, and where its data and its process are.
type disk struct {
	*store.Store
	dir string
	pid int
}

// disks opens an empty store of each kind, with a folder and, where there is one, a server
// of its own.
var disks = map[string]func(testing.TB) disk{
	"sqlite": func(t testing.TB) disk {
		dir := t.TempDir()
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "hearth.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return disk{s, dir, os.Getpid()}
	},
	"influx1": func(t testing.TB) disk {
		server, url, bucket := testserver.OwnInflux(t)
		s := openServers(t, store.Influx{URL: url, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
		return disk{s, server.Dir, server.Pid()}
	},
}

// BenchmarkYears reads a year of devices by Windows, and by RawWindows for comparison. It
// reports how many bytes each reading takes on disk, and of the process with the data the
// most memory and the CPU time: that of SQLite is the benchmark's own. HEARTH_BENCH_DEVICES
// is the number of devices: 5 have 3 million readings, 50 have 30 million.
func BenchmarkYears(b *testing.B) {
	devices, err := strconv.Atoi(os.Getenv("HEARTH_BENCH_DEVICES"))
	if err != nil {
		b.Skip("make bench runs it, with HEARTH_BENCH_DEVICES=5 and 50")
	}
	for _, name := range []string{"sqlite", "influx1"} {
		b.Run(fmt.Sprintf("%s/%ddevices", name, devices), func(b *testing.B) {
			d := disks[name](b)
			b.Run("write", func(b *testing.B) { d.once(b, func() { d.fill(b, devices) }); d.report(b, devices) })
			d.forgetPeak(b)
			b.Run("rollup", func(b *testing.B) { d.once(b, func() { d.rollUp(b) }); d.report(b, devices) })
			d.read(b, devices, "planned", d.Windows)
			d.read(b, devices, "raw", d.RawWindows)
		})
	}
}

// once runs fn in the first run of a benchmark, whose time is reported. Go repeats a
// benchmark to measure it more precisely, but this one changes the store.
func (d disk) once(b *testing.B, fn func()) {
	took, ok := times[b.Name()]
	if !ok {
		start, before := time.Now(), d.cpu(b) // clock: how long a benchmark takes
		fn()
		took = [2]float64{time.Since(start).Seconds(), d.cpu(b) - before} // clock: how long a benchmark takes
		times[b.Name()] = took
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[0], "s")
	b.ReportMetric(took[1], "cpu-s")
}

var times = map[string][2]float64{} // seconds of once, and those of CPU time, by benchmark

// yearFrom is when the readings of BenchmarkYears begin. They end at noon.
var yearFrom = noon.Add(-365 * day)

// fill writes the readings in the order of their times.
func (d disk) fill(b *testing.B, devices int) {
	rs := make([]reading.Reading, 0, 5000)
	for i := range inAYear * devices {
		n, device := i/devices, i%devices
		at := yearFrom.Add(time.Duration(n)*between + time.Duration(device)*time.Second)
		season, hours := 2*math.Pi*float64(n)/inAYear, 2*math.Pi*float64(n%1643)/1643
		noise := float64((n*7919 + device*104729) % 101)
		rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": fmt.Sprint("device-", device)}, Time: at, Fields: map[string]float64{
			"temperature_celsius": math.Round(100*(20-6*math.Cos(season)-2*math.Cos(hours))+noise/5) / 100,
			"humidity_percent":    math.Round(10*(50+10*math.Sin(season)+4*math.Sin(hours))+noise/10) / 10,
			"co2_ppm":             math.Round(700 + 250*math.Sin(hours) + noise),
		}})
		if len(rs) < cap(rs) && i < inAYear*devices-1 {
			continue
		}
		if err := d.Write(b.Context(), rs); err != nil {
			b.Fatal(err)
		}
		rs = rs[:0]
	}
}

// rollUp ticks as alert-deadlines does, until the whole year is rolled up.
func (d disk) rollUp(b *testing.B) {
	var r rollup.Roller
	for range 1000 {
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
		done, err := r.Tick(ctx, d.Store, noon)
		cancel()
		if err != nil {
			b.Fatal(err)
		}
		if done.Percent() == 100 {
			return
		}
	}
	b.Fatal("1,000 ticks did not roll the year up")
}

// report reports the bytes on disk for each reading, and the most memory so far.
func (d disk) report(b *testing.B, devices int) {
	var bytes int64
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // compaction removes files meanwhile
		}
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes)/float64(devices*inAYear), "B/reading")
	b.ReportMetric(float64(testserver.Peak(b, d.pid)), "peak-MiB")
}

// read measures queries of the whole year.
func (d disk) read(b *testing.B, devices int, how string, windows func(context.Context, store.Query) ([]store.WindowSeries, error)) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range []struct {
		name    string
		devices int // in queries of their own; 0: all in one
		step    time.Duration
	}{
		{"500windows", 1, 63_072 * time.Second},
		{"18h", 1, 18 * time.Hour},
		{"days", 1, day},
		{"90m", 1, 90 * time.Minute},
		{"1h", 1, time.Hour},
		{"tendevices500windows", 10, 63_072 * time.Second}, // or all
		{"tendevices18h", 10, 18 * time.Hour},
		{"onequery500windows", 0, 63_072 * time.Second},
		{"onequery18h", 0, 18 * time.Hour},
	} {
		b.Run(how+"/"+q.name, func(b *testing.B) {
			d.forgetPeak(b)
			before := d.cpu(b)
			for b.Loop() {
				for n := range max(1, min(q.devices, devices)) {
					query := store.Query{Name: "air", Fields: []string{"co2_ppm"}, From: yearFrom, To: noon, Step: q.step, Zone: zone}
					want := devices
					if q.devices > 0 {
						query.Tags, want = map[string]string{"device": fmt.Sprint("device-", n)}, 1
					}
					ws, err := windows(b.Context(), query)
					if errors.Is(err, context.DeadlineExceeded) {
						b.Skip(err) // a machine may be too slow for this many readings
					}
					if err != nil || len(ws) != want || len(ws[0].Windows) < 365 {
						b.Fatal(len(ws), err)
					}
				}
			}
			b.ReportMetric(1000*(d.cpu(b)-before)/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(testserver.Peak(b, d.pid)), "peak-MiB")
		})
	}
}

// cpu returns the seconds of CPU time that the process with the data has used: see utime and
// stime in proc_pid_stat(5). Unlike the time of a query, they depend little on what else runs.
func (d disk) cpu(b *testing.B) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	user, err := strconv.Atoi(f[11])
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.Atoi(f[12])
	if err != nil {
		b.Fatal(err)
	}
	return float64(user+system) / 100
}

// forgetPeak makes testserver.Peak begin anew: see clear_refs in proc(5).
func (d disk) forgetPeak(b *testing.B) {
	debug.FreeOSMemory()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", d.pid), []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}
