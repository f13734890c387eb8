package agent

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/sim"
)

// A serial port (a pty) is unplugged and plugged in again while another sensor is read.
func TestAnUnpluggedSensorComesBack(t *testing.T) {
	clock, dev := sim.NewFast(5), sim.NewMHZ19B(3)
	path := filepath.Join(t.TempDir(), "usb-mhz19b")
	ctx, cancel := context.WithCancel(context.Background())
	done, err := sim.PTY(ctx, path, dev, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); <-done }()
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	m := kinds.Real(t.TempDir(), nil)
	m.Clock = clock
	a := runAgent(t, map[string]string{
		"MQTT_URL":      "tcp://" + b.addr,
		"SENSOR_0_KIND": "mhz19b", "SENSOR_0_DEVICE": "co2", "SENSOR_0_PORT": path, "SENSOR_0_INTERVAL": "50ms", "SENSOR_0_EVERY": "0s",
		"SENSOR_1_KIND": "host", "SENSOR_1_DEVICE": "pi", "SENSOR_1_INTERVAL": "50ms",
	}, Deps{Machine: m})
	count := func(device string) (n int) {
		for _, r := range s.ordered() {
			if r.Device == device {
				n++
			}
		}
		return n
	}
	waitFor(t, "CO2 readings", func() bool { return count("co2") > 3 })
	dev.Set(sim.Unplugged)
	waitFor(t, "report of the failure", func() bool {
		a.sensors[0].mu.Lock()
		defer a.sensors[0].mu.Unlock()
		return !a.sensors[0].stats.up && a.sensors[0].stats.reopened > 0
	})
	pi := count("pi")
	waitFor(t, "readings of the other sensor", func() bool { return count("pi") > pi+5 })
	co2 := count("co2")
	dev.Clear(sim.Unplugged)
	waitFor(t, "CO2 readings after the reconnect", func() bool { return count("co2") > co2+3 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
	if a.sensors[0].failuresInRow != 0 {
		t.Error("the sensor still fails")
	}
}
