package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stuckAfter is how long the delivery may take for one step before it counts as stuck.
const stuckAfter = time.Minute

func (r *reporter) handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(r)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", r.health)
	return mux
}

// health is bad only where a restart may help: a broker that is away, a full disk
// and a broken sensor are named, but a restart does not mend them.
func (r *reporter) health(w http.ResponseWriter, _ *http.Request) {
	v := r.monitor.look()
	code, state := http.StatusOK, "ok"
	if r.monitor.up.now()-time.Duration(r.monitor.lastBeat.Load()) > stuckAfter {
		code, state = http.StatusServiceUnavailable, "stuck"
	}
	failing := []string{}
	for _, s := range r.sensors {
		s.mu.Lock()
		if s.fails() || s.stats.hangs(s.set.Deadline) {
			failing = append(failing, s.set.Device)
		}
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller left
		"status": state, "boot": r.boot, "connected": v.connected, "clock": r.calendar.isSet(), "disk": v.disk,
		"failing": failing, "lost": r.monitor.lost.Load() + v.window.Dropped,
	})
}

// fails reports a sensor whose last sample failed. With s.mu.
func (s *sensor) fails() bool { return !s.stats.up && s.stats.errors > 0 }

// hangs reports a read that did not heed its deadline. With the sensor's mu.
func (s sensorStats) hangs(deadline time.Duration) bool {
	return !s.since.IsZero() && time.Since(s.since) > 2*deadline
}
