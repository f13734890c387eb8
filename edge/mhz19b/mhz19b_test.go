package mhz19b

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func open(t *testing.T, sensor sim.UART, clock driver.Clock, cfg Config) *dev {
	t.Helper()
	cfg.Clock = clock
	d, err := newDev(sim.NewSerial(sensor, clock), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCommandsAreThoseOfTheManual(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want []byte
	}{
		{"read", command(cmdRead, 0, 0, 0, 0, 0), []byte{0xFF, 1, 0x86, 0, 0, 0, 0, 0, 0x79}},
		{"ABC on", command(cmdABC, 0xA0, 0, 0, 0, 0), []byte{0xFF, 1, 0x79, 0xA0, 0, 0, 0, 0, 0xE6}},
		{"ABC off", command(cmdABC, 0, 0, 0, 0, 0), []byte{0xFF, 1, 0x79, 0, 0, 0, 0, 0, 0x86}},
		{"range 2000", command(cmdRange, 0, 0, 0, 0x07, 0xD0), []byte{0xFF, 1, 0x99, 0, 0, 0, 0x07, 0xD0, 0x8F}},
		{"range 5000", command(cmdRange, 0, 0, 0, 0x13, 0x88), []byte{0xFF, 1, 0x99, 0, 0, 0, 0x13, 0x88, 0xCB}},
	} {
		if !bytes.Equal(tt.got, tt.want) {
			t.Errorf("%s: got % X, want % X", tt.name, tt.got, tt.want)
		}
	}
}

func TestDecodesTheWorkedExamples(t *testing.T) {
	for _, f := range [][]byte{
		{0xFF, 0x86, 0x02, 0x20, 0, 0, 0, 0, 0x58},
		{0xFF, 0x86, 0x02, 0x20, 0x3F, 0, 0, 0, 0x19},
	} {
		if n, err := match(f); n != 9 || err != nil || decode(f) != 544 {
			t.Errorf("% X: %d, %v, %v ppm; want 544", f, n, err, decode(f))
		}
	}
}

func TestReadPlaysTheRecording(t *testing.T) {
	tape, err := sim.LoadTape("testdata/read.tape")
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDev(tape, Config{ABC: "off", Range: 2000, Clock: sim.NewVirtual()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Read(t.Context())
	if err != nil || s.Fields["co2_ppm"] != 544 || tape.Left() != 0 || d.Counts().BadFrames != 1 || s.CheckKeys() != nil {
		t.Errorf("got %+v, %v, %d entries left, counts %+v", s, err, tape.Left(), d.Counts())
	}
}

func TestSettingsReachTheSensor(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		abc  bool
		rang int
	}{
		{Config{ABC: "keep"}, true, 5000},
		{Config{ABC: "off", Range: 2000}, false, 2000},
		{Config{ABC: "on", Range: 5000}, true, 5000},
	} {
		sensor := sim.NewMHZ19B(1)
		if _, err := open(t, sensor, sim.NewVirtual(), tt.cfg).Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if abc, rang := sensor.Settings(); abc != tt.abc || rang != tt.rang {
			t.Errorf("%+v: ABC %v, range %d", tt.cfg, abc, rang)
		}
	}
	for _, cfg := range []Config{{Range: 3000}, {ABC: "yes"}} {
		if _, err := newDev(nil, cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// The first three minutes are flagged, and then all until three plausible
// readings in a row: the sensor may have lost power later than we started.
func TestWarmUp(t *testing.T) {
	clock, sensor := sim.NewVirtual(), sim.NewMHZ19B(2)
	sensor.Set(sim.WarmUp)
	d := open(t, sensor, clock, Config{WarmUp: 180 * time.Second})
	read := func(want driver.Quality) {
		t.Helper()
		s, err := d.Read(t.Context())
		if err != nil || s.Quality != want && s.Quality != driver.Suspect {
			t.Fatalf("at %v: %+v, %v; want %s", clock.Now(), s, err, want)
		}
		clock.Wait(t.Context(), 30*time.Second)
	}
	for range 10 { // 5 min of boot values
		read(driver.WarmingUp)
	}
	sensor.Clear(sim.WarmUp)
	for range steadyReadings {
		read(driver.WarmingUp)
	}
	s, err := d.Read(t.Context())
	if err != nil || s.Quality != driver.OK {
		t.Errorf("got %+v, %v; want ok", s, err)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sim.Fault
		every int
		err   string
	}{
		{"noise", sim.Noise, 1, ""},
		{"every second answer torn", sim.Torn, 2, ""},
		{"every second answer with a wrong bit", sim.BadCRC, 2, ""},
		{"slow answers", sim.Slow, 1, ""},
		{"no reply to commands", sim.IgnoreCommands, 1, "check power"},
		{"unplugged", sim.Unplugged, 1, "Port has been closed"},
		{"every answer with a wrong bit", sim.BadCRC, 1, "check power"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sensor := sim.NewMHZ19B(3)
			sensor.SetEvery(tt.fault, tt.every)
			d := open(t, sensor, sim.NewVirtual(), Config{})
			for range 4 {
				s, err := d.Read(t.Context())
				if tt.err == "" && (err != nil || s.Fields["co2_ppm"] < 400 || s.Fields["co2_ppm"] > 1100) {
					t.Errorf("got %+v, %v", s, err)
				}
				if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("err = %v, want one that says %q", err, tt.err)
				}
			}
		})
	}
}

func TestQuality(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []float64
		ppm    float64
		want   driver.Quality
		reason string
	}{
		{"plausible", []float64{600, 610, 620}, 640, driver.OK, ""},
		{"a large change", []float64{600, 610, 620}, 1700, driver.Suspect, "change of 1080"},
		{"the end of the range", []float64{4700, 4800, 4900}, 5000, driver.Suspect, "end of the range"},
		{"less than fresh air", []float64{420, 415, 412}, 380, driver.Suspect, "drifted"},
		{"less than can be", []float64{420, 415, 412}, 300, driver.Suspect, "outside of 350"},
	} {
		clock := sim.NewVirtual()
		d := open(t, sim.NewMHZ19B(1), clock, Config{})
		for _, ppm := range tt.before {
			d.toSample(ppm)
			clock.Wait(t.Context(), 5*time.Second)
		}
		if s := d.toSample(tt.ppm); s.Quality != tt.want || !strings.Contains(s.Reason, tt.reason) || s.Fields["co2_ppm"] != tt.ppm {
			t.Errorf("%s: %+v, want %s %q", tt.name, s, tt.want, tt.reason)
		}
	}
}
