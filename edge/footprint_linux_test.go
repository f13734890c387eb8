package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/shared/testserver"
)

const (
	measured = 30 * time.Second
	clockHz  = 100 // of /proc/<pid>/stat, the same on every Linux that Go runs on
	mb       = 1e6
)

// build compiles the agent as it is delivered.
func build(t testing.TB, arch string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hearth-edge")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	goarch, arm, _ := strings.Cut(arch, "/v")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch)
	if arm != "" {
		cmd.Env = append(cmd.Env, "GOARM="+arm)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", arch, err, out)
	}
	return path
}

// house is ten sensors, each read once a second.
func house() []string {
	vars := []string{}
	for i, s := range []string{
		"bme280", "bme280", "scd4x LOW_POWER=false", "soil DRY=2.7 WET=1.3", "dht22", "mhz19b PORT=sim",
		"pms5003 PORT=sim DUTY_CYCLE=false SAMPLES=1", "nut", "kasa HOST=sim", "host NVIDIA_SMI=",
	} {
		f := strings.Fields(s)
		p := fmt.Sprintf("SENSOR_%d_", i)
		vars = append(vars, p+"KIND="+f[0], fmt.Sprintf("%sDEVICE=device-%d", p, i), p+"INTERVAL=1s", p+"EVERY=0s")
		for _, o := range f[1:] {
			vars = append(vars, p+o)
		}
	}
	return vars
}

// BenchmarkFootprint is what the agent costs a Pi: memory, processor, disk. The
// simulated hardware is in the figures.
func BenchmarkFootprint(b *testing.B) {
	addr := startBroker(b)
	path := build(b, "amd64")
	for b.Loop() {
		cmd := exec.Command(path)
		cmd.Env = append(house(), "NODE=pi", "SIMULATE=true", "SIMULATE_SPEED=1", "LISTEN=127.0.0.1:0", "MQTT_URL=tcp://"+addr,
			"SPOOL_DIR="+filepath.Join(b.TempDir(), "spool"), "EDGE_CONFIG_DIR="+b.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		readings := answer(b, addr)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); readings() < 50 && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond)
		}
		cpu, wrote, n := ticks(b, cmd.Process.Pid), field(b, cmd.Process.Pid, "io", "write_bytes"), readings()
		time.Sleep(measured)
		share := float64(ticks(b, cmd.Process.Pid)-cpu) / clockHz / measured.Seconds() * 100
		written := field(b, cmd.Process.Pid, "io", "write_bytes") - wrote
		rss := float64(field(b, cmd.Process.Pid, "status", "VmHWM")) * 1024 / mb
		b.ReportMetric(rss, "MB-RSS")
		b.ReportMetric(share, "%CPU")
		b.ReportMetric(float64(written), "bytes-written")
		b.ReportMetric(float64(readings()-n)/measured.Seconds(), "readings/s")
		if rss > 20 || written > 0 {
			b.Errorf("%.1f MB of memory and %d bytes written, want at most 20 MB and none", rss, written)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Errorf("on SIGTERM: %v", err)
		}
	}
	for _, arch := range []string{"amd64", "arm64", "arm/v7"} {
		info, err := os.Stat(build(b, arch))
		if err != nil {
			b.Fatal(err)
		}
		size := float64(info.Size()) / mb
		b.ReportMetric(size, "MB-"+strings.ReplaceAll(arch, "/", ""))
		if size > 15 {
			b.Errorf("the binary for %s has %.1f MB", arch, size)
		}
	}
}

func ticks(b *testing.B, pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return user + system
}

// field reads a number of a file of /proc/<pid>.
func field(b *testing.B, pid int, file, name string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("no %s in %s", name, file)
	return 0
}

func startBroker(b *testing.B) string {
	addr, err := testserver.FreeAddr()
	if err != nil {
		b.Fatal(err)
	}
	c := mochi.NewDefaultServerCapabilities()
	c.MaximumInflight = math.MaxUint16
	s := mochi.New(&mochi.Options{Capabilities: c, Logger: slog.New(slog.DiscardHandler)})
	s.AddHook(new(auth.AllowHook), nil)
	if err := s.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})); err != nil {
		b.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return addr
}

// answer counts readings and says once a second that all is stored.
func answer(b *testing.B, addr string) func() int64 {
	var n atomic.Int64
	last := make(chan string, 1)
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("store")
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if !strings.Contains(m.Topic(), "device-") {
			return
		}
		n.Add(1)
		select {
		case last <- string(m.Payload()):
		default:
		}
	})
	c := paho.NewClient(o)
	for _, t := range []paho.Token{c.Connect(), c.Subscribe("hearth/pi/#", 1, nil)} {
		if !t.WaitTimeout(10 * time.Second) {
			b.Fatal("no broker")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(func() { cancel(); c.Disconnect(50) })
	go func() {
		for ctx.Err() == nil {
			select {
			case text := <-last:
				boot, seq := between(text, `"boot":"`, `"`), between(text, `"seq":`, `,`)
				c.Publish("hearth/pi/stored", 1, true, fmt.Sprintf(`{"boot":%q,"seq":%s}`, boot, seq))
			case <-ctx.Done():
			}
			time.Sleep(time.Second)
		}
	}()
	return n.Load
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}
