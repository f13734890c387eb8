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
)

// pi is a node with the edge agent, a process of its own: the real drivers on
// simulated sensors.
type pi struct {
	*testserver.Server
	h          *house
	node       string
	env        map[string]string
	stop, done chan struct{} // of watch

	mu    sync.Mutex
	last  glance
	kept  map[string]uint64 // by boot: numbers up to here were published or on disk
	exact map[string]bool   // and there are no more: the run came to a clean end
}

// glance is what an agent says of itself at one moment.
type glance struct {
	boot                 string
	connected            bool
	numbered             uint64
	window, spool        float64 // readings in memory, on disk
	published, confirmed float64
}

// fast are the sensors of a node: kind, and what else it takes.
var fast = []string{"host", "host", "host", "kasa HOST=sim", "kasa HOST=sim", "nut", "nut", "mhz19b PORT=sim", "bme280", "soil DRY=2.7 WET=1.3"}

// identify says where InfluxDB keeps a number that every reading of a kind has.
var identify = map[string][2]string{
	"host": {"host", "load_1m"}, "kasa": {"power", "power_watts"}, "nut": {"ups", "battery_percent"},
	"mhz19b": {"air", "co2_ppm"}, "bme280": {"air", "temperature_celsius"}, "soil": {"soil", "voltage_volts"},
}

// pi starts an agent that reads each of its sensors at every interval.
func (h *house) pi(node string, interval time.Duration, settings map[string]string) *pi {
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
			h.t.Logf("%s's last words:\n%s", node, p.Log())
		}
	})
	return p
}

// begin starts the process with p.env.
func (p *pi) begin() {
	t := p.h.t
	t.Helper()
	addr := freeAddr(t)
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

// look asks the agent; ok is false while it is away.
func (p *pi) look() (g glance, ok bool) {
	res, err := http.Get("http://" + p.Addr + "/healthz")
	if err != nil {
		return g, false
	}
	defer res.Body.Close()
	var health struct{ Boot string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&health); err != nil {
		return g, false
	}
	m, err := (&house{connector: p.Server}).metrics()
	if err != nil {
		return g, false
	}
	return glance{
		health.Boot, m["hearth_edge_connected"] == 1, uint64(m["hearth_edge_numbered_total"]),
		m["hearth_edge_window_readings"] + m["hearth_edge_pending_readings"], m["hearth_edge_spool_readings"],
		m["hearth_edge_published_total"], m["hearth_edge_confirmed_total"],
	}, true
}

// watch notes which numbers must arrive: what was numbered one look ago while the
// connection stands, for it has been published by now, and what is on disk while
// it does not.
func (p *pi) watch() {
	stop, done := make(chan struct{}), make(chan struct{})
	p.stop, p.done = stop, done
	p.mu.Lock()
	p.last = glance{}
	p.mu.Unlock()
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			g, ok := p.look()
			if !ok {
				continue
			}
			p.mu.Lock()
			switch {
			case g.connected && p.last.connected && g.boot == p.last.boot && g.numbered > p.last.numbered:
				p.kept[g.boot] = max(p.kept[g.boot], p.last.numbered)
			case !g.connected && g.window == 0:
				p.kept[g.boot] = max(p.kept[g.boot], g.numbered)
			}
			if g.boot != p.last.boot || g.numbered > p.last.numbered || g.connected != p.last.connected || g.window != p.last.window {
				p.last = g
			}
			p.mu.Unlock()
		}
	}()
}

// until polls the agent.
func (p *pi) until(what string, ok func(glance) bool) (last glance) {
	p.h.t.Helper()
	if !eventually(func() bool {
		g, answered := p.look()
		last = g
		return answered && ok(g)
	}) {
		p.h.t.Fatalf("%s: not within %s: %s; it says %+v", p.node, patience, what, last)
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

// end stops the agent, which says how many readings it took, and has another run
// bring what it left on disk.
func (p *pi) end() {
	t := p.h.t
	t.Helper()
	p.halt()
	for i := range fast {
		p.env[fmt.Sprintf("SENSOR_%d_INTERVAL", i)] = "1h"
	}
	p.begin()
	p.until("nothing is left on disk", func(g glance) bool { return g.connected && g.spool == 0 })
	p.kill()
}

// halt stops the agent and reads its last word.
func (p *pi) halt() {
	t := p.h.t
	t.Helper()
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	close(p.stop)
	<-p.done
	log := p.Log()
	var word struct {
		Msg, Boot string
		Readings  uint64
	}
	if err := json.Unmarshal([]byte(log[strings.LastIndexByte(log, '\n')+1:]), &word); err != nil || word.Msg != "stopped" {
		t.Fatalf("%s did not say that it stopped: %v: %s", p.node, err, log)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[word.Boot], p.exact[word.Boot] = word.Readings, true
}
