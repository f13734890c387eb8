package sgp30

import (
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func setUp(cfg Config) (*dev, *sim.SGP30, *sim.Virtual) {
	clock, chip := sim.NewVirtual(), sim.NewSGP30(1)
	cfg.Clock = clock
	return newDev(sim.NewBus(clock).Add(addr, chip), cfg), chip, clock
}

// The datasheet's bytes: init, baseline written TVOC first, humidity
// 11.48 g/m³, the first answer 400 and 0.
func TestTheBusSeesTheDatasheetsBytes(t *testing.T) {
	w := func(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x58, W: b} }
	r := func(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x58, R: b} }
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		w(0x36, 0x82), r(0x00, 0x00, 0x81, 0x00, 0x48, 0x05, 0xBE, 0xEF, 0x92),
		w(0x20, 0x2F), r(0x00, 0x22, 0x65),
		w(0x20, 0x03),
		w(0x20, 0x1E, 0xBE, 0xEF, 0x92, 0x01, 0xF4, 0x33),
		w(0x20, 0x61, 0x0B, 0x7C, 0x1E),
		w(0x20, 0x08), r(0x01, 0x90, 0x4C, 0x00, 0x00, 0x81),
	}}
	clock := sim.NewVirtual()
	d := newDev(bus, Config{
		Samples: 1, Clock: clock,
		Load:    func(s string) (baseline, bool) { return baseline{s, 0x01F4, 0xBEEF, clock.Now()}, true },
		Climate: func() (float64, float64, bool) { return 25, 50, true },
	})
	s, err := d.Read(t.Context())
	if err != nil || s.Quality != driver.WarmingUp || s.Fields["eco2_ppm"] != 400 || s.CheckKeys() != nil {
		t.Errorf("got %+v, %v; want 400 while warming up", s, err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestHumidityWord(t *testing.T) {
	if got := humidityWord(25, 50); got != 0x0B7C {
		t.Errorf("got %04X, want 0B7C (11.48 g/m³)", got)
	}
	if got := humidityWord(20, 0); got == 0 {
		t.Error("dry air switches the compensation off")
	}
}

func TestTheChipIsMeasuredOnceASecond(t *testing.T) {
	d, chip, clock := setUp(Config{Samples: 60})
	start := clock.Now()
	for range 10 {
		s, err := d.Read(t.Context())
		if err != nil || s.Quality != driver.WarmingUp || s.Fields["eco2_ppm"] < 400 || s.Fields["eco2_ppm"] > 900 {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
	if took := clock.Now().Sub(start); chip.Missed != 0 || took < 598*time.Second || took > 602*time.Second {
		t.Errorf("600 measurements took %v, %d gaps", took, chip.Missed)
	}
}

func TestTheBaselineIsSavedAndRestored(t *testing.T) {
	var kept []baseline
	cfg := Config{
		Samples: 600,
		Save:    func(b baseline) { kept = append(kept, b) },
		Load: func(string) (baseline, bool) {
			if len(kept) == 0 {
				return baseline{}, false
			}
			return kept[len(kept)-1], true
		},
	}
	d, chip, clock := setUp(cfg)
	var s driver.Sample
	for start := clock.Now(); clock.Now().Sub(start) < 15*time.Hour; {
		var err error
		if s, err = d.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.Quality != driver.OK || len(kept) < 3 || len(kept) > 4 {
		t.Fatalf("after 15 h: %+v, %d baselines; want ok and one an hour after 12 h", s, len(kept))
	}
	again := newDev(sim.NewBus(clock).Add(addr, chip), d.cfg)
	s, err := again.Read(t.Context())
	b := kept[len(kept)-1]
	if err != nil || s.Quality != driver.OK || chip.BaselineECO2 != b.ECO2 || chip.BaselineTVOC != b.TVOC {
		t.Errorf("after a restart: %+v, %v, chip %04X %04X, kept %+v", s, err, chip.BaselineECO2, chip.BaselineTVOC, b)
	}
	clock.Wait(t.Context(), 8*24*time.Hour)
	late := newDev(sim.NewBus(clock).Add(addr, chip), d.cfg)
	if s, err := late.Read(t.Context()); err != nil || s.Quality != driver.WarmingUp {
		t.Errorf("with a baseline of eight days ago: %+v, %v; want warming_up", s, err)
	}
}

func TestTheBaselineOfAnotherSensorIsNotUsed(t *testing.T) {
	d, chip, clock := setUp(Config{Samples: 5})
	d.cfg.Load = func(string) (baseline, bool) { return baseline{"other", 1, 2, clock.Now()}, true }
	if _, err := d.Read(t.Context()); err != nil || chip.BaselineECO2 != 0 {
		t.Errorf("%v, the chip has %d", err, chip.BaselineECO2)
	}
}

func TestABusErrorCausesNoInit(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"no acknowledgement": sim.NACK, "a wrong checksum": sim.BadCRC, "all ones": sim.Noise,
	} {
		t.Run(name, func(t *testing.T) {
			d, chip, _ := setUp(Config{Samples: 30})
			if _, err := d.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			chip.SetEvery(fault, 5)
			s, err := d.Read(t.Context())
			if v := s.Fields["eco2_ppm"]; err != nil || v < 400 || v > 900 {
				t.Errorf("got %+v, %v", s, err)
			}
			if chip.Inits != 1 {
				t.Errorf("the chip was started %d times", chip.Inits)
			}
		})
	}
}

func TestAChipThatFailedForAWholeReadIsInitialisedAgain(t *testing.T) {
	d, chip, _ := setUp(Config{Samples: 30})
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	chip.Set(sim.Unplugged)
	if s, err := d.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "check wiring") {
		t.Errorf("got %+v, %v", s, err)
	}
	chip.Clear(sim.Unplugged)
	if _, err := d.Read(t.Context()); err != nil || chip.Inits != 2 {
		t.Errorf("%v, started %d times; want 2", err, chip.Inits)
	}
}

func TestSaturationIsFlagged(t *testing.T) {
	d, chip, _ := setUp(Config{Samples: 30})
	chip.Set(sim.WarmUp)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.Suspect || !strings.Contains(s.Reason, "alcohol") {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestHumidityIsSentWhenItChanges(t *testing.T) {
	d, chip, _ := setUp(Config{Samples: 2})
	rh := 50.0
	d.cfg.Climate = func() (float64, float64, bool) { return 25, rh, true }
	if _, err := d.Read(t.Context()); err != nil || chip.Humidity != 0x0B7C {
		t.Errorf("%v, the chip has %04X", err, chip.Humidity)
	}
	rh = 60
	if _, err := d.Read(t.Context()); err != nil || chip.Humidity <= 0x0B7C {
		t.Errorf("%v, the chip has %04X", err, chip.Humidity)
	}
}
