package mhz19b

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.bug.st/serial"

	"github.com/hearth-home/hearth/edge/sim"
)

func TestOverASerialPort(t *testing.T) {
	clock := sim.NewFast(4)
	path := filepath.Join(t.TempDir(), "usb-mhz19b")
	ctx, cancel := context.WithCancel(t.Context())
	done, err := sim.PTY(ctx, path, sim.NewMHZ19B(7), clock)
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
	d, err := newDev(p, Config{ABC: "off", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if s, err := d.Read(t.Context()); err != nil || s.Fields["co2_ppm"] < 400 {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
}
