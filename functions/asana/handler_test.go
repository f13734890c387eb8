package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

const token = "1/7001:t0k3n0f4d4"

// house is asana with a real store and an Asana whose answers a test decides.
type house struct {
	t        *testing.T
	handler  http.Handler
	store    *store.Store
	logs     bytes.Buffer
	upstream *httptest.Server
	mu       sync.Mutex
	asked    []string // project and offset of each request
	answer   func(project, offset string) (code int, body string)
}

func newHouse(t *testing.T, projects string) *house {
	t.Helper()
	h := &house{t: t, answer: twoPages}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h.store = st
	h.upstream = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.upstream.Close)
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "asana-token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := config.Env{
		Vars:    map[string]string{"ASANA_URL": h.upstream.URL + "/api/1.0", "ASANA_PROJECTS": projects},
		Secrets: secret.NewFolder(secrets),
		Now:     func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
		Open:    func(context.Context) (*store.Store, error) { return st, nil },
	}
	env.Log = config.Logger(&h.logs, env.Secrets)
	if h.handler, err = New(env); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	project, offset := strings.Split(r.URL.Path, "/")[4], r.FormValue("offset")
	h.mu.Lock()
	h.asked = append(h.asked, project+" "+offset)
	h.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+token || r.FormValue("completed_since") != "now" || r.FormValue("limit") != "100" {
		h.t.Errorf("asked with %q and %q", r.Header, r.URL)
	}
	code, body := h.answer(project, offset)
	w.Header().Set("Retry-After", "30")
	w.WriteHeader(code)
	io.WriteString(w, body)
}

func twoPages(_, offset string) (int, string) {
	name := "testdata/page1.json"
	if offset != "" {
		name = "testdata/page2.json"
	}
	b, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return 200, string(b)
}

func (h *house) call() (source.Answer, *httptest.ResponseRecorder) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	var a source.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Fatalf("answer %q: %v", w.Body, err)
	}
	if s := w.Body.String() + h.logs.String(); strings.Contains(s, token) {
		h.t.Errorf("the token shows in %s", s)
	}
	return a, w
}

// open returns the open tasks as "project/id".
func (h *house) open() string {
	h.t.Helper()
	items, err := h.store.OpenItems(h.t.Context(), "asana", 100)
	if err != nil {
		h.t.Fatal(err)
	}
	var ids []string
	for _, i := range items {
		ids = append(ids, i.Target+"/"+i.ID)
	}
	return strings.Join(ids, " ")
}

func TestTasksOfAllPagesAreStoredOnce(t *testing.T) {
	h := newHouse(t, "Home:1001")
	if a, w := h.call(); w.Code != http.StatusOK || a.Status != "ok" || a.Stored != 3 {
		t.Errorf("first run: %d %s; want three tasks", w.Code, w.Body)
	}
	if got, want := h.open(), "Home/120004 Home/120003 Home/120001"; got != want {
		t.Errorf("open are %s, want %s", got, want)
	}
	if a, w := h.call(); w.Code != http.StatusOK || a.Stored != 0 || a.Unchanged != 3 {
		t.Errorf("rerun: %d %s; want nothing stored", w.Code, w.Body)
	}
}

func TestTaskThatIsNoLongerListedCloses(t *testing.T) {
	h := newHouse(t, "Home:1001")
	h.call()
	h.answer = func(string, string) (int, string) {
		_, body := twoPages("", "second")
		return 200, body
	}
	if a, w := h.call(); a.Stored != 1 || h.open() != "Home/120004 Home/120003" {
		t.Errorf("%d %s; want one task closed, open are %s", w.Code, w.Body, h.open())
	}
}

func TestNothingClosesWhileAPageIsMissing(t *testing.T) {
	h := newHouse(t, "Home:1001")
	h.call()
	before := h.open()
	h.answer = func(project, offset string) (int, string) {
		if offset != "" {
			return 404, "no such page"
		}
		return twoPages(project, offset)
	}
	if a, w := h.call(); w.Code != http.StatusBadGateway || a.Stored != 0 || h.open() != before {
		t.Errorf("%d %s; want 502 and open %s, got %s", w.Code, w.Body, before, h.open())
	}
}

const expired = `{"errors":[{"message":"offset: Your pagination token has expired."}]}`

