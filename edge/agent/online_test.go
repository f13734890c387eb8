package agent

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/wire"
)

func TestAReadingOfEverySimulatedKindArrives(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	runAgent(t, map[string]string{"MQTT_URL": b.addr, "SIMULATE_SPEED": "50"}, Deps{})
	waitFor(t, "readings of all kinds", func() bool {
		seen := map[string]bool{}
		for _, r := range s.ordered() {
			seen[r.Sensor] = true
		}
		return len(seen) == len(kinds.Names())
	})
	for _, r := range s.ordered() {
		at, err := time.Parse(time.RFC3339Nano, r.Time)
		if err != nil || time.Since(at).Abs() > time.Minute || len(r.Fields) == 0 || r.topic != "hearth/pi/"+r.Device {
			t.Fatalf("got %+v, %v", r, err)
		}
	}
	s.complete()
}

func TestNothingIsWrittenToDiskWhileOnline(t *testing.T) {
	for name, answers := range map[string]bool{"with a connector": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t)
			s := startStore(t, b.direct, answers)
			a := runAgent(t, with(sensors(5, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
			waitFor(t, "reading", func() bool { return s.count() > 0 })
			before, _ := a.delivery.monitor.written()
			waitFor(t, "readings", func() bool { return s.count() > 500 })
			if after, _ := a.delivery.monitor.written(); after != before {
				t.Errorf("%d bytes were written for 500 readings", after-before)
			}
			if err := a.stop(); err != nil {
				t.Fatal(err)
			}
			s.complete()
		})
	}
}

// A connector that batches publishes its stored message late. At a clean stop the agent
// waits for that message, and neither writes the stored readings to disk nor sends them
// again.
func TestACleanStopWaitsForTheLastStoredMessage(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	a := runAgent(t, with(sensors(5, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	waitFor(t, "stored message", func() bool { return a.delivery.monitor.snapshot().window.Confirmed > 0 })
	s.set(func() { s.minQuiet = 2500 * time.Millisecond })
	waitFor(t, "more readings", func() bool { return s.count() > 500 })
	before, _ := a.delivery.monitor.written()
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	if after, _ := a.delivery.monitor.written(); after != before {
		t.Errorf("%d bytes were written to disk although every reading is stored", after-before)
	}
	s.complete()
}

func TestStatusIsOnlineThenOfflineAfterACleanStop(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	a := runAgent(t, with(sensors(1, 50*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	waitFor(t, "status online", func() bool { return s.lastStatus().State == "online" })
	if got := s.lastStatus(); got.Boot != a.boot || got.Time == "" || got.Simulated != 1 {
		t.Errorf("got %+v, want boot %s, a time, and simulated 1", got, a.boot)
	}
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "status offline", func() bool { return s.lastStatus().State == "offline" })
}

func TestASensorThatHangsDelaysNoOther(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	m := sim.NewMachine(t.Context(), sim.NewFast(1))
	stuck := make(chan struct{})
	files := m.Files
	m.Files = func(k driver.Sensor) (fs.FS, func(string) (uint64, uint64, error)) {
		f, st := files(k)
		if k.Device == "host-0" {
			return f, func(string) (uint64, uint64, error) { <-stuck; return 1, 1, nil }
		}
		return f, st
	}
	a := runAgent(t, with(sensors(3, 20*time.Millisecond), map[string]string{
		"MQTT_URL": "tcp://" + b.addr, "SENSOR_0_DEADLINE": "100ms",
	}), Deps{Machine: m})
	waitFor(t, "readings of the other sensors", func() bool { return s.count() > 100 })
	for _, r := range s.ordered() {
		if r.Device == "host-0" {
			t.Fatal("the stuck sensor gave a reading")
		}
	}
	a.sensors[0].mu.Lock()
	hangs := a.sensors[0].stats.hangs(100 * time.Millisecond)
	a.sensors[0].mu.Unlock()
	if !hangs {
		t.Error("the sensor that hangs is not reported")
	}
	close(stuck)
	waitFor(t, "reading of the stuck sensor", func() bool {
		for _, r := range s.ordered() {
			if r.Device == "host-0" {
				return true
			}
		}
		return false
	})
}

func TestQualityReasonAndTextArePublished(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	runAgent(t, map[string]string{
		"MQTT_URL": "tcp://" + b.addr, "SIMULATE_SPEED": "1",
		"SENSOR_0_KIND": "mhz19b", "SENSOR_0_DEVICE": "co2", "SENSOR_0_PORT": "sim", "SENSOR_0_INTERVAL": "300ms", "SENSOR_0_EVERY": "100ms",
		"SENSOR_1_KIND": "nut", "SENSOR_1_DEVICE": "ups", "SENSOR_1_INTERVAL": "300ms",
	}, Deps{})
	find := func(device string) (r wire.Reading) {
		waitFor(t, device, func() bool {
			for _, x := range s.ordered() {
				if x.Device == device {
					r = x.Reading
				}
			}
			return r.Device != ""
		})
		return r
	}
	if r := find("co2"); r.Quality != "warming_up" || !strings.Contains(r.Reason, "start") {
		t.Errorf("got %+v", r)
	}
	if r := find("ups"); r.Quality != "ok" || r.Text["status"] == "" {
		t.Errorf("got %+v", r)
	}
}

// A server accepts the connection and never answers, until the agent is stopped.
func TestAStopWhileConnectingIsNoOutage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var log bytes.Buffer
	d, err := newDialer(Config{URL: l.Addr().String()}, presence{node: "pi", timekeeper: &timekeeper{}}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			stop()
			<-t.Context().Done()
		}
	}()
	if d.run(ctx); log.Len() > 0 {
		t.Errorf("logged %s", &log)
	}
}

// TestHealthAndMetricsSayWhyTheBrokerCannotBeUsed: and the log says it once.
func TestHealthAndMetricsSayWhyTheBrokerCannotBeUsed(t *testing.T) {
	b := startBroker(t)
	b.stop()
	var log testserver.Output
	a := runAgent(t, with(sensors(1, time.Hour), map[string]string{"MQTT_URL": b.addr}), Deps{Log: slog.New(slog.NewTextHandler(&log, nil))})
	get := func(path string) string {
		w := httptest.NewRecorder()
		a.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Body.String()
	}
	const problem, metric = "nothing listens at ", `hearth_edge_broker_problem{problem="refused"} 1`
	waitFor(t, "the reason", func() bool { return strings.Contains(get("/healthz"), problem) })
	if m := get("/metrics"); !strings.Contains(m, metric) {
		t.Errorf("metrics: %s", m)
	}
	b.start()
	waitFor(t, "no reason", func() bool {
		return strings.Contains(get("/healthz"), `"broker":""`) && !strings.Contains(get("/metrics"), "broker_problem{")
	})
	if s := log.String(); strings.Count(s, problem+b.addr+": start the broker") != 2 || strings.Count(s, "the broker cannot be reached") != 1 || strings.Count(s, "connected to the broker again") != 1 {
		t.Errorf("the problem is not logged once, and once that it is over: %s", s)
	}
}
