package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// common are the variables that every source has. Setting one does not make a source
// live.
var common = commonVariables()

func commonVariables() map[string]bool {
	out := map[string]bool{"read_timeout": true, "write_timeout": true, "healthcheck_interval": true}
	var all struct {
		Store  store.Config
		Source source.Config
		Serve  serve.Config
	}
	params, err := env.GetFieldParams(&all)
	if err != nil {
		panic("the shared Config structs have no readable env tags: " + err.Error()) // seen by every test
	}
	for _, p := range params {
		out[p.Key] = true
	}
	return out
}

// LiveNames returns the elements of LIVE.
func LiveNames(vars map[string]string) []string {
	return strings.FieldsFunc(vars["LIVE"], func(r rune) bool { return strings.ContainsRune(", ;", r) })
}

// liveRequested reports whether the user has set a key for the function's upstreams, or
// has named the function in LIVE.
func (h *Host) liveRequested(f stack.Function) bool {
	live := LiveNames(h.Vars)
	if slices.Contains(live, "all") || slices.Contains(live, f.Name) {
		return true
	}
	return slices.ContainsFunc(f.Secrets, func(name string) bool { return ofUpstream(name) && h.Vars[Variable(name)] != "" })
}

// ownVariableSet reports whether the user set a variable that only this function has.
func (h *Host) ownVariableSet(f stack.Function) bool {
	return slices.ContainsFunc(f.Settings, func(k string) bool { return !common[k] && h.Vars[k] != "" })
}

func ofUpstream(secret string) bool {
	return !strings.HasPrefix(secret, "slack-") && !slices.Contains([]string{"hearth-settings", "database-url", "influx-token", AuthoritySecret, "ntfy-token", "alert-webhook"}, secret)
}

var errProbe = errors.New("a probe opens no store")

// probe calls the function and returns the missing settings that it answers. No upstream
// is called: a configured source opens the store first, and that fails here.
func probe(build Builder, env serve.Env) []string {
	env.Open = func(context.Context) (*store.Store, error) { return nil, errProbe }
	env.Log = slog.New(slog.DiscardHandler)
	h, err := build(env)
	if err != nil {
		return nil // server builds it again and reports the error
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/", http.NoBody)
	if err != nil {
		return nil
	}
	w := &recorder{header: http.Header{}}
	h.ServeHTTP(w, req)
	var a source.Answer
	if json.Unmarshal(w.body.Bytes(), &a) != nil || a.Status != "not_configured" {
		return nil
	}
	return a.Missing
}

// HasHistory reports whether a function can be backfilled. Where its settings are too wrong to
// tell, it is assumed to: its answer to a call says more.
func HasHistory(build Builder, f stack.Function) bool {
	h, err := build(serve.Env{Env: config.Env{
		Vars: maps.Clone(f.Env), Secrets: secret.InMemory(nil, nil), Now: time.Now, Log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		return true
	}
	s, ok := h.(interface{ HasHistory() bool })
	return ok && s.HasHistory()
}

type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

const secretPrefix = "secret " // begins the name of a secret in source.Answer.Missing

func secretsOf(missing []string) []string {
	var out []string
	for _, m := range missing {
		if name, ok := strings.CutPrefix(m, secretPrefix); ok {
			out = append(out, name)
		}
	}
	return out
}

// variables returns the variables for .env that set the missing settings and secrets.
func variables(missing []string) []string {
	out := make([]string, len(missing))
	for i, m := range missing {
		out[i] = m
		if name, ok := strings.CutPrefix(m, secretPrefix); ok {
			out[i] = Variable(name)
		}
	}
	return out
}

// Overlay sets the variables of sample/env in vars. A folder without that file changes
// nothing.
func Overlay(vars map[string]string, folder fs.FS) error {
	b, err := fs.ReadFile(folder, "env")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	more, err := dotenv.Parse(string(b))
	for k, v := range more {
		vars[k] = v
	}
	return err
}
