package pms5003

import (
	"bytes"
	"encoding/binary"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

// example is the manual's frame: PM1 5, PM2.5 8, PM10 9.
var example = []byte{
	0x42, 0x4D, 0x00, 0x1C, 0x00, 0x05, 0x00, 0x08, 0x00, 0x09, 0x00, 0x05, 0x00, 0x08, 0x00, 0x09,
	0x04, 0x92, 0x01, 0x4A, 0x00, 0x3E, 0x00, 0x08, 0x00, 0x02, 0x00, 0x00, 0x97, 0x00, 0x02, 0x97,
}

func config(clock driver.Clock) Config {
	return Config{DutyCycle: true, WarmUp: 30 * time.Second, Samples: 5, Clock: clock}
}

func TestCommandsAreThoseOfTheManual(t *testing.T) {
	for _, tt := range []struct {
		name       string
		cmd, value byte
		want       []byte
	}{
		{"passive", cmdMode, 0, []byte{0x42, 0x4D, 0xE1, 0, 0, 0x01, 0x70}},
		{"active", cmdMode, 1, []byte{0x42, 0x4D, 0xE1, 0, 1, 0x01, 0x71}},
		{"sleep", cmdSleep, 0, []byte{0x42, 0x4D, 0xE4, 0, 0, 0x01, 0x73}},
		{"wake", cmdWake, 1, []byte{0x42, 0x4D, 0xE4, 0, 1, 0x01, 0x74}},
	} {
		if got := command(tt.cmd, tt.value); !bytes.Equal(got, tt.want) {
			t.Errorf("%s: got % X, want % X", tt.name, got, tt.want)
		}
	}
}

func TestDecodesTheWorkedExample(t *testing.T) {
	if n, err := match(example); n != 32 || err != nil {
		t.Fatalf("match = %d, %v", n, err)
	}
	want := map[string]float64{
		"pm1_ugm3": 5, "pm2_5_ugm3": 8, "pm10_ugm3": 9,
		"particles_0_3um_per_dl": 1170, "particles_0_5um_per_dl": 330, "particles_1um_per_dl": 62,
		"particles_2_5um_per_dl": 8, "particles_5um_per_dl": 2, "particles_10um_per_dl": 0,
	}
	if got := decode(example); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReadPlaysTheRecordedDutyCycle(t *testing.T) {
	tape, err := sim.LoadTape("testdata/duty-cycle.tape")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(sim.NewVirtual())
	cfg.Samples = 2
	d := newDev(tape, cfg)
	s, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Fields["pm2_5_ugm3"] != 8 || s.Quality != driver.OK || tape.Left() != 0 || d.Counts().BadFrames == 0 {
		t.Errorf("got %+v, %d entries left, counts %+v", s, tape.Left(), d.Counts())
	}
}

func TestDutyCycle(t *testing.T) {
	clock, dev := sim.NewVirtual(), sim.NewPMS5003(1)
	dev.SetPassive(true)
	d := newDev(sim.NewSerial(dev, clock), config(clock))
	for range 3 {
		start := clock.Now()
		s, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := clock.Now().Sub(start); took < 30*time.Second || took > 45*time.Second {
			t.Errorf("the fan ran for %v", took)
		}
		if v := s.Fields["pm2_5_ugm3"]; s.Quality != driver.OK || v < 2 || v > 14 || s.CheckKeys() != nil {
			t.Errorf("got %+v", s)
		}
		if !dev.Asleep() {
			t.Fatal("the fan is still on")
		}
		clock.Wait(t.Context(), 5*time.Minute)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   sim.Fault
		every   int
		err     string
		quality driver.Quality
	}{
		{"noise between frames", sim.Noise, 1, "", driver.OK},
		{"every third frame torn", sim.Torn, 3, "", driver.OK},
		{"every third frame with a wrong bit", sim.BadCRC, 3, "", driver.OK},
		{"slow replies", sim.Slow, 1, "", driver.OK},
		{"only the TX pin is wired", sim.IgnoreCommands, 1, "", driver.OK},
		{"every frame with a wrong bit", sim.BadCRC, 1, "check power", ""},
		{"unplugged", sim.Unplugged, 1, "Port has been closed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock, dev := sim.NewVirtual(), sim.NewPMS5003(2)
			dev.SetEvery(tt.fault, tt.every)
			s, err := newDev(sim.NewSerial(dev, clock), config(clock)).Read(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("err = %v, want one that says %q", err, tt.err)
				}
				return
			}
			if v := s.Fields["pm2_5_ugm3"]; err != nil || s.Quality != tt.quality || v < 2 || v > 14 {
				t.Errorf("got %+v, %v; want %s", s, err, tt.quality)
			}
		})
	}
}

func TestWithoutDutyCycleTheFirstHalfMinuteIsFlagged(t *testing.T) {
	clock := sim.NewVirtual()
	cfg := config(clock)
	cfg.DutyCycle = false
	d := newDev(sim.NewSerial(sim.NewPMS5003(3), clock), cfg)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.WarmingUp {
		t.Errorf("got %+v, %v; want warming_up", s, err)
	}
	clock.Wait(t.Context(), 30*time.Second)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK {
		t.Errorf("got %+v, %v; want ok", s, err)
	}
}

func TestAnErrorCodeAndAStoppedFanAreFlagged(t *testing.T) {
	for name, tt := range map[string]struct {
		at   map[int]byte
		want string
	}{
		"error code":    {map[int]byte{29: 4}, "error code 0x04"},
		"stopped fan":   {map[int]byte{16: 0, 17: 0}, "fan may have stopped"},
		"impossible PM": {map[int]byte{14: 0x20}, "outside of 0 to 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			f := bytes.Clone(example)
			for i, b := range tt.at {
				f[i] = b
			}
			binary.BigEndian.PutUint16(f[30:], sum(f[:30]))
			cfg := config(sim.NewVirtual())
			cfg.Samples, cfg.DutyCycle, cfg.WarmUp = 1, false, 0
			d := newDev(sim.Stream(f), cfg)
			d.awake = true
			s, err := d.Read(t.Context())
			if err != nil || s.Quality != driver.Suspect || !strings.Contains(s.Reason, tt.want) {
				t.Errorf("got %+v, %v; want suspect: %q", s, err, tt.want)
			}
		})
	}
}

func TestAPMS5003STIsRefused(t *testing.T) {
	f := append([]byte{0x42, 0x4D, 0, 36}, make([]byte, 34)...)
	f = binary.BigEndian.AppendUint16(f, sum(f))
	cfg := config(sim.NewVirtual())
	cfg.DutyCycle = false
	d := newDev(sim.Stream(f), cfg)
	d.awake = true
	if _, err := d.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "PMS5003ST") {
		t.Errorf("err = %v", err)
	}
}
