// Package sourcetest gives a source a house to run in: a real store, secrets,
// an upstream that a test decides, a Slack that listens, and a clock. A test
// fails where a secret of its house shows: in an answer, the log, a message to
// Slack or the database.
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
	Vars    map[string]string                       // its environment; http://upstream stands for the upstream's address
	Secrets map[string]string                       // values by name; http://slack stands for Slack's address
)

// House is what surrounds a source. What it shows of its servers is to be
// looked at, and changed, between calls.
type House struct {
	Env      serve.Env // Build fills in its Vars from Vars
	Vars     Vars
	Source   http.Handler
	Store    *store.Store
	Upstream *httptest.Server
	Answer   http.HandlerFunc // the upstream's
	Asked    []string         // of the upstream: paths and queries
	Told     []string         // to Slack
	Refusal  int              // Slack's status, if it takes no message
	Log      bytes.Buffer

	t       testing.TB
	secrets Secrets
	begin   time.Time
	folder  string       // of the secrets
	said    bytes.Buffer // all answers and messages
	slack   *httptest.Server
	mu      sync.Mutex
	now     time.Time
}

// Start builds a source in a house whose clock begins at now and whose upstream
// gives this answer. A test that replays a recorded answer begins shortly after
// the moment at which it was recorded: the source refuses what its clock calls
// the future.
func Start(t testing.TB, now time.Time, build Build, vars Vars, secrets Secrets, answer http.HandlerFunc) *House {
	t.Helper()
	h := &House{t: t, Vars: Vars{}, Answer: answer, secrets: Secrets{}, folder: t.TempDir(), begin: now, now: now}
	database := filepath.Join(t.TempDir(), "hearth.db")
	st, err := sqlite.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.leaks(database) })
	maps.Copy(h.Vars, vars)
	h.Store, h.Upstream, h.slack = st, h.listen(h.ask), h.listen(h.hear)
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

// Build builds the source anew, as a new process does.
func (h *House) Build(build Build) {
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

// Post calls the source as curl -X POST host/?query does.
func (h *House) Post(query string, header ...string) (a source.Answer, w *httptest.ResponseRecorder) {
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
	fmt.Fprintln(&h.said, w.Header(), w.Body)
	return a, w
}

// Secret gives a secret its value, or another one.
func (h *House) Secret(name, v string) {
	h.t.Helper()
	h.secrets[name] = strings.ReplaceAll(v, "http://slack", h.slack.URL)
	if err := os.WriteFile(filepath.Join(h.folder, name), []byte(h.secrets[name]+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// Now is the house's clock. No two moments are the same.
func (h *House) Now() time.Time { return h.Later(time.Millisecond) }

// Later moves the clock.
func (h *House) Later(d time.Duration) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	return h.now
}

// Items returns what is open.
func (h *House) Items() []item.Item {
	h.t.Helper()
	items, err := h.Store.OpenItems(h.t.Context(), "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return items
}

// Readings returns what is stored of a measurement.
func (h *House) Readings(name string) []reading.Reading {
	h.t.Helper()
	rs, err := h.Store.Between(h.t.Context(), name, nil, time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), h.begin.AddDate(5, 0, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	return rs
}
