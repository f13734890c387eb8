package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
)

// handler is what a function's server serves now.
type handler struct{ now atomic.Pointer[http.Handler] }

func (s *handler) serves(h http.Handler) { s.now.Store(&h) }

func (s *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.now.Load()).ServeHTTP(w, r) }

// With returns the user's variables with these changes.
func (h *Host) With(changes map[string]string) map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := maps.Clone(h.Vars)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, changes)
	return out
}

// other returns a host of the same functions with other variables. It runs none of them.
func (h *Host) other(vars map[string]string) *Host {
	o := h.Options
	o.Vars = vars
	return &Host{Options: o, beside: h.beside}
}

// live returns the environment of f with the user's variables vars. It is an error if f
// then has no live data.
func (h *Host) live(f *Function, vars map[string]string) (serve.Env, error) {
	build, ok := h.Build[f.Name]
	if !ok {
		return serve.Env{}, fmt.Errorf("%s does not run here", f.Name)
	}
	env, err := h.other(vars).prepare(f, build)
	switch {
	case err != nil:
		return env, errors.New(env.Secrets.Redact(err.Error()))
	case f.State != Live && len(f.Missing) > 0:
		return env, fmt.Errorf("%s lacks %s", f.Name, strings.Join(f.Missing, " and "))
	case f.State != Live:
		return env, fmt.Errorf("%s would stay on sample data", f.Name)
	}
	return env, nil
}

// Try calls a function once with the user's variables vars, as a dry run: it asks its
// upstreams and stores nothing. f has its environment with them. It returns the answer and
// what redacts the secrets among vars, which is never nil. It logs nothing.
func (h *Host) Try(ctx context.Context, f stack.Function, vars map[string]string) (a source.Answer, redact func(string) string, err error) {
	env, err := h.live(&Function{Function: f}, vars)
	redact = env.Secrets.Redact
	if err != nil {
		return a, redact, err
	}
	defer func() { // a panic would be logged with what was tried
		if recover() != nil {
			err = fmt.Errorf("%s failed: please report it", f.Name)
		}
	}()
	env.Log = slog.New(slog.DiscardHandler)
	srv, err := server(f.Name, env, h.Build[f.Name])
	if err != nil {
		return a, redact, errors.New(redact(err.Error()))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/?dry_run=true", http.NoBody)
	if err != nil {
		return a, redact, err
	}
	w := &recorder{header: http.Header{}}
	srv.Handler.ServeHTTP(w, req)
	if err := json.Unmarshal(w.body.Bytes(), &a); err != nil {
		return a, redact, fmt.Errorf("%s did not answer as a source does", f.Name)
	}
	return a, redact, nil
}

// Replace gives a running function another environment: f has it, with the user's variables
// vars. Calls in flight end in the old one. After an error nothing has changed.
func (h *Host) Replace(f stack.Function, vars map[string]string) error {
	out := Function{Function: f}
	env, err := h.live(&out, vars)
	if err != nil {
		return err
	}
	srv, err := server(f.Name, env, h.Build[f.Name])
	if err != nil {
		return errors.New(env.Secrets.Redact(err.Error()))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.functions, func(o Function) bool { return o.Name == f.Name })
	if i < 0 {
		return fmt.Errorf("%s does not run here", f.Name)
	}
	out.URL = h.functions[i].URL
	h.functions[i], h.Vars = out, vars
	h.handlers[i].serves(srv.Handler)
	return nil
}
