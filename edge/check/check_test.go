package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
)

func parseSensors(t *testing.T, vars map[string]string) []driver.Sensor {
	t.Helper()
	s, err := kinds.Parse(vars, secret.NewFolder(t.TempDir()), true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOnceShowsEverySensor(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Once(t.Context(), &out, nil, parseSensors(t, sim.OneOfEach()), sim.NewMachine(t.Context(), sim.NewFast(10))); err != nil {
		t.Error(err)
	}
	for _, kind := range kinds.Names() {
		if !strings.Contains(out.String(), " "+kind+" ") {
			t.Errorf("no %s in\n%s", kind, out.String())
		}
	}
}

func TestOnceFailsIfOneSensorFails(t *testing.T) {
	var out bytes.Buffer
	m := sim.NewMachine(t.Context(), sim.NewFast(5))
	m.I2C = func(driver.Sensor, string) (i2c.Bus, error) { return sim.NewBus(m.Clock), nil }
	err := Once(t.Context(), &out, nil, parseSensors(t, map[string]string{
		"SENSOR_0_KIND": "bme280", "SENSOR_0_DEVICE": "air", "SENSOR_1_KIND": "host", "SENSOR_1_DEVICE": "pi",
	}), m)
	if !errors.Is(err, errFailed) || !strings.Contains(out.String(), "FAILED bme280") || !strings.Contains(out.String(), "cpu_") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// unplugged is a serial port whose adapter was pulled out.
type unplugged struct{}

func (unplugged) Read([]byte) (int, error)    { return 0, errors.New("read: no such device") }
func (unplugged) Write(b []byte) (int, error) { return len(b), nil }
func (unplugged) Close() error                { return errors.New("close: no such device") }

func TestEachSensorHasOneRowWhateverFails(t *testing.T) {
	m := sim.NewMachine(t.Context(), sim.NewFast(100))
	m.Serial = func(driver.Sensor, string) (io.ReadWriteCloser, error) { return unplugged{}, nil }
	s := parseSensors(t, map[string]string{"SENSOR_0_KIND": "mhz19b", "SENSOR_0_DEVICE": "air", "SENSOR_0_PORT": "/dev/air"})
	var out bytes.Buffer
	err := Once(t.Context(), &out, nil, s, m)
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); !errors.Is(err, errFailed) || len(lines) != 2 || !strings.HasSuffix(lines[1], "close: no such device") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// A server accepts the connection and never answers, until the user interrupts the check.
func TestAnInterruptedReadIsNoFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		if c, err := l.Accept(); err == nil {
			interrupt()
			<-t.Context().Done()
			c.Close()
		}
	}()
	s, err := kinds.Parse(map[string]string{
		"SENSOR_0_KIND": "nut", "SENSOR_0_DEVICE": "ups", "SENSOR_0_HOST": "127.0.0.1", "SENSOR_0_PORT": port,
	}, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Once(ctx, &out, nil, s, kinds.Real(t.TempDir(), func() (time.Time, bool) { return time.Now(), true }))
	if !errors.Is(err, context.Canceled) || strings.Contains(out.String(), "FAILED") || !strings.Contains(out.String(), "not read") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestSoakJudgesSimulatedSensors(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	vars := map[string]string{
		"SENSOR_0_KIND": "dht22", "SENSOR_0_DEVICE": "good", "SENSOR_0_INTERVAL": "30ms",
		"SENSOR_1_KIND": "dht22", "SENSOR_1_DEVICE": "broken", "SENSOR_1_INTERVAL": "30ms",
	}
	m := sim.NewMachine(t.Context(), sim.NewFast(500))
	s := parseSensors(t, vars)
	fsys, _ := m.Files(s[1])
	fsys.(*sim.DHT22).Set(sim.NACK)
	if err := Soak(t.Context(), &out, nil, s, m, 4*time.Second); !errors.Is(err, errFailed) {
		t.Errorf("err = %v", err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "good") && !strings.Contains(line, "  good") || strings.HasPrefix(line, "broken") && !strings.Contains(line, "BAD: ") {
			t.Error(line)
		}
	}
}

func outcome(n int, failed int, of func(i int) driver.Sample) trial {
	t := trial{failed: failed, Error: errors.New("no answer")}
	for i := range n {
		t.samples = append(t.samples, of(i))
	}
	return t
}

func climate(c, h float64) driver.Sample {
	s := driver.New()
	s.Fields["temperature_celsius"], s.Fields["humidity_percent"] = c, h
	return s
}

func TestQuality(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	fine := func(i int) driver.Sample { return climate(20+float64(i)/100, 45+rng.Float64()) }
	for _, tt := range []struct {
		name  string
		trial trial
		want  string // in the reasons; empty: good
	}{
		{"a good one", outcome(300, 0, fine), ""},
		{"one read in ten fails", outcome(270, 30, fine), ""},
		{"one read in three fails", outcome(200, 100, fine), "100 of 300 reads failed"},
		{"silent", outcome(0, 50, fine), "50 of 50 reads failed"},
		{"stuck", outcome(300, 0, func(int) driver.Sample { return climate(21, 48) }), "stuck"},
		{"noisy", outcome(300, 0, func(int) driver.Sample { return climate(20+20*rng.Float64(), 45) }), "temperature_celsius is noisy"},
		{"out of range", outcome(300, 0, func(i int) driver.Sample {
			s := fine(i)
			if i%10 == 0 {
				s.Fields["humidity_percent"] = 3305
				s.FlagOutOfRange()
			}
			return s
		}), "30 of 300 samples are suspect"},
		{"hardly read", outcome(2, 0, fine), "run the check for longer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(tt.trial)
			all := strings.Join(v.Reasons, "; ")
			if v.good != (tt.want == "") || !strings.Contains(all, tt.want) {
				t.Errorf("got %v %q, want %q", v.good, all, tt.want)
			}
		})
	}
}

func TestChipsAreFoundWithTheirKinds(t *testing.T) {
	clock := sim.NewVirtual()
	bus := sim.NewBus(clock).Add(0x62, sim.NewSCD4x(1)).Add(0x76, sim.NewBME280(2)).Add(0x77, sim.NewBMP280(3)).
		Add(0x58, sim.NewSGP30(4)).Add(0x48, sim.NewADS1115(5))
	found := map[uint16]string{}
	eachChip(bus, func(addr uint16, what string) { found[addr] = what })
	for addr, want := range map[uint16]string{0x62: "scd4x", 0x76: "bme280 (", 0x77: "BMP280", 0x58: "sgp30", 0x48: "ADS1115"} {
		if !strings.Contains(found[addr], want) {
			t.Errorf("%#x is %q, want %s", addr, found[addr], want)
		}
	}
	if len(found) != 5 {
		t.Errorf("found %v", found)
	}
}

func TestListShowsStableNames(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"dev/serial/by-id", "sys/bus/iio/devices/iio:device0"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"dev/ttyUSB0": "", "dev/ttyUSB1": "", "dev/i2c-1": "", "sys/bus/iio/devices/iio:device0/name": "dht11@4\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../ttyUSB0", filepath.Join(root, "dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := list(&out, root, func(string) (i2c.Bus, error) { return nil, fmt.Errorf("permission denied") })
	if err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"usb-1a86_USB_Serial-if00-port0", "now ttyUSB0", "ttyUSB1", "may change", "permission denied", "NAME=dht11@4"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "dev/ttyUSB0 ") {
		t.Errorf("a port with a stable name is also shown by its other name:\n%s", text)
	}
}

func TestAnSCD4xIsRecalibratedByCommand(t *testing.T) {
	t.Parallel()
	s := parseSensors(t, map[string]string{
		"SENSOR_0_KIND": "scd4x", "SENSOR_0_DEVICE": "air", "SENSOR_1_KIND": "bme280", "SENSOR_1_DEVICE": "climate",
	})
	m := sim.NewMachine(t.Context(), sim.NewFast(40))
	var out bytes.Buffer
	if err := Recalibrate(t.Context(), &out, s, m, "air", 425); err != nil || !strings.Contains(out.String(), "corrected itself by") {
		t.Errorf("%v\n%s", err, out.String())
	}
	for device, want := range map[string]string{"climate": "not recalibrated", "attic": "no sensor has the device"} {
		if err := Recalibrate(t.Context(), &out, s, m, device, 425); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", device, err)
		}
	}
}
