// Package sourcetest runs a source in a test: with a real store, secrets, an
// upstream whose answers the test chooses, a server in place of Slack that records
// messages, and a clock. A test fails if one of its secrets appears in an answer,
// the log, a message to Slack or the database.
package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

type (
	Build   = func(serve.Env) (http.Handler, error) // a function's New
	Vars    map[string]string                       // its environment; http://upstream is replaced by the upstream's address
	Secrets map[string]string                       // values by name; http://slack is replaced by the address of the Slack server
)

// Fixture is a source with everything that it needs. A test may read and change
// the exported fields between calls, not during one.
type Fixture struct {
	Env         serve.Env // Build fills in its Vars from Vars
	Vars        Vars
	Source      http.Handler
	Store       *store.Store
	Upstream    *httptest.Server
	Answer      http.HandlerFunc // answers the requests to Upstream
	Requests    []string         // to the upstream: path and query of each
	Messages    []string         // to Slack: the texts
	SlackStatus int              // if not 0, Slack refuses messages with this status
	Log         bytes.Buffer

	t       testing.TB
	secrets Secrets
	begin   time.Time
	folder  string       // of the secrets
	output  bytes.Buffer // all answers and messages, to search for secrets
	slack   *httptest.Server
	mu      sync.Mutex
	now     time.Time
}

// Start returns a fixture with the built source. Its clock starts at now, and its
// upstream answers with answer. For a recorded answer, now should be shortly after
// it was recorded, since a source refuses readings from the future.
func Start(t testing.TB, now time.Time, build Build, vars Vars, secrets Secrets, answer http.HandlerFunc) *Fixture {
	t.Helper()
	h := &Fixture{t: t, Vars: Vars{}, Answer: answer, secrets: Secrets{}, folder: t.TempDir(), begin: now, now: now}
	database := filepath.Join(t.TempDir(), "hearth.db")
	st, err := sqlite.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.checkSecrets(database) })
	maps.Copy(h.Vars, vars)
	h.Store, h.Upstream, h.slack = st, h.listen(h.serveUpstream), h.listen(h.serveSlack)
	for name, v := range secrets {
		h.Secret(name, v)
	}
	h.Env = serve.Env{
		Env:  config.Env{Secrets: secret.NewFolder(h.folder), Now: h.Now},
		Open: func(context.Context) (*store.Store, error) { return st, nil },
	}
	h.Env.Log = config.Logger(&h.Log, h.Env.Secrets)
	h.Build(build)
	return h
}

// Build builds the source again from Vars, as a new process does.
func (h *Fixture) Build(build Build) {
	h.t.Helper()
	h.Env.Vars = map[string]string{}
	for k, v := range h.Vars {
		h.Env.Vars[k] = strings.ReplaceAll(v, "http://upstream", h.Upstream.URL)
	}
	var err error
	if h.Source, err = build(h.Env); err != nil {
		h.t.Fatal(err)
	}
}

// Post calls the source as curl -X POST host/?query does. header holds pairs of a
// name and a value.
func (h *Fixture) Post(query string, header ...string) (a source.Answer, w *httptest.ResponseRecorder) {
	h.t.Helper()
	r, w := httptest.NewRequest(http.MethodPost, "/?"+query, nil), httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	h.Source.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Errorf("answer %q: %v", w.Body, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintln(&h.output, w.Header(), w.Body)
	return a, w
}

// Secret sets or replaces the value of a secret.
func (h *Fixture) Secret(name, v string) {
	h.t.Helper()
	h.secrets[name] = strings.ReplaceAll(v, "http://slack", h.slack.URL)
	if err := os.WriteFile(filepath.Join(h.folder, name), []byte(h.secrets[name]+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// Now returns the time of the fixture's clock. No two calls return the same time.
func (h *Fixture) Now() time.Time { return h.Later(time.Millisecond) }

// Later advances the clock by d and returns the new time.
func (h *Fixture) Later(d time.Duration) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	return h.now
}

// Items returns the open items.
func (h *Fixture) Items() []item.Item {
	h.t.Helper()
	items, err := h.Store.OpenItems(h.t.Context(), "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return items
}

// Readings returns the stored readings of a measurement.
func (h *Fixture) Readings(name string) []reading.Reading {
	h.t.Helper()
	rs, err := h.Store.Between(h.t.Context(), name, nil, time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), h.begin.AddDate(5, 0, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	return rs
}
