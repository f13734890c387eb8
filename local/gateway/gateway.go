// Package gateway serves the OpenFaaS gateway API for functions that run on this
// machine. faas-cli and the connectors work with it.
package gateway

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/openfaas/faas-provider/proxy"
	"github.com/openfaas/faas-provider/types"
)

// namespace is the only namespace, as in the Community Edition.
const namespace = "openfaas-fn"

// timeout is how long a call may take. Functions end their calls earlier.
const timeout = 60 * time.Second

// Function is a function behind the gateway.
type Function struct {
	Status types.FunctionStatus // what the API answers; the gateway sets namespace, replicas and counts
	URL    url.URL              // where it listens
}

// Gateway is an http.Handler for the whole API.
type Gateway struct {
	mux       http.ServeMux
	functions map[string]*function
	order     []string
	ready     atomic.Bool
}

type function struct {
	Function
	calls   atomic.Int64
	created time.Time
}

// New returns a gateway for fs that is not ready yet (see Ready). Requests outside of the
// API go to page.
func New(fs []Function, page http.Handler, log *slog.Logger) *Gateway {
	g := &Gateway{functions: map[string]*function{}}
	for _, f := range fs {
		g.functions[f.Status.Name] = &function{Function: f, created: time.Now()}
		g.order = append(g.order, f.Status.Name)
	}
	invoke := g.invoke(log)
	g.mux.HandleFunc("GET /healthz", g.healthz)
	g.mux.HandleFunc("GET /system/functions", g.list)
	g.mux.HandleFunc("GET /system/function/{name}", g.describe)
	g.mux.HandleFunc("GET /system/info", info)
	g.mux.HandleFunc("GET /system/namespaces", namespaces)
	g.mux.HandleFunc("/system/", refuse("this gateway takes its functions from stack.yml: edit stack.yml and restart"))
	g.mux.HandleFunc("/system/secrets", refuse("secrets are variables in .env (openweather-key is OPENWEATHER_KEY): edit .env and restart"))
	g.mux.HandleFunc("/system/logs", refuse("the logs of all functions are in the terminal that runs the platform"))
	g.mux.HandleFunc("/async-function/", refuse("this gateway has no queue: call /function/NAME and wait for the answer"))
	g.mux.HandleFunc("/function/{name}", invoke)
	g.mux.HandleFunc("/function/{name}/{params...}", invoke)
	g.mux.Handle("/", page)
	return g
}

// Ready sets what GET /healthz answers: 200 if all parts of the platform are up, else 503.
func (g *Gateway) Ready(up bool) { g.ready.Store(up) }

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

func (g *Gateway) healthz(w http.ResponseWriter, _ *http.Request) {
	if !g.ready.Load() {
		http.Error(w, "not everything is up yet", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "OK")
}

// invoke passes a call on to the function by faas-provider's proxy.
func (g *Gateway) invoke(log *slog.Logger) http.HandlerFunc {
	forward := proxy.NewHandlerFunc(types.FaaSConfig{ReadTimeout: timeout}, resolver{g}, false)
	return func(w http.ResponseWriter, r *http.Request) {
		f, ok := g.find(r.PathValue("name"))
		if !ok {
			http.Error(w, fmt.Sprintf("there is no function %q", r.PathValue("name")), http.StatusNotFound)
			return
		}
		f.calls.Add(1)
		r.Header.Del("Origin") // Guard has checked it, and the function's own guard would compare it with another port
		start := time.Now()
		seen := &status{ResponseWriter: w}
		forward(seen, mux.SetURLVars(r, map[string]string{"name": f.Status.Name, "params": r.PathValue("params")}))
		if seen.code >= 500 && w.Header().Get("X-OpenFaaS-Internal") != "" {
			log.Warn("no answer", "function", f.Status.Name, "after", time.Since(start).Round(time.Millisecond))
		}
	}
}

// status records an answer's status code.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap gives http.ResponseController the writer below, so that streams can be flushed.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

type resolver struct{ g *Gateway }

func (r resolver) Resolve(name string) (url.URL, error) {
	f, ok := r.g.find(name)
	if !ok {
		return url.URL{}, fmt.Errorf("no function %q", name)
	}
	return f.URL, nil
}

// find returns a function by NAME or NAME.openfaas-fn.
func (g *Gateway) find(name string) (*function, bool) {
	f, ok := g.functions[strings.TrimSuffix(name, "."+namespace)]
	return f, ok
}

func (f *function) status() types.FunctionStatus {
	s := f.Status
	s.Namespace, s.Replicas, s.AvailableReplicas = namespace, 1, 1
	s.InvocationCount, s.CreatedAt = float64(f.calls.Load()), f.created
	return s
}

func (g *Gateway) list(w http.ResponseWriter, r *http.Request) {
	out := []types.FunctionStatus{}
	if ns := r.URL.Query().Get("namespace"); ns == "" || ns == namespace {
		for _, name := range g.order {
			out = append(out, g.functions[name].status())
		}
	}
	answer(w, out)
}

func (g *Gateway) describe(w http.ResponseWriter, r *http.Request) {
	f, ok := g.find(r.PathValue("name"))
	if !ok {
		http.Error(w, fmt.Sprintf("there is no function %q", r.PathValue("name")), http.StatusNotFound)
		return
	}
	answer(w, f.status())
}

func info(w http.ResponseWriter, _ *http.Request) {
	version := &types.VersionInfo{Release: "local", SHA: "local"}
	answer(w, struct {
		Provider types.ProviderInfo `json:"provider"`
		Version  *types.VersionInfo `json:"version"`
		Arch     string             `json:"arch"`
	}{types.ProviderInfo{Name: "hearth", Orchestration: "one process", Version: version}, version, runtime.GOARCH})
}

func namespaces(w http.ResponseWriter, _ *http.Request) { answer(w, []string{namespace}) }

func refuse(sentence string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, sentence, http.StatusNotImplemented) }
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // an error: the caller has closed the connection
}
