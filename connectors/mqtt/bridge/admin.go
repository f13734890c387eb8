package bridge

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves the connector's own port:
//
//	GET  /healthz       200 while the process runs
//	GET  /readyz        200 if the broker is connected and has the subscriptions of all functions, else 503 with the reason
//	GET  /metrics       metrics for Prometheus
//	/dead, /dead/…      dead letters, with a token: see deadletter.Letters.Handler
func (b *Bridge) Handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(b)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { status(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", b.ready)
	dead := b.letters.Handler(b.config.Token)
	mux.Handle("/dead", dead)
	mux.Handle("/dead/", dead)
	return mux
}

func (b *Bridge) ready(w http.ResponseWriter, _ *http.Request) {
	switch problem := b.Problem(); {
	case b.Ready():
		status(w, http.StatusOK, "ready")
	case problem.Kind != "":
		status(w, http.StatusServiceUnavailable, "waiting for the broker: "+b.redact(problem.Text, problemBytes))
	case !b.intake.Connected():
		status(w, http.StatusServiceUnavailable, "waiting for the broker")
	case !b.deliver.Listed():
		status(w, http.StatusServiceUnavailable, "waiting for the gateway")
	default:
		status(w, http.StatusServiceUnavailable, "waiting for the broker's subscriptions")
	}
}

func status(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // fails only if the client has disconnected
}
