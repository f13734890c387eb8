package sds011

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.bug.st/serial"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func open(t *testing.T, path string) serial.Port {
	t.Helper()
	p, err := serial.Open(path, &serial.Mode{BaudRate: 9600})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.SetReadTimeout(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	return p
}

// The driver over a real serial port, four times as fast; then the port is
// unplugged and plugged in again.
func TestOverASerialPort(t *testing.T) {
	clock, dev := sim.NewFast(4), sim.NewSDS011(7)
	path := filepath.Join(t.TempDir(), "usb-sds011")
	ctx, cancel := context.WithCancel(t.Context())
	done, err := sim.PTY(ctx, path, dev, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); <-done }()

	d := newDev(open(t, path), quick(clock))
	for range 2 {
		if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
	dev.Set(sim.Unplugged)
	if s, err := d.Read(t.Context()); err == nil {
		t.Fatalf("a read from an unplugged port gave %+v", s)
	}
	dev.Clear(sim.Unplugged)
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s, err := newDev(open(t, path), quick(clock)).Read(t.Context()); err != nil || s.Quality != driver.OK {
		t.Errorf("after plugging in again: %+v, %v", s, err)
	}
}

// quick is a duty cycle of two seconds, for a clock that is four times as fast.
func quick(clock driver.Clock) Config {
	return Config{DutyCycle: true, WarmUp: 6 * time.Second, Samples: 3, Clock: clock}
}
