package function

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

const token = "github_pat_planted0000"

// house is the function's surroundings: a GitHub with an answer for each path,
// a Slack that listens, a real store, a clock.
type house struct {
	t       *testing.T
	env     config.Env
	store   *store.Store
	github  *httptest.Server
	secrets string

	mu     sync.Mutex
	now    time.Time
	answer map[string]http.HandlerFunc // by path
	asked  []string
	told   []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: now, answer: map[string]http.HandlerFunc{}}
	h.github = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.github.Close)
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h.store, h.secrets = st, t.TempDir()
	h.secret("github-token", token)
	h.env = config.Env{
		Vars:    map[string]string{"GITHUB_URL": h.github.URL, "GITHUB_OWNERS": "octocat", "GITHUB_REPOS": "octocat/hello-world"},
		Secrets: secret.NewFolder(h.secrets), Log: slog.New(slog.DiscardHandler),
		Now:  func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Open: func(context.Context) (*store.Store, error) { return st, nil },
	}
	h.set("/users/octocat/settings/billing/usage", body(string(read(t, "usage.json"))))
	h.set("/repos/octocat/hello-world/actions/runs", body(string(read(t, "runs.json"))))
	h.set("/repos/octocat/hello-world/dependabot/alerts", body(string(read(t, "alerts.json"))))
	return h
}

func (h *house) secret(name, v string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.secrets, name), []byte(v+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func body(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
}

func fails(code int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"message":%q}`, text)
	}
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/slack" {
		var m struct{ Text string }
		json.NewDecoder(r.Body).Decode(&m)
		line, _, _ := strings.Cut(m.Text, "\n")
		h.told = append(h.told, line)
		return
	}
	h.asked = append(h.asked, r.URL.Path+"?"+r.URL.RawQuery)
	if r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("X-GitHub-Api-Version") == "" {
		fails(401, "Bad credentials")(w, r)
		return
	}
	if answer := h.answer[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	fails(404, "Not Found")(w, r)
}

func (h *house) set(path string, f http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer[path] = f
}

func (h *house) later(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

func (h *house) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	slices.Sort(told)
	return told
}

func (h *house) call(query string) (source.Answer, *httptest.ResponseRecorder) {
	h.t.Helper()
	f, err := New(h.env)
	if err != nil {
		h.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+query, nil))
	var a source.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Fatalf("answer %q: %v", w.Body, err)
	}
	if strings.Contains(w.Body.String(), token) {
		h.t.Errorf("the token is in the answer: %s", w.Body)
	}
	return a, w
}