func TestExpiredOffsetStartsAgainOnce(t *testing.T) {
	h := newHouse(t, "Home:1001")
	first := true
	h.answer = func(project, offset string) (int, string) {
		if offset != "" && first {
			first = false
			return 400, expired
		}
		return twoPages(project, offset)
	}
	if a, w := h.call(); a.Status != "ok" || a.Stored != 3 || len(h.asked) != 4 {
		t.Errorf("%d %s after %q; want three tasks after four requests", w.Code, w.Body, h.asked)
	}
	h.asked = nil
	h.answer = func(project, offset string) (int, string) {
		if offset != "" {
			return 400, expired
		}
		return twoPages(project, offset)
	}
	if a, w := h.call(); w.Code != http.StatusBadGateway || !strings.Contains(a.Error, "expired") || len(h.asked) != 4 {
		t.Errorf("%d %s after %q; want 502 after four requests", w.Code, w.Body, h.asked)
	}
}

func TestListWithoutEndIsRefused(t *testing.T) {
	h := newHouse(t, "Home:1001")
	h.answer = func(_, offset string) (int, string) {
		return 200, `{"data":[],"next_page":{"offset":"` + offset + `x"}}`
	}
	if a, w := h.call(); w.Code != http.StatusBadGateway || len(h.asked) != maxPages {
		t.Errorf("%d %s after %d requests; want 502 after %d", w.Code, a.Error, len(h.asked), maxPages)
	}
}

func TestOneProjectHidesNoOther(t *testing.T) {
	h := newHouse(t, "Home:1001; Gone:1002; 1003")
	h.answer = func(project, offset string) (int, string) {
		if project == "1002" {
			return 404, `{"errors":[{"message":"project: Unknown object: 1002"}]}`
		}
		return twoPages(project, offset)
	}
	a, w := h.call()
	if w.Code != http.StatusOK || a.Status != "partial" || a.Stored != 6 || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "no such project") {
		t.Errorf("%d %s; want two projects' tasks and a warning about Gone", w.Code, w.Body)
	}
}

func TestUpstreamThatFailsStoresNothing(t *testing.T) {
	_, good := twoPages("", "last")
	for _, tt := range []struct {
		name       string
		code       int
		body       string
		want       int
		says, wait string
	}{
		{"token", 401, `{"errors":[{"message":"Not Authorized"}]}`, 502, "token is not valid", ""},
		{"plan", 402, `{"errors":[{"message":"Payment Required"}]}`, 502, "plan does not include", ""},
		{"permission", 403, `{"errors":[{"message":"Forbidden"}]}`, 502, "may not read", ""},
		{"project", 404, `{"errors":[{"message":"project: Unknown object: 1001"}]}`, 502, "no such project", ""},
		{"first page", 400, `{"errors":[{"message":"limit: Must be between 1 and 100"}]}`, 502, "Must be between", ""},
		{"rate", 429, `{"errors":[{"message":"You've made too many requests and hit a rate limit."}]}`, 429, "too many requests", "30"},
		{"phrase", 500, `{"errors":[{"message":"Server Error","phrase":"6 sad squid snuggle softly"}]}`, 502, "6 sad squid", ""},
		{"error in a 200", 200, `{"errors":[{"message":"The request timed out."}]}`, 502, "timed out", ""},
		{"empty", 200, "", 502, "not the JSON", ""},
		{"HTML", 200, "<html><body>Sign in</body></html>", 502, "not the JSON", ""},
		{"truncated", 200, good[:len(good)/2], 502, "not the JSON", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, "Home:1001")
			h.answer = func(string, string) (int, string) { return tt.code, tt.body }
			a, w := h.call()
			if w.Code != tt.want || !strings.Contains(a.Error, tt.says) || w.Header().Get("Retry-After") != tt.wait || h.open() != "" {
				t.Errorf("%d %s; want %d with %q and Retry-After %q", w.Code, w.Body, tt.want, tt.says, tt.wait)
			}
		})
	}
}

func TestUpstreamThatIsDown(t *testing.T) {
	h := newHouse(t, "Home:1001")
	h.upstream.Close()
	if a, w := h.call(); w.Code != http.StatusBadGateway || a.Status != "failed" {
		t.Errorf("%d %s; want 502", w.Code, w.Body)
	}
}

func TestWithoutProjectsItIsNotConfigured(t *testing.T) {
	h := newHouse(t, "")
	if a, w := h.call(); w.Code != http.StatusOK || a.Status != "not_configured" || strings.Join(a.Missing, "") != "ASANA_PROJECTS" {
		t.Errorf("%d %s; want not_configured", w.Code, w.Body)
	}
}
