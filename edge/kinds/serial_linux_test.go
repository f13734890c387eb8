package kinds

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
)

func TestTwoProgramsDoNotShareAPort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usb-mhz19b")
	ctx, cancel := context.WithCancel(t.Context())
	clock := sim.NewFast(5)
	done, err := sim.PTY(ctx, path, sim.NewMHZ19B(1), clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); <-done }()
	vars := map[string]string{"SENSOR_0_KIND": "mhz19b", "SENSOR_0_DEVICE": "a", "SENSOR_0_PORT": path}
	s, err := Parse(vars, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	m := Real(t.TempDir(), nil)
	m.Clock = clock
	first, err := s[0].Open(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s[0].Open(m); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("the second open: %v", err)
	}
	read, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if got, err := first.Read(read); err != nil || got.Fields["co2_ppm"] == 0 {
		t.Errorf("the first reader: %+v, %v", got, err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	again, err := s[0].Open(m)
	if err != nil {
		t.Fatalf("after it was closed: %v", err)
	}
	again.Close()
}
