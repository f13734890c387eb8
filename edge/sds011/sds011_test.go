package sds011

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func config(clock driver.Clock) Config {
	return Config{DutyCycle: true, WarmUp: 30 * time.Second, Samples: 5, Clock: clock}
}

func TestCommandsAreThoseOfTheProtocol(t *testing.T) {
	for _, tt := range []struct {
		name                string
		cmd, setting, value byte
		data, sum           byte
	}{
		{"active reporting", cmdMode, set, active, 0, 0x01},
		{"query mode", cmdMode, set, query, 1, 0x02},
		{"sleep", cmdPower, set, sleep, 0, 0x05},
		{"work", cmdPower, set, work, 1, 0x06},
		{"continuous", cmdPeriod, set, continuous, 0, 0x07},
		{"every five minutes", cmdPeriod, set, 5, 5, 0x0C},
		{"mode?", cmdMode, get, 0, 0, 0x00},
		{"asleep?", cmdPower, get, 0, 0, 0x04},
		{"period?", cmdPeriod, get, 0, 0, 0x06},
	} {
		want := append([]byte{0xAA, 0xB4, tt.cmd, tt.setting, tt.data}, make([]byte, 10)...)
		want = append(want, 0xFF, 0xFF, tt.sum, 0xAB)
		if got := command(tt.cmd, tt.setting, tt.value); !bytes.Equal(got, want) {
			t.Errorf("%s:\n got % X\nwant % X", tt.name, got, want)
		}
	}
}

func TestDecodesTheWorkedExample(t *testing.T) {
	f := []byte{0xAA, 0xC0, 0xD4, 0x04, 0x3A, 0x0A, 0xA1, 0x60, 0x1D, 0xAB}
	if n, err := match(f); n != 10 || err != nil {
		t.Fatalf("match = %d, %v", n, err)
	}
	if pm25, pm10 := decode(f); pm25 != 123.6 || pm10 != 261.8 {
		t.Errorf("got %v and %v, want 123.6 and 261.8", pm25, pm10)
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
	if s.Fields["pm2_5_ugm3"] != 123.7 || s.Fields["pm10_ugm3"] != 261.9 || s.Quality != driver.OK {
		t.Errorf("got %+v, want 123.7 and 261.9, ok", s)
	}
	if c := d.Counts(); tape.Left() != 0 || c.BadFrames != 1 || c.Retries != 1 {
		t.Errorf("%d entries left, counts %+v; want 0 left, 1 bad frame, 1 retry", tape.Left(), c)
	}
}

func TestDutyCycle(t *testing.T) {
	clock, dev := sim.NewVirtual(), sim.NewSDS011(1)
	dev.SetQueryMode(true, 5) // as a former owner left it
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
		if v := s.Fields["pm2_5_ugm3"]; s.Quality != driver.OK || v < 3 || v > 15 || s.CheckKeys() != nil {
			t.Errorf("got %+v", s)
		}
		if !dev.Asleep() {
			t.Fatal("the fan is still on")
		}
		clock.Wait(t.Context(), 5*time.Minute)
	}
	if query, period := dev.Settings(); query || period != 0 {
		t.Errorf("query mode %v, period %d; want active and continuous", query, period)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   sim.Fault
		every   int
		err     string
		quality driver.Quality
		reason  string
	}{
		{"noise between frames", sim.Noise, 1, "", driver.OK, ""},
		{"every third frame torn", sim.Torn, 3, "", driver.OK, ""},
		{"every third frame with a wrong bit", sim.BadCRC, 3, "", driver.OK, ""},
		{"slow replies", sim.Slow, 1, "", driver.OK, ""},
		{"every frame with a wrong bit", sim.BadCRC, 1, "check power", "", ""},
		{"unplugged", sim.Unplugged, 1, "Port has been closed", "", ""},
		{"no reply to commands", sim.IgnoreCommands, 1, "", driver.Suspect, "RX pin"},
		{"saturated", sim.WarmUp, 1, "", driver.Suspect, "saturated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock, dev := sim.NewVirtual(), sim.NewSDS011(2)
			dev.SetEvery(tt.fault, tt.every)
			s, err := newDev(sim.NewSerial(dev, clock), config(clock)).Read(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("err = %v, want one that says %q", err, tt.err)
				}
				return
			}
			if err != nil || s.Quality != tt.quality || !strings.Contains(s.Reason, tt.reason) {
				t.Errorf("got %+v, %v; want %s, %q", s, err, tt.quality, tt.reason)
			}
		})
	}
}

func TestTheSleepCommandIsRepeatedUntilConfirmed(t *testing.T) {
	clock, dev := sim.NewVirtual(), sim.NewSDS011(3)
	dev.IgnoreSleeps = 2
	d := newDev(sim.NewSerial(dev, clock), config(clock))
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK || !dev.Asleep() {
		t.Errorf("got %+v, %v, asleep %v", s, err, dev.Asleep())
	}
	dev.IgnoreSleeps = 3
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.Suspect || !strings.Contains(s.Reason, "fan may still run") {
		t.Errorf("got %+v, %v; want suspect, as the fan is still on", s, err)
	}
}

func TestTheFanStopsWhenTheReadIsCancelled(t *testing.T) {
	clock, dev := sim.NewVirtual(), sim.NewSDS011(4)
	ctx, cancel := context.WithCancel(t.Context())
	d := newDev(sim.NewSerial(dev, clock), config(cancelAfter{clock, 20 * time.Second, cancel}))
	if _, err := d.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
	if !dev.Asleep() {
		t.Error("the fan is still on")
	}
}

// cancelAfter cancels in the middle of a wait that is longer than d.
type cancelAfter struct {
	driver.Clock
	d      time.Duration
	cancel func()
}

func (c cancelAfter) Wait(ctx context.Context, d time.Duration) error {
	if d > c.d {
		c.cancel()
	}
	return c.Clock.Wait(ctx, d)
}

func TestWithoutDutyCycleTheFirstHalfMinuteIsFlagged(t *testing.T) {
	clock, dev := sim.NewVirtual(), sim.NewSDS011(5)
	cfg := config(clock)
	cfg.DutyCycle = false
	d := newDev(sim.NewSerial(dev, clock), cfg)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.WarmingUp {
		t.Errorf("got %+v, %v; want warming_up", s, err)
	}
	clock.Wait(t.Context(), 30*time.Second)
	if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK || dev.Asleep() {
		t.Errorf("got %+v, %v; want ok and awake", s, err)
	}
}

func TestHumidAirIsFlagged(t *testing.T) {
	clock := sim.NewVirtual()
	cfg := config(clock)
	cfg.Humidity = func() (float64, bool) { return 88, true }
	s, err := newDev(sim.NewSerial(sim.NewSDS011(6), clock), cfg).Read(t.Context())
	if err != nil || s.Quality != driver.Suspect || !strings.Contains(s.Reason, "droplets") {
		t.Errorf("got %+v, %v", s, err)
	}
}
