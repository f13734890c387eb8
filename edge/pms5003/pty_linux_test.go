package pms5003

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.bug.st/serial"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func TestOverASerialPort(t *testing.T) {
	clock := sim.NewFast(4)
	path := filepath.Join(t.TempDir(), "usb-pms5003")
	ctx, cancel := context.WithCancel(t.Context())
	done, err := sim.PTY(ctx, path, sim.NewPMS5003(7), clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); <-done }()
	p, err := serial.Open(path, &serial.Mode{BaudRate: 9600})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetReadTimeout(20 * time.Millisecond)
	d := newDev(p, quick(clock))
	for range 2 {
		if s, err := d.Read(t.Context()); err != nil || s.Quality != driver.OK {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
}

// quick is a duty cycle of two seconds, for a clock that is four times as fast.
func quick(clock driver.Clock) Config {
	return Config{DutyCycle: true, WarmUp: 6 * time.Second, Samples: 3, Clock: clock}
}
