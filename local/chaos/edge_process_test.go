package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// pi is a node: the edge agent in a process of its own, with the real drivers on
// simulated sensors.
type pi struct {
	*testserver.Server
	h          *hearth
	node       string
	env        map[string]string
	stop, done chan struct{} // of watch

	mu    sync.Mutex
	last  agentStatus
	kept  map[string]uint64 // by boot: numbers up to this one were published or on disk
	exact map[string]bool   // by boot: kept is the run's last number, because the run ended cleanly
}

// agentStatus is what an agent reports about itself in /healthz and /metrics.
type agentStatus struct {
	boot                 string
	connected            bool
	numbered             uint64
	inMemory, onDisk     float64 // readings that are not confirmed yet
	published, confirmed float64
}

// fast are the sensors of a node: the kind, and its further settings.
var fast = []string{"host", "host", "host", "kasa HOST=sim", "kasa HOST=sim", "nut", "nut", "mhz19b PORT=sim", "bme280", "soil DRY=2.7 WET=1.3"}

// identify names, by kind, a measurement and a field that every reading of the kind has.
var identify = map[string][2]string{
	"host": {"host", "load_1m"}, "kasa": {"power", "power_watts"}, "nut": {"ups", "battery_percent"},
	"mhz19b": {"air", "co2_ppm"}, "bme280": {"air", "temperature_celsius"}, "soil": {"soil", "voltage_volts"},
}

// pi starts an agent that reads each of its sensors at every interval.
func (h *hearth) pi(node string, interval time.Duration, settings map[string]string) *pi {
	h.t.Helper()
	env := map[string]string{
		"NODE": node, "MQTT_URL": "tcp://" + h.broker.Addr, "SIMULATE": "true", "SIMULATE_SPEED": "50",
		"SPOOL_DIR": filepath.Join(h.dir, node, "spool"), "EDGE_CONFIG_DIR": filepath.Join(h.dir, node), "RESEND_AFTER": "1s", "BACKLOG_RATE": "2000",
	}
	for i, sensor := range fast {
		words := strings.Fields(sensor)
		for _, w := range append(words[1:], "KIND="+words[0], fmt.Sprintf("DEVICE=%s-%d", node, i), "INTERVAL="+interval.String(), "EVERY=0s") {
			name, value, _ := strings.Cut(w, "=")
			env[fmt.Sprintf("SENSOR_%d_%s", i, name)] = value
		}
	}
	maps.Copy(env, settings)
	p := &pi{h: h, node: node, env: env, kept: map[string]uint64{}, exact: map[string]bool{}}
	p.begin()
	h.t.Cleanup(func() {
		if h.t.Failed() {
			h.t.Logf("the end of %s's log:\n%s", node, p.Log())
		}
	})
	return p
}

// begin starts the process with p.env.
func (p *pi) begin() {
	t := p.h.t
	t.Helper()
	addr := free.Addr(t)
	p.env["LISTEN"] = addr
	p.Server = testserver.Own(t, testserver.Program{Addr: addr, Path: agent(t), Env: list(p.env), Dir: filepath.Join(p.h.dir, p.node), URL: "http://" + addr + "/healthz"})
	p.watch()
}

// agent compiles the edge agent with the sensors that it simulates.
func agent(t testing.TB) string {
	t.Helper()
	path, err := builtAgent()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var builtAgent = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "hearth-edge-simulated")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./edge/simulated")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the agent: %w: %s", err, out)
	}
	return path, nil
})

// status asks the agent for its status; ok is false while it does not answer.
func (p *pi) status() (g agentStatus, ok bool) {
	res, err := http.Get("http://" + p.Addr + "/healthz")
	if err != nil {
		return g, false
	}
	defer res.Body.Close()
	var health struct{ Boot string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&health); err != nil {
		return g, false
	}
	m, err := (&hearth{connector: p.Server}).metrics()
	if err != nil {
		return g, false
	}
	return agentStatus{
		health.Boot, m["hearth_edge_connected"] == 1, uint64(m["hearth_edge_numbered_total"]),
		m["hearth_edge_window_readings"] + m["hearth_edge_pending_readings"], m["hearth_edge_spool_readings"],
		m["hearth_edge_published_total"], m["hearth_edge_confirmed_total"],
	}, true
}

// watch polls the agent and notes in p.kept which numbers must arrive. While the agent
// is connected, these are the numbers of the previous poll, which are published by
// now. While it is not, these are the numbers on disk.
func (p *pi) watch() {
	stop, done := make(chan struct{}), make(chan struct{})
	p.stop, p.done = stop, done
	p.mu.Lock()
	p.last = agentStatus{}
	p.mu.Unlock()
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			g, ok := p.status()
			if !ok {
				continue
			}
			p.mu.Lock()
			switch {
			case g.connected && p.last.connected && g.boot == p.last.boot && g.numbered > p.last.numbered:
				p.kept[g.boot] = max(p.kept[g.boot], p.last.numbered)
			case !g.connected && g.inMemory == 0:
				p.kept[g.boot] = max(p.kept[g.boot], g.numbered)
			}
			if g.boot != p.last.boot || g.numbered > p.last.numbered || g.connected != p.last.connected || g.inMemory != p.last.inMemory {
				p.last = g
			}
			p.mu.Unlock()
		}
	}()
}

// until polls the agent.
func (p *pi) until(what string, ok func(agentStatus) bool) (last agentStatus) {
	p.h.t.Helper()
	if !eventually(func() bool {
		g, answered := p.status()
		last = g
		return answered && ok(g)
	}) {
		p.h.t.Fatalf("%s: not within %s: %s; its status is %+v", p.node, patience, what, last)
	}
	return last
}

// kill ends the agent as a power cut does.
func (p *pi) kill() {
	p.h.t.Helper()
	if err := p.Kill(); err != nil {
		p.h.t.Fatal(err)
	}
	close(p.stop)
	<-p.done
}

// end stops the agent, which logs how many readings it took. A second run then
// publishes the readings that the first has left on disk.
func (p *pi) end() {
	t := p.h.t
	t.Helper()
	p.stopAgent()
	for i := range fast {
		p.env[fmt.Sprintf("SENSOR_%d_INTERVAL", i)] = "1h"
	}
	p.begin()
	p.until("nothing is left on disk", func(g agentStatus) bool { return g.connected && g.onDisk == 0 })
	p.kill()
}

// stopAgent stops the agent and reads its last log line.
func (p *pi) stopAgent() {
	t := p.h.t
	t.Helper()
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	close(p.stop)
	<-p.done
	log := p.Log()
	var line struct {
		Msg, Boot string
		Readings  uint64
	}
	if err := json.Unmarshal([]byte(log[strings.LastIndexByte(log, '\n')+1:]), &line); err != nil || line.Msg != "stopped" {
		t.Fatalf("%s did not log that it stopped: %v: %s", p.node, err, log)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[line.Boot], p.exact[line.Boot] = line.Readings, true
}
