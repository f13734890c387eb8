package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stuckAfter is how long the loop may take for one step before it counts as stuck.
const stuckAfter = time.Minute

// Handler serves the agent's own port:
//
//	GET /healthz  200 while readings are delivered or kept; what is amiss in words
//	GET /metrics  for Prometheus
func (a *Agent) Handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(a)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", a.health)
	return mux
}

// health is bad only where a restart may help: a broker that is away, a full disk
// and a broken sensor are told, but are not the agent's.
func (a *Agent) health(w http.ResponseWriter, _ *http.Request) {
	v := a.look()
	code, state := http.StatusOK, "ok"
	if a.now()-time.Duration(a.lastBeat.Load()) > stuckAfter {
		code, state = http.StatusServiceUnavailable, "stuck"
	}
	failing := []string{}
	for _, s := range a.sensors {
		s.mu.Lock()
		if s.fails() || s.stats.hangs(s.set.Deadline) {
			failing = append(failing, s.set.Device)
		}
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller left
		"status": state, "boot": a.boot, "connected": v.connected, "clock": a.clockOK.Load(), "disk": v.disk,
		"failing": failing, "lost": a.lost.Load() + v.window.Dropped,
	})
}

// fails reports a sensor whose last sample failed. With s.mu.
func (s *sensor) fails() bool { return !s.stats.up && s.stats.errors > 0 }

// hangs reports a read that did not heed its deadline. With the sensor's mu.
func (s sensorStats) hangs(deadline time.Duration) bool {
	return !s.since.IsZero() && time.Since(s.since) > 2*deadline
}
