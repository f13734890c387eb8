package dht22

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func setUp() (*dev, *sim.DHT22, *sim.Virtual) {
	clock := sim.NewVirtual()
	sensor := sim.NewDHT22(1, clock)
	return newDev(Config{Name: "dht11", FS: sensor, Clock: clock}), sensor, clock
}

// tree writes a /sys as in the kernel, where devices are links.
func tree(t *testing.T, temp, hum string) string {
	t.Helper()
	root := t.TempDir()
	real := filepath.Join(root, "sys/devices/platform/dht11@4/iio:device3")
	links := filepath.Join(root, "sys/bus/iio/devices")
	for _, dir := range []string{real, links} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"name": "dht11@4\n", "in_temp_input": temp, "in_humidityrelative_input": hum} {
		if err := os.WriteFile(filepath.Join(real, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../../devices/platform/dht11@4/iio:device3", filepath.Join(links, "iio:device3")); err != nil {
		t.Fatal(err)
	}
	return root
}

// The frames 02 92 01 0D A2 and 02 92 80 65 79, as the kernel decodes them.
func TestReadTheFilesOfTheWorkedExamples(t *testing.T) {
	for _, tt := range []struct {
		temp, hum         string
		celsius, humidity float64
		quality           driver.Quality
	}{
		{"26900\n", "65800\n", 26.9, 65.8, driver.OK},
		{"-10100\n", "65800\n", -10.1, 65.8, driver.OK},
		{"20000\n", "100000\n", 20, 100, driver.Suspect},
		{"150000\n", "50000\n", 150, 50, driver.Suspect},
	} {
		s, err := newDev(Config{Name: "dht11@4", Root: tree(t, tt.temp, tt.hum), Clock: sim.NewVirtual()}).Read(t.Context())
		if err != nil || s.Fields["temperature_celsius"] != tt.celsius || s.Fields["humidity_percent"] != tt.humidity ||
			s.Quality != tt.quality || s.CheckKeys() != nil {
			t.Errorf("%q, %q: %+v, %v", tt.temp, tt.hum, s, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"no such device":  {Config{Name: "dht11@17", Root: tree(t, "1", "2")}, "dtoverlay"},
		"no iio at all":   {Config{Root: t.TempDir()}, "dtoverlay"},
		"not a number":    {Config{Root: tree(t, "warm", "2")}, "is not a number"},
		"an empty answer": {Config{Root: tree(t, "", "2")}, "is not a number"},
	} {
		tt.cfg.Clock = sim.NewVirtual()
		if s, err := newDev(tt.cfg).Read(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v; want %q", name, s, err, tt.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sim.Fault
		every int
		err   string
	}{
		{"healthy", 0, 1, ""},
		{"every second read times out", sim.NACK, 2, ""},
		{"every third read has a wrong checksum", sim.BadCRC, 3, ""},
		{"every fifth read is an outlier", sim.WarmUp, 5, ""},
		{"every read times out", sim.NACK, 1, "cut the sensor's power"},
		{"every read has a wrong checksum", sim.BadCRC, 1, "wrong checksum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, sensor, clock := setUp()
			if _, err := d.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			sensor.SetEvery(tt.fault, tt.every)
			for range 20 {
				clock.Wait(t.Context(), 30*time.Second)
				s, err := d.Read(t.Context())
				if tt.err != "" {
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Fatalf("got %+v, %v; want an error that says %q", s, err, tt.err)
					}
					continue
				}
				if err != nil || math.Abs(s.Fields["temperature_celsius"]-21) > 3 || s.Quality != driver.OK {
					t.Fatalf("got %+v, %v", s, err)
				}
			}
		})
	}
}

func TestAConfirmedOutlierIsAccepted(t *testing.T) {
	d, sensor, clock := setUp()
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Wait(t.Context(), time.Minute)
	sensor.Set(sim.WarmUp) // from now on 2 degrees and 5 %
	if s, err := d.Read(t.Context()); err != nil || s.Fields["temperature_celsius"] != 2 {
		t.Errorf("got %+v, %v; want 2 degrees", s, err)
	}
}

func TestADeviceMayDisappear(t *testing.T) {
	d, sensor, _ := setUp()
	sensor.Remove("sys/bus/iio/devices/iio:device1")
	if s, err := d.Read(t.Context()); err == nil {
		t.Errorf("got %+v from a device that does not exist", s)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("26900\n")
	f.Add("-10100")
	f.Add("1e9")
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := parse(text); err == nil && math.IsNaN(v) {
			t.Errorf("%q gave NaN", text)
		}
	})
}
