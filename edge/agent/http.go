package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stuckAfter is how long delivery may go without a tick before it counts as stuck.
const stuckAfter = time.Minute

func (r *reporter) handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(r)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", r.health)
	return mux
}

// health answers 503 only if a restart may help, that is if delivery is stuck. A broker
// that cannot be reached, a full disk and failing sensors are named in the answer, but
// a restart does not repair them.
func (r *reporter) health(w http.ResponseWriter, _ *http.Request) {
	v := r.monitor.snapshot()
	code, state := http.StatusOK, "ok"
	if r.monitor.up.now()-time.Duration(r.monitor.lastBeat.Load()) > stuckAfter {
		code, state = http.StatusServiceUnavailable, "stuck"
	}
	failing := []string{}
	for _, s := range r.sensors {
		s.mu.Lock()
		if s.fails() || s.stats.hangs(s.config.Deadline) {
			failing = append(failing, s.config.Device)
		}
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller disconnected
		"status": state, "boot": r.boot, "connected": v.connected, "broker": r.broker.Problem().Text, "clock": r.timekeeper.isSet(), "disk": v.disk,
		"failing": failing, "lost": r.monitor.lost.Load() + v.window.Dropped,
	})
}

// fails reports whether the last sample failed. The caller holds s.mu.
func (s *sensor) fails() bool { return !s.stats.up && s.stats.errors > 0 }

// hangs reports whether a read has taken twice its deadline. The caller holds the
// sensor's mu.
func (s sensorStats) hangs(deadline time.Duration) bool {
	return !s.since.IsZero() && time.Since(s.since) > 2*deadline
}
