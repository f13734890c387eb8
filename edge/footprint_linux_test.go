package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
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

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

const (
	measured = 30 * time.Second
	mb       = 1e6
)

// build compiles the agent as for a release.
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

// tenSensors returns the settings of ten sensors, each read once a second, over ptys and
// over TCP. Their simulators run in this process, not in the agent.
func tenSensors(b *testing.B) []string {
	ctx, cancel := context.WithCancel(context.Background())
	var ends []<-chan struct{}
	b.Cleanup(func() {
		cancel()
		for _, end := range ends {
			<-end
		}
	})
	clock, vars := driver.RealClock{}, []string{}
	served := func(at string, done <-chan struct{}, err error) (host, port string) {
		if err != nil {
			b.Fatal(err)
		}
		ends = append(ends, done)
		host, port, _ = net.SplitHostPort(at)
		return host, port
	}
	for i := range 10 {
		set := func(name, value string) { vars = append(vars, fmt.Sprintf("SENSOR_%d_%s=%s", i, name, value)) }
		seed := uint64(i)
		switch i % 3 {
		case 0:
			host, port := served(sim.NewNUT("ups", seed, clock).Serve(ctx, "127.0.0.1:0"))
			set("KIND", "nut")
			set("HOST", host)
			set("PORT", port)
		case 1:
			host, port := served(sim.NewKasa(0, seed, clock).Serve(ctx, "127.0.0.1:0"))
			set("KIND", "kasa")
			set("HOST", host)
			set("PORT", port)
		case 2:
			path := filepath.Join(b.TempDir(), "tty")
			done, err := sim.PTY(ctx, path, sim.NewMHZ19B(seed), clock)
			served("127.0.0.1:0", done, err)
			set("KIND", "mhz19b")
			set("PORT", path)
		}
		set("DEVICE", fmt.Sprintf("device-%d", i))
		set("INTERVAL", "1s")
		set("EVERY", "0s")
	}
	return vars
}

// BenchmarkFootprint measures the agent's use of memory, processor and disk.
func BenchmarkFootprint(b *testing.B) {
	addr := startBroker(b)
	path := build(b, "amd64")
	for b.Loop() {
		cmd := exec.Command(path)
		cmd.Env = append(tenSensors(b), "NODE=pi", "CLOCK_TRUST=true", "LISTEN=127.0.0.1:0", "MQTT_URL=tcp://"+addr,
			"SPOOL_DIR="+filepath.Join(b.TempDir(), "spool"), "EDGE_CONFIG_DIR="+b.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		readings := answer(b, addr)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); readings() < 50 && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond)
		}
		cpu, wrote, n := onCPU(b, cmd.Process.Pid), field(b, cmd.Process.Pid, "io", "write_bytes"), readings()
		time.Sleep(measured)
		share := (onCPU(b, cmd.Process.Pid) - cpu).Seconds() / measured.Seconds() * 100
		written := field(b, cmd.Process.Pid, "io", "write_bytes") - wrote
		rss := float64(field(b, cmd.Process.Pid, "status", "VmHWM")) * 1024 / mb
		b.ReportMetric(rss, "MB-RSS")
		b.ReportMetric(share, "%CPU")
		b.ReportMetric(float64(written), "bytes-written")
		b.ReportMetric(float64(readings()-n)/measured.Seconds(), "readings/s")
		if rss > 20 || share > 1 || written > 0 {
			b.Errorf("%.1f MB of memory, %.2f %% of a core and %d bytes written, want at most 20 MB, 1 %% and none", rss, share, written)
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

// onCPU returns the processor time of a process. The kernel's counts in ticks are not
// used: they charge a whole tick to a thread that wakes up with it.
func onCPU(b *testing.B, pid int) (sum time.Duration) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatal("no schedstat in /proc")
	}
	for _, t := range tasks {
		text, err := os.ReadFile(t)
		if err != nil {
			continue // a thread that has ended
		}
		n, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		sum += time.Duration(n)
	}
	return sum
}

// field reads a number from a file of /proc/<pid>.
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
	addr := free.Addr(b)
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

// answer counts readings and publishes a stored message once a second.
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
	for _, do := range []func() paho.Token{c.Connect, func() paho.Token { return c.Subscribe("hearth/pi/#", 1, nil) }} {
		if t := do(); !t.WaitTimeout(10*time.Second) || t.Error() != nil {
			b.Fatal("no broker: ", t.Error())
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
