package bme280

import (
	"math"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

// A dump of a real chip: 24.437 °C, 54.17 %, 996.21 hPa.
var (
	dumpTP = []byte{
		0x6C, 0x6E, 0x77, 0x66, 0x32, 0x00, 0xA8, 0x92, 0x27, 0xD5, 0xD0, 0x0B,
		0x6F, 0x18, 0xCA, 0xFF, 0xF9, 0xFF, 0xAC, 0x26, 0x0A, 0xD8, 0xBD, 0x10,
	}
	dumpH    = []byte{0x65, 0x01, 0x00, 0x14, 0x0B, 0x00, 0x1E}
	dumpData = []byte{0x55, 0x33, 0x80, 0x81, 0x7F, 0xB0, 0x79, 0x13}
)

func near(got, want, by float64) bool { return math.Abs(got-want) <= by }

func TestTheBusSeesARecordedMeasurement(t *testing.T) {
	op := func(w, r []byte) i2ctest.IO { return i2ctest.IO{Addr: 0x76, W: w, R: r} }
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		op([]byte{0xD0}, []byte{0x60}),
		op([]byte{0x88}, dumpTP),
		op([]byte{0xA1}, []byte{0x4B}),
		op([]byte{0xE1}, dumpH),
		op([]byte{0xF2, 0x01}, nil),
		op([]byte{0xF4, 0x25}, nil),
		op([]byte{0xF3}, []byte{0x08}),
		op([]byte{0xF3}, []byte{0x00}),
		op([]byte{0xF7}, dumpData),
	}}
	s, err := newDev(bus, Config{Clock: sim.NewVirtual()}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := s.Fields
	if !near(f["temperature_celsius"], 24.437, 0.001) || !near(f["humidity_percent"], 54.17, 0.01) ||
		!near(f["pressure_hpa"], 996.21, 0.01) || s.Quality != driver.OK || s.CheckKeys() != nil {
		t.Errorf("got %+v; want 24.437, 54.17, 996.21", s)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadOverTheSimulatedBus(t *testing.T) {
	clock, chip := sim.NewVirtual(), sim.NewBME280(1)
	d := newDev(sim.NewBus(clock).Add(0x77, chip), Config{Address: 0x77, Clock: clock, TemperatureOffset: 1.5, Altitude: 430})
	for range 50 {
		s, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := s.Fields
		if s.Quality != driver.OK || !near(f["temperature_celsius"], 21, 2) || !near(f["pressure_hpa"], 1009, 15) ||
			!near(f["humidity_percent"], 50, 15) || !near(f["sea_level_pressure_hpa"]-f["pressure_hpa"], 51, 3) {
			t.Fatalf("got %+v", s)
		}
		clock.Wait(t.Context(), 60e9)
	}
	chip.PowerCycle()
	if s, err := d.Read(t.Context()); err != nil || s.Fields["humidity_percent"] == 0 {
		t.Errorf("after a loss of power: %+v, %v", s, err)
	}
}

func TestABMP280HasNoHumidity(t *testing.T) {
	clock := sim.NewVirtual()
	s, err := newDev(sim.NewBus(clock).Add(0x76, sim.NewBMP280(1)), Config{Clock: clock}).Read(t.Context())
	if _, ok := s.Fields["humidity_percent"]; err != nil || ok || s.Fields["pressure_hpa"] < 900 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   sim.Fault
		err     string
		quality driver.Quality
	}{
		{"no chip at the address", sim.NACK, "check wiring", ""},
		{"a bus stuck at ones", sim.Noise, "does not finish", ""},
		{"slow", sim.Slow, "", driver.OK},
		{"nothing measured", sim.WarmUp, "did not measure", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock, chip := sim.NewVirtual(), sim.NewBME280(2)
			d := newDev(sim.NewBus(clock).Add(0x76, chip), Config{Clock: clock})
			if _, err := d.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			chip.Set(tt.fault)
			s, err := d.Read(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %+v, %v; want an error that says %q", s, err, tt.err)
				}
			} else if err != nil || s.Quality != tt.quality {
				t.Errorf("got %+v, %v; want %s", s, err, tt.quality)
			}
			chip.Clear(tt.fault)
			if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK {
				t.Errorf("afterwards: %+v, %v", s, err)
			}
		})
	}
}

// once is a chip that returns "not measured" at the first read of its values.
type once struct {
	sim.Chip
	asked bool
}

func (c *once) Tx(now time.Time, w, r []byte) error {
	err := c.Chip.Tx(now, w, r)
	if len(r) == 8 && !c.asked {
		c.asked = true
		copy(r[3:], []byte{0x80, 0, 0})
	}
	return err
}

func TestAValueNotMeasuredIsMeasuredAgain(t *testing.T) {
	clock, chip := sim.NewVirtual(), &once{Chip: sim.NewBME280(2)}
	s, err := newDev(sim.NewBus(clock).Add(0x76, chip), Config{Clock: clock}).Read(t.Context())
	if _, ok := s.Fields["temperature_celsius"]; err != nil || !ok || !chip.asked {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAnotherChipIsNamed(t *testing.T) {
	clock := sim.NewVirtual()
	chip := sim.NewBME280(2)
	chip.Set(sim.Noise)
	_, err := newDev(sim.NewBus(clock).Add(0x76, chip), Config{Clock: clock}).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "0xff") {
		t.Errorf("err = %v", err)
	}
}

func TestImpossibleValuesAreFlaggedAndKept(t *testing.T) {
	c, err := parseCalibration(dumpTP, []byte{0x4B}, dumpH)
	if err != nil {
		t.Fatal(err)
	}
	d := &dev{calib: &c, humid: true}
	s := d.sample(c.compensate([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}))
	if s.Quality != driver.Suspect || s.Fields["temperature_celsius"] < 85 {
		t.Errorf("got %+v", s)
	}
}

func TestH4AndH5AreSigned(t *testing.T) {
	c, err := parseCalibration(dumpTP, []byte{0x4B}, []byte{0, 0, 0, 0xFF, 0xA5, 0x80, 0})
	if err != nil || c.h4 != -11 || c.h5 != -2038 {
		t.Errorf("H4 %d, H5 %d, %v; want -11, -2038", c.h4, c.h5, err)
	}
}

// FuzzCompensate checks that no registers crash the formulas, and that the humidity is in
// range.
func FuzzCompensate(f *testing.F) {
	f.Add(dumpTP, dumpH, dumpData)
	f.Add(make([]byte, 24), make([]byte, 7), make([]byte, 8))
	f.Fuzz(func(t *testing.T, tp, h, data []byte) {
		c, err := parseCalibration(tp, []byte{0x4B}, h)
		if err != nil || len(data) < 8 {
			return
		}
		if v := c.compensate(data); v.hasHumidity && !(v.humidity >= 0 && v.humidity <= 100) {
			t.Errorf("humidity %v", v.humidity)
		}
	})
}
