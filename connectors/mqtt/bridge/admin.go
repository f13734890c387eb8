package bridge

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves the connector's own port:
//
//	GET  /healthz       200 while the process works
//	GET  /readyz        200 once the broker is connected and subscribed to what the functions want
//	GET  /metrics       for Prometheus
//	GET  /dead          list of dead letters; ?id= ?function= ?topic= (a filter) ?reason=
//	GET  /dead/{id}     the letters of one message, with their bytes
//	POST /dead/replay   puts the matching ones back; {"replayed":n}, and "on_the_way" those that were put back before
//	POST /dead/drop     removes the matching ones; {"dropped":n}
//
// The calls under /dead want "Authorization: Bearer <connector-token>".
func (b *Bridge) Handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(b)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /readyz", b.ready)
	mux.Handle("GET /dead", b.guard(func(w http.ResponseWriter, r *http.Request) { answer(w, 200, b.shown(query(r))) }))
	mux.Handle("GET /dead/{id}", b.guard(b.show))
	mux.Handle("POST /dead/replay", b.guard(func(w http.ResponseWriter, r *http.Request) {
		done, err := b.dead.replay(r.Context(), query(r))
		switch why := done.refused(); {
		case err != nil:
			b.report(w, "replayed", done.Replayed, err)
		case why != "":
			answer(w, http.StatusConflict, map[string]any{"cut": done.Cut, "error": why})
		default:
			answer(w, 200, done)
		}
	}))
	mux.Handle("POST /dead/drop", b.guard(func(w http.ResponseWriter, r *http.Request) {
		n, err := b.dead.drop(query(r))
		b.report(w, "dropped", n, err)
	}))
	return mux
}

// Ready reports whether the broker is connected and subscribed to what the
// functions want.
func (b *Bridge) Ready() bool { return b.broker.up.Load() && b.known() && b.hears.Load() }

// known reports whether the gateway has named the functions.
func (b *Bridge) known() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.looked
}

func (b *Bridge) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case b.Ready():
		answer(w, 200, map[string]string{"status": "ready"})
	case !b.broker.up.Load():
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "waiting for the broker"})
	case !b.known():
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "waiting for the gateway"})
	default:
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "waiting for the broker's subscriptions"})
	}
}

func (b *Bridge) guard(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := b.config.Token.Reveal()
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case token == "":
			answer(w, http.StatusForbidden, map[string]string{"error": "set the secret " + b.config.Token.Name() + " to use this"})
		case subtle.ConstantTimeCompare([]byte(token), []byte(given)) != 1:
			answer(w, http.StatusUnauthorized, map[string]string{"error": "the token is wrong or missing"})
		default:
			next(w, r)
		}
	})
}

func query(r *http.Request) Query {
	q := r.URL.Query()
	return Query{ID: q.Get("id"), Function: q.Get("function"), Topic: q.Get("topic"), Reason: q.Get("reason")}
}

func (b *Bridge) shown(q Query) []DeadLetter {
	ds := b.dead.list(q)
	for i := range ds {
		ds[i] = b.dead.shown(ds[i])
	}
	return ds
}

func (b *Bridge) show(w http.ResponseWriter, r *http.Request) {
	var out []*DeadLetter
	for _, d := range b.dead.list(Query{ID: r.PathValue("id")}) {
		if whole, err := b.dead.read(fileName(d.Function, d.ID)); err == nil {
			d := b.dead.shown(*whole)
			out = append(out, &d)
		}
	}
	if len(out) == 0 {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is no such dead letter"})
		return
	}
	answer(w, 200, out)
}

func (b *Bridge) report(w http.ResponseWriter, what string, n int, err error) {
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{what: n, "error": b.redact(err.Error())})
		return
	}
	answer(w, 200, map[string]int{what: n})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the caller left
}
