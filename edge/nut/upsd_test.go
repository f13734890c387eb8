package nut

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// upsd starts Debian's upsd with its dummy-ups, which reads rack.dev, and
// returns its port. It skips where they are not installed (apt-get install
// nut-server), and fails in CI.
func upsd(t *testing.T) (port int, dev string, stopDriver func()) {
	t.Helper()
	const get = "apt-get install nut-server"
	server := tool.Needed(t, get, "/lib/nut/upsd", "/usr/lib/nut/upsd", "upsd") // Debian's /sbin/upsd is a wrapper that reads /etc/nut
	dummy := tool.Needed(t, get, "dummy-ups", "/lib/nut/dummy-ups", "/usr/lib/nut/dummy-ups")
	_, port = hostPort(t, free.Addr(t))
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	dev = filepath.Join(dir, "rack.dev")
	for name, text := range map[string]string{
		"nut.conf":   "MODE=standalone\n",
		"ups.conf":   "[rack]\n  driver = dummy-ups\n  port = " + dev + "\n  desc = \"rack \\\"main\\\" UPS\"\n  pollinterval = 1\n",
		"upsd.conf":  fmt.Sprintf("LISTEN 127.0.0.1 %d\nSTATEPATH %s\nMAXAGE 3\n", port, dir),
		"upsd.users": "",
		"rack.dev":   "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dev, "OL CHRG")
	stopDriver = child(t, dir, dummy, "-D", "-a", "rack", "-u", "root")
	child(t, dir, server, "-D", "-u", "root")
	return port, dev, stopDriver
}

// child runs a program until the test ends. -D keeps it in the foreground.
func child(t *testing.T, dir, path string, args ...string) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "NUT_CONFPATH="+dir, "NUT_STATEPATH="+dir, "NUT_ALTPIDPATH="+dir, "NUT_PIDPATH="+dir)
	log, err := os.Create(filepath.Join(dir, filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var stopped bool
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Kill()
			cmd.Wait()
			log.Close()
		}
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s:\n%.3000s", filepath.Base(path), text)
		}
	})
	return stop
}

func write(t *testing.T, dev, status string) {
	t.Helper()
	text := "ups.mfr: hearth \"test\"\nups.status: " + status +
		"\nbattery.charge: 87\nbattery.runtime: 1830\ninput.voltage: 042.7\nups.load: 21\nups.realpower.nominal: 600\n"
	// In place: dummy-ups reads it again when the time changes, and must never
	// find it missing.
	if err := os.WriteFile(dev, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually reads until ok, for at most half a minute.
func eventually(t *testing.T, d *dev, what string, ok func(driver.Sample, error) bool) driver.Sample {
	t.Helper()
	var s driver.Sample
	var err error
	for range 300 {
		if s, err = d.Read(t.Context()); ok(s, err) {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: last %+v, %v", what, s, err)
	return s
}

func TestARealServer(t *testing.T) {
	port, dev, stopDriver := upsd(t)
	d := newDev(Config{Host: "127.0.0.1", Port: port})
	s := eventually(t, d, "on mains", func(s driver.Sample, err error) bool { return err == nil && s.Fields["on_mains"] == 1 })
	for key, want := range map[string]float64{
		"battery_percent": 87, "runtime_seconds": 1830, "input_voltage_volts": 42.7, "power_watts": 126, "charging": 1, "on_battery": 0,
	} {
		if s.Fields[key] != want {
			t.Errorf("%s is %v, want %v", key, s.Fields[key], want)
		}
	}
	write(t, dev, "OB DISCHRG LB")
	eventually(t, d, "a power cut", func(s driver.Sample, err error) bool {
		return err == nil && s.Fields["on_battery"] == 1 && s.Fields["low_battery"] == 1 && s.Fields["on_mains"] == 0
	})
	if _, err := newDev(Config{Host: "127.0.0.1", Port: port, UPS: "cellar"}).Read(t.Context()); !errors.Is(err, errUnknown) {
		t.Errorf("another name: %v, want unknown", err)
	}
	stopDriver()
	eventually(t, d, "a dead driver", func(s driver.Sample, err error) bool {
		return err == nil && s.Fields["link_lost"] == 1 && len(s.Fields) == 1
	})
}
