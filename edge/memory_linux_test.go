package main

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/testserver"
)

const memoryLimit = 96 // MiB, of the container in deploy/k3s/edge-daemonset.yaml

// TestTheLargestMessageDoesNotStopTheAgent: whoever publishes the largest message of MQTT at
// the agent's topic neither fills its memory nor stops its readings, also when it connects
// again, as the message is retained.
func TestTheLargestMessageDoesNotStopTheAgent(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0)
	var readings atomic.Int64
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + broker.Addr).SetClientID("reader"))
	if tok := c.Connect(); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	c.Subscribe("hearth/pi/desk", 1, func(paho.Client, paho.Message) { readings.Add(1) }).WaitTimeout(20 * time.Second)
	path, folder := build(t, runtime.GOARCH), t.TempDir()
	for range 2 {
		cmd := exec.Command(path)
		cmd.Env = []string{"SENSOR_0_KIND=host", "SENSOR_0_DEVICE=desk", "SENSOR_0_INTERVAL=1s", "SENSOR_0_EVERY=0s", "NODE=pi", "CLOCK_TRUST=true", "LISTEN=off", "MQTT_URL=" + broker.Addr,
			"SPOOL_DIR=" + filepath.Join(folder, "spool"), "EDGE_CONFIG_DIR=" + folder}
		var log strings.Builder
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &log, &log, testserver.Tied()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		more := func() {
			t.Helper()
			before, end := readings.Load(), time.Now().Add(time.Minute)
			for readings.Load() < before+2 {
				if time.Sleep(20 * time.Millisecond); time.Now().After(end) {
					cmd.Process.Kill()
					cmd.Wait()
					t.Fatalf("no reading: %s", &log)
				}
			}
		}
		more()
		testserver.PublishLarge(t, broker.Addr, "hearth/pi/stored", testserver.LargestPayload, 1, true)
		more()
		if peak := testserver.Peak(t, cmd.Process.Pid); peak >= memoryLimit {
			t.Errorf("%d MiB of memory, want less than %d", peak, memoryLimit)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || strings.Contains(log.String(), "lost") {
			t.Errorf("%v: %s", err, &log)
		}
	}
}
