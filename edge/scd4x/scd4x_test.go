package scd4x

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func setUp(t *testing.T, cfg Config) (*dev, *sim.SCD4x, *sim.Virtual) {
	t.Helper()
	clock, chip := sim.NewVirtual(), sim.NewSCD4x(1)
	return over(t, chip, clock, cfg), chip, clock
}

func over(t *testing.T, chip *sim.SCD4x, clock *sim.Virtual, cfg Config) *dev {
	t.Helper()
	cfg.Clock = clock
	d, err := newDev(sim.NewBus(clock).Add(addr, chip), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecodesTheWorkedExample(t *testing.T) {
	s := decode([]uint16{0x01F4, 0x6667, 0x5EB9})
	if s.Fields["co2_ppm"] != 500 || math.Abs(s.Fields["temperature_celsius"]-25.003) > 0.001 ||
		math.Abs(s.Fields["humidity_percent"]-37) > 0.005 || s.Quality != driver.OK || s.CheckKeys() != nil {
		t.Errorf("got %+v; want 500 ppm, 25.003 degrees, 37.00 %%", s)
	}
}

// The bytes of the datasheet's examples: 1950 m, 98 700 Pa, 5.4 degrees, ASC on,
// and its measurement, read twice as the first is dropped.
func TestTheBusSeesTheDatasheetsBytes(t *testing.T) {
	w := func(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x62, W: b} }
	r := func(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x62, R: b} }
	ready, value := r(0x80, 0x06, 0x04), r(0x01, 0xF4, 0x33, 0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C)
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		w(0x3F, 0x86),
		w(0x36, 0x82), r(0xF8, 0x96, 0x31, 0x9F, 0x07, 0xC2, 0x3B, 0xBE, 0x89),
		w(0x24, 0x1D, 0x07, 0xE6, 0x48),
		w(0x24, 0x27, 0x07, 0x9E, 0x09),
		w(0x24, 0x16, 0x00, 0x01, 0xB0),
		w(0x21, 0xB1),
		w(0xE0, 0x00, 0x03, 0xDB, 0x42),
		w(0xE4, 0xB8), ready, w(0xEC, 0x05), value,
		w(0xE4, 0xB8), ready, w(0xEC, 0x05), value,
	}}
	d, err := newDev(bus, Config{
		TemperatureOffset: 5.4, Altitude: 1950, ASC: "on", Clock: sim.NewVirtual(),
		Pressure: func() (float64, bool) { return 987, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Read(t.Context())
	if err != nil || s.Fields["co2_ppm"] != 500 || d.serial != "f8969f073bbe" {
		t.Errorf("got %+v, %v, serial %s", s, err, d.serial)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadWaitsForEachValue(t *testing.T) {
	for name, tt := range map[string]struct {
		lowPower bool
		period   time.Duration
	}{"normal": {false, 5 * time.Second}, "low power": {true, 30 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			d, _, clock := setUp(t, Config{LowPower: tt.lowPower, TemperatureOffset: 4})
			if _, err := d.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			start := clock.Now()
			for range 3 {
				s, err := d.Read(t.Context())
				if v := s.Fields["co2_ppm"]; err != nil || s.Quality != driver.OK || v < 450 || v > 950 {
					t.Fatalf("got %+v, %v", s, err)
				}
			}
			if took := clock.Now().Sub(start); took < 3*tt.period-2*time.Second || took > 3*tt.period+2*time.Second {
				t.Errorf("three values took %v", took)
			}
		})
	}
}

func TestTheFirstValueIsDropped(t *testing.T) {
	d, _, _ := setUp(t, Config{})
	if s, err := d.Read(t.Context()); err != nil || s.Fields["co2_ppm"] > 950 {
		t.Errorf("got %+v, %v: the chip's first value is three times too high", s, err)
	}
}

func TestASensorThatStillMeasuresIsRestarted(t *testing.T) {
	d, chip, clock := setUp(t, Config{})
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := over(t, chip, clock, Config{Altitude: 300})
	if _, err := again.Read(t.Context()); err != nil || chip.Written[setAltitude] != 300 {
		t.Errorf("after a restart: %v, altitude %d", err, chip.Written[setAltitude])
	}
}

func TestPressureIsSentWhenItChanges(t *testing.T) {
	hPa := 955.2
	d, chip, _ := setUp(t, Config{Pressure: func() (float64, bool) { return hPa, true }})
	for _, tt := range []struct {
		hPa  float64
		want uint16
	}{{955.2, 955}, {956.3, 956}, {5, 956}} {
		hPa = tt.hPa
		if _, err := d.Read(t.Context()); err != nil || chip.Written[setAmbientPressure] != tt.want {
			t.Errorf("at %v hPa: %v, the chip has %d, want %d", hPa, err, chip.Written[setAmbientPressure], tt.want)
		}
	}
	delete(chip.Written, setAmbientPressure)
	if _, err := d.Read(t.Context()); err != nil || chip.Written[setAmbientPressure] != 0 {
		t.Error("an unchanged pressure was sent again")
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sim.Fault
		err   string
	}{
		{"no acknowledgement", sim.NACK, "check wiring"},
		{"wrong checksums", sim.BadCRC, "checksum"},
		{"all ones", sim.Noise, "checksum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, chip, _ := setUp(t, Config{})
			if _, err := d.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			chip.Set(tt.fault)
			for range attempts + 1 {
				if s, err := d.Read(t.Context()); err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %+v, %v; want an error that says %q", s, err, tt.err)
				}
			}
			chip.Clear(tt.fault)
			if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK {
				t.Errorf("afterwards: %+v, %v", s, err)
			}
		})
	}
}

func TestASensorThatLostPowerIsConfiguredAgain(t *testing.T) {
	d, chip, clock := setUp(t, Config{Altitude: 300})
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	chip.PowerCycle(clock.Now())
	var err error
	for range attempts + 1 { // it boots; then it is set up
		if _, err = d.Read(t.Context()); err == nil {
			break
		}
	}
	if err != nil || chip.Written[setAltitude] != 300 {
		t.Errorf("err = %v, altitude %d", err, chip.Written[setAltitude])
	}
}

func TestNoValueIsFlagged(t *testing.T) {
	d, chip, _ := setUp(t, Config{})
	chip.Set(sim.WarmUp)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.Suspect || !strings.Contains(s.Reason, "0 ppm") {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestRecalibrate(t *testing.T) {
	d, chip, clock := setUp(t, Config{})
	if _, err := d.Recalibrate(t.Context(), 425); err == nil {
		t.Error("a sensor that has not measured was recalibrated")
	}
	for start := clock.Now(); clock.Now().Sub(start) < 4*time.Minute; {
		if _, err := d.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by, err := d.Recalibrate(t.Context(), 425)
	if want := 425 - int(before.Fields["co2_ppm"]); err != nil || by < want-30 || by > want+30 {
		t.Errorf("corrected by %d, %v; want about %d", by, err, want)
	}
	if after, err := d.Read(t.Context()); err != nil || math.Abs(after.Fields["co2_ppm"]-425) > 30 {
		t.Errorf("afterwards %+v, %v; want about 425 ppm", after, err)
	}
	clock.Wait(t.Context(), 4*time.Minute)
	chip.FailRecalibration = true
	if by, err := d.Recalibrate(t.Context(), 425); err == nil || !strings.Contains(err.Error(), "failed") {
		t.Errorf("got %d, %v; want a failure", by, err)
	}
	if _, err := d.Recalibrate(t.Context(), 50); err == nil {
		t.Error("50 ppm was accepted")
	}
}

// The datasheet's example: 7FCE is a correction by -50 ppm, FFFF a failure.
func TestRecalibrateReadsTheDatasheetsAnswer(t *testing.T) {
	clock := sim.NewVirtual()
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x62, W: []byte{0x3F, 0x86}},
		{Addr: 0x62, W: []byte{0x36, 0x2F, 0x01, 0xE0, 0xB4}},
		{Addr: 0x62, R: []byte{0x7F, 0xCE, 0x7B}},
	}}
	d, err := newDev(bus, Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	d.measuring, d.since = true, clock.Now().Add(-time.Hour)
	if by, err := d.Recalibrate(t.Context(), 480); err != nil || by != -50 {
		t.Errorf("got %d, %v; want -50", by, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, cfg := range []Config{{ASC: "maybe"}, {TemperatureOffset: -1}, {Altitude: 9000}} {
		if _, err := newDev(nil, cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

func TestTheChipRefusesWhatTheDatasheetForbids(t *testing.T) {
	clock, chip := sim.NewVirtual(), sim.NewSCD4x(1)
	bus := sim.NewBus(clock).Add(addr, chip)
	tx := func(n int, w ...byte) error { return bus.Tx(addr, w, make([]byte, n)) }
	wait := func(d time.Duration) { clock.Wait(t.Context(), d) }
	if err := tx(0, 0x21, 0xB1); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a setting while measuring": tx(0, 0x24, 0x27, 0x07, 0x9E, 0x09),
		"a value before it is due":  errors.Join(tx(0, 0xEC, 0x05), bus.Tx(addr, nil, make([]byte, 9))),
		"another address":           bus.Tx(0x10, []byte{0}, nil),
	} {
		if err == nil {
			t.Errorf("%s was acknowledged", name)
		}
	}
	wait(6 * time.Second)
	if err := tx(0, 0xEC, 0x05); err != nil {
		t.Fatal(err)
	}
	wait(time.Millisecond)
	if err := tx(9); err != nil {
		t.Errorf("a value that is due: %v", err)
	}
	if err := tx(9); err == nil {
		t.Error("an empty buffer was read")
	}
}

// FuzzAnswer checks that any answer with right checksums becomes finite numbers, or is
// flagged.
func FuzzAnswer(f *testing.F) {
	f.Add(uint16(500), uint16(0x6667), uint16(0x5EB9))
	f.Add(uint16(0), uint16(0xFFFF), uint16(0))
	f.Fuzz(func(t *testing.T, co2, temperature, humidity uint16) {
		s := decode([]uint16{co2, temperature, humidity})
		if s.CheckKeys() != nil || len(s.Fields) != 3 || s.Quality == driver.OK && (s.Fields["co2_ppm"] < 400 || s.Fields["temperature_celsius"] < -45 || s.Fields["humidity_percent"] > 100) {
			t.Errorf("%d %d %d: %+v", co2, temperature, humidity, s)
		}
	})
}
