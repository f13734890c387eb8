package kinds

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
)

// limits has a value of each kind that nobody wants, and on which side of it the value is
// over the limit.
var limits = map[string]struct {
	key   string
	limit float64
	below bool
}{
	"bme280": {"temperature_celsius", 35, false}, "dht22": {"temperature_celsius", 35, false}, "host": {"cpu_temperature_celsius", 85, false},
	"kasa": {"power_watts", 2800, false}, "mhz19b": {"co2_ppm", 1700, false}, "nut": {"load_percent", 60, false}, "pms5003": {"pm2_5_ugm3", 60, false},
	"scd4x": {"co2_ppm", 1700, false}, "sds011": {"pm2_5_ugm3", 60, false}, "sgp30": {"tvoc_ppb", 2000, false}, "soil": {"moisture_percent", 5, true},
}

func TestEverySimulatedKindCanBeMadeToFail(t *testing.T) {
	sensors, err := Parse(sim.OneOfEach(), secret.NewFolder(t.TempDir()), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sensors {
		t.Run(s.Kind.Name, func(t *testing.T) {
			t.Parallel()
			clock, fail := sim.NewVirtual(), sim.NewSwitch()
			m := sim.NewFailing(t.Context(), clock, fail)
			read := func(way string) (driver.Sample, error) {
				t.Helper()
				if !fail.Set(s.Device, way) {
					t.Fatalf("there is no way %q", way)
				}
				clock.Wait(t.Context(), 10*time.Minute)
				o, err := s.Open(m)
				if err != nil {
					return driver.Sample{}, err
				}
				defer o.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				o.Read(ctx) // the first after a fault is one of the driver's start
				return o.Read(ctx)
			}
			want := limits[s.Kind.Name]
			over := func(v driver.Sample) bool { return (v.Fields[want.key] > want.limit) != want.below }
			well := func(after string) {
				t.Helper()
				if v, err := read(""); err != nil || len(v.Fields) == 0 || over(v) {
					t.Errorf("after %s: %v, %v", after, v.Fields, err)
				}
			}
			well("the start")
			if v, err := read("over"); err != nil || !over(v) {
				t.Errorf("over the limit: %v, %v", v.Fields, err)
			}
			well("over")
			for _, way := range []string{"silent", "broken"} {
				if v, err := read(way); err == nil {
					t.Errorf("%s: %v", way, v.Fields)
				}
				well(way)
			}
			if a, err := read("frozen"); err != nil || !maps.Equal(a.Fields, must(read("frozen")).Fields) {
				t.Errorf("frozen: %v, %v", a.Fields, err)
			}
			if on := fail.On(); len(on) != 1 || on[s.Device] != "frozen" {
				t.Errorf("on: %v", on)
			}
		})
	}
	if len(limits) != len(sensors) || fail("no such way") || slices.ContainsFunc(sim.Ways, func(w sim.Way) bool { return !fail(w.Name) }) {
		t.Error("the kinds or ways are not complete")
	}
}

func fail(way string) bool { return sim.NewSwitch().Set("x", way) }

func must(v driver.Sample, _ error) driver.Sample { return v }
