package soil

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func setUp(t *testing.T, cfg Config) (*dev, *sim.ADS1115) {
	t.Helper()
	clock, chip := sim.NewVirtual(), sim.NewADS1115(1)
	cfg.Clock = clock
	d, err := newDev(sim.NewBus(clock).Add(0x48, chip), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d, chip
}

// The configuration words of the datasheet for each input; 16000 steps of
// 125 µV are 2 V.
func TestTheBusSeesTheDatasheetsBytes(t *testing.T) {
	for channel, high := range []byte{0xC3, 0xD3, 0xE3, 0xF3} {
		op := func(w, r []byte) i2ctest.IO { return i2ctest.IO{Addr: 0x49, W: w, R: r} }
		bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
			op([]byte{1, high, 0x83}, nil),
			op([]byte{1}, []byte{high &^ 0x80, 0x83}),
			op([]byte{1}, []byte{high, 0x83}),
			op([]byte{0}, []byte{0x3E, 0x80}),
		}}
		d, err := newDev(bus, Config{Address: 0x49, Channel: channel, Dry: 2.7, Wet: 1.3, Samples: 1, Clock: sim.NewVirtual()})
		if err != nil {
			t.Fatal(err)
		}
		s, err := d.Read(t.Context())
		if err != nil || s.Fields["voltage_volts"] != 2 || s.Fields["moisture_percent"] != 50 || s.Quality != driver.OK || s.CheckKeys() != nil {
			t.Errorf("A%d: %+v, %v; want 2 V, 50 %%", channel, s, err)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("A%d: %v", channel, err)
		}
	}
}

func TestQuality(t *testing.T) {
	for _, tt := range []struct {
		name     string
		volts    []float64
		moisture float64
		quality  driver.Quality
		reason   string
	}{
		{"dry", []float64{2.7, 2.7, 2.7}, 0, driver.OK, ""},
		{"in water", []float64{1.3, 1.3, 1.3}, 100, driver.OK, ""},
		{"a little drier than at the calibration", []float64{2.8, 2.8, 2.8}, 0, driver.OK, ""},
		{"one outlier", []float64{2, 2, 3.3}, 50, driver.Suspect, "varies"},
		{"unplugged, floating", []float64{0.55, 0.56, 0.55}, 100, driver.Suspect, "unplugged"},
		{"full scale", []float64{4.095, 4.095, 4.095}, 0, driver.Suspect, "end of its range"},
		{"negative", []float64{-0.1, -0.1, -0.1}, 100, driver.Suspect, "ground"},
	} {
		d := &dev{cfg: Config{Dry: 2.7, Wet: 1.3}}
		s := d.toSample(tt.volts)
		if math.Abs(s.Fields["moisture_percent"]-tt.moisture) > 0.1 || s.Quality != tt.quality || !strings.Contains(s.Reason, tt.reason) {
			t.Errorf("%s: %+v; want %v, %s, %q", tt.name, s, tt.moisture, tt.quality, tt.reason)
		}
	}
}

func TestWithoutCalibrationOnlyTheVoltage(t *testing.T) {
	d, _ := setUp(t, Config{Samples: 9})
	s, err := d.Read(t.Context())
	if _, ok := s.Fields["moisture_percent"]; err != nil || ok || math.Abs(s.Fields["voltage_volts"]-2.3) > 0.2 {
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
		{"healthy", 0, "", driver.OK},
		{"slow", sim.Slow, "", driver.OK},
		{"no chip at the address", sim.NACK, "check wiring", ""},
		{"a bus stuck at ones", sim.Noise, "another chip answers", ""},
		{"unplugged probe", sim.WarmUp, "", driver.Suspect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, chip := setUp(t, Config{Dry: 2.7, Wet: 1.3, Samples: 9})
			chip.Set(tt.fault)
			s, err := d.Read(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %+v, %v; want an error that says %q", s, err, tt.err)
				}
				return
			}
			if err != nil || s.Quality != tt.quality {
				t.Errorf("got %+v, %v; want %s", s, err, tt.quality)
			}
		})
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, cfg := range []Config{{Channel: 4}, {Dry: 1.3, Wet: 2.7}, {Dry: 2.7}} {
		if _, err := newDev(nil, cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// Four sensors on one converter, read at the same moment, as an agent does.
func TestFourProbesShareAConverter(t *testing.T) {
	clock, chip := sim.NewFast(1), sim.NewADS1115(1)
	bus := sim.NewBus(clock).Add(0x48, chip)
	errs := make(chan error)
	for channel := range 4 {
		d, err := newDev(bus, Config{Channel: channel, Samples: 3, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			s, err := d.Read(t.Context())
			if want := 2.3 - 0.2*float64(channel); err == nil && math.Abs(s.Fields["voltage_volts"]-want) > 0.17 {
				err = fmt.Errorf("A%d: %v, want about %v V", channel, s.Fields, want)
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
