package relay

import (
	"cmp"
	"encoding/json"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stats count since the start.
type stats struct {
	taken, repeated, refused, calls, failed, lost, unanswered atomic.Uint64
}

// Handler serves the connector's own port:
//
//	GET  /healthz   200 while the process runs
//	GET  /readyz    200 if Slack is connected, else 503 with the reason
//	GET  /metrics   metrics for Prometheus
func (r *Relay) Handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(r)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { status(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if r.socket.connected.Load() {
			status(w, http.StatusOK, "ready")
			return
		}
		status(w, http.StatusServiceUnavailable, "waiting for Slack: "+cmp.Or(r.Problem(), "it has not answered yet"))
	})
	return mux
}

func status(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // fails only if the client has disconnected
}

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("hearth_slack_"+name, help, nil, nil)
}

var (
	descConnected  = desc("connected", "1 while Slack is connected")
	descTaken      = desc("clicks_taken_total", "buttons and commands written to the spool")
	descRepeated   = desc("clicks_repeated_total", "those that Slack sent again, recognised and not carried out twice")
	descRefused    = desc("clicks_refused_total", "those that could not be kept; Slack told the user")
	descCalls      = desc("calls_total", "calls of the function")
	descFailed     = desc("calls_failed_total", "calls of the function that failed")
	descLost       = desc("clicks_lost_total", "clicks given up, since the function failed at them for a day")
	descUnanswered = desc("answers_lost_total", "answers that Slack did not take; the click was carried out")
	descWaiting    = desc("clicks_waiting", "clicks not yet carried out")
	descSpoolBytes = desc("spool_bytes", "size of the spool")
)

// Describe implements prometheus.Collector.
func (r *Relay) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(r, ch) }

// Collect implements prometheus.Collector.
func (r *Relay) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v)
	}
	up := 0.0
	if r.socket.connected.Load() {
		up = 1
	}
	put(descConnected, prometheus.GaugeValue, up)
	for d, n := range map[*prometheus.Desc]*atomic.Uint64{descTaken: &r.stats.taken, descRepeated: &r.stats.repeated, descRefused: &r.stats.refused,
		descCalls: &r.stats.calls, descFailed: &r.stats.failed, descLost: &r.stats.lost, descUnanswered: &r.stats.unanswered} {
		put(d, prometheus.CounterValue, float64(n.Load()))
	}
	put(descWaiting, prometheus.GaugeValue, float64(r.reader.Lag().Records))
	put(descSpoolBytes, prometheus.GaugeValue, float64(r.spool.Stats().Bytes))
}
