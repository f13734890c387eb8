package function

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

const token = "1/7001:t0k3n0f4d4"

var secrets = sourcetest.Secrets{"asana-token": token}

func vars(projects string) sourcetest.Vars {
	return sourcetest.Vars{"ASANA_URL": "http://upstream/api/1.0", "ASANA_PROJECTS": projects}
}

// list answers a request for the tasks of a project from an offset on. A request without
// the token or with wrong parameters is refused.
type list func(project, offset string) (code int, body string)

func (l list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, body := 401, `{"errors":[{"message":"Not Authorized"}]}`
	if r.Header.Get("Authorization") == "Bearer "+token && r.FormValue("completed_since") == "now" && r.FormValue("limit") == "100" {
		code, body = l(strings.Split(r.URL.Path, "/")[4], r.FormValue("offset"))
	}
	sourcetest.Respond(code, body, "Retry-After", "30")(w, r)
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

// noon is after the last change of a task in testdata.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func start(t *testing.T, projects string, answer list) *sourcetest.Fixture {
	return sourcetest.Start(t, noon, New, vars(projects), secrets, answer.ServeHTTP)
}

// open returns the open tasks as "project/id".
func open(h *sourcetest.Fixture) string {
	var ids []string
	for _, i := range h.Items() {
		ids = append(ids, i.Target+"/"+i.ID)
	}
	return strings.Join(ids, " ")
}

func TestTasksOfAllPagesAreStoredOnce(t *testing.T) {
	h := start(t, "Home:1001", twoPages)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || a.Stored != 3 {
		t.Errorf("first run: %d %s; want three tasks", w.Code, w.Body)
	}
	if got, want := open(h), "Home/120004 Home/120003 Home/120001"; got != want {
		t.Errorf("open are %s, want %s", got, want)
	}
	if a, w := h.Post(""); w.Code != 200 || a.Stored != 0 || a.Unchanged != 3 {
		t.Errorf("rerun: %d %s; want nothing stored", w.Code, w.Body)
	}
}

func TestATaskThatIsNoLongerListedIsClosed(t *testing.T) {
	h := start(t, "Home:1001", twoPages)
	h.Post("")
	h.Answer = list(func(string, string) (int, string) { return twoPages("", "second") }).ServeHTTP
	if a, w := h.Post(""); a.Stored != 1 || open(h) != "Home/120004 Home/120003" {
		t.Errorf("%d %s; want one task closed, open are %s", w.Code, w.Body, open(h))
	}
}

func TestNoTaskIsClosedWhileAPageIsMissing(t *testing.T) {
	h := start(t, "Home:1001", twoPages)
	h.Post("")
	before := open(h)
	h.Answer = list(func(project, offset string) (int, string) {
		if offset != "" {
			return 404, "no such page"
		}
		return twoPages(project, offset)
	}).ServeHTTP
	if a, w := h.Post(""); w.Code != 502 || a.Stored != 0 || open(h) != before {
		t.Errorf("%d %s; want 502 and open %s, got %s", w.Code, w.Body, before, open(h))
	}
}

func TestAnExpiredOffsetRestartsTheListOnce(t *testing.T) {
	for refused, want := range map[int]int{1: 200, 2: 502} {
		n := 0
		h := start(t, "Home:1001", func(project, offset string) (int, string) {
			if offset != "" && n < refused {
				n++
				return 400, `{"errors":[{"message":"offset: Your pagination token has expired."}]}`
			}
			return twoPages(project, offset)
		})
		a, w := h.Post("")
		if w.Code != want || len(h.Requests) != 4 {
			t.Errorf("refused %d times: %d %s after %q; want %d after four requests", refused, w.Code, w.Body, h.Requests, want)
		}
		if want == 200 && (a.Status != "ok" || a.Stored != 3) || want == 502 && !strings.Contains(a.Error, "expired") {
			t.Errorf("refused %d times: %s; want three tasks, or the reason", refused, w.Body)
		}
	}
}

func TestAListWithoutEndIsRefused(t *testing.T) {
	h := start(t, "Home:1001", func(_, offset string) (int, string) {
		return 200, `{"data":[],"next_page":{"offset":"` + offset + `x"}}`
	})
	if a, w := h.Post(""); w.Code != 502 || len(h.Requests) != maxPages {
		t.Errorf("%d %s after %d requests; want 502 after %d", w.Code, a.Error, len(h.Requests), maxPages)
	}
}

func TestAProjectFailsAlone(t *testing.T) {
	h := start(t, "Home:1001; Gone:1002; 1003", func(project, offset string) (int, string) {
		if project == "1002" {
			return 404, `{"errors":[{"message":"project: Unknown object: 1002"}]}`
		}
		return twoPages(project, offset)
	})
	a, w := h.Post("")
	if w.Code != 200 || a.Status != "partial" || a.Stored != 6 || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "no such project") {
		t.Errorf("%d %s; want two projects' tasks and a warning about Gone", w.Code, w.Body)
	}
}

// The statuses and bodies are those that Asana documents.
func TestAnErrorOfAsanaIsExplained(t *testing.T) {
	for _, tt := range []struct {
		code         int
		body         string
		want         int
		reason, wait string
	}{
		{401, `{"errors":[{"message":"Not Authorized"}]}`, 502, "token is not valid", ""},
		{402, `{"errors":[{"message":"Payment Required"}]}`, 502, "plan does not include", ""},
		{403, `{"errors":[{"message":"Forbidden"}]}`, 502, "may not read", ""},
		{404, `{"errors":[{"message":"project: Unknown object: 1001"}]}`, 502, "no such project", ""},
		{400, `{"errors":[{"message":"limit: Must be between 1 and 100"}]}`, 502, "Must be between", ""},
		{429, `{"errors":[{"message":"You've made too many requests and hit a rate limit."}]}`, 429, "too many requests", "30"},
		{500, `{"errors":[{"message":"Server Error","phrase":"6 sad squid snuggle softly"}]}`, 502, "Server Error", ""},
		{200, `{"errors":[{"message":"The request timed out."}]}`, 502, "timed out", ""},
		{200, "", 502, "not the documented JSON", ""},
		{200, "<html><body>Sign in</body></html>", 502, "not the documented JSON", ""},
	} {
		h := start(t, "Home:1001", func(string, string) (int, string) { return tt.code, tt.body })
		a, w := h.Post("")
		if w.Code != tt.want || !strings.Contains(a.Error, tt.reason) || w.Header().Get("Retry-After") != tt.wait || open(h) != "" {
			t.Errorf("%d %s: %d %s; want %d with %q and Retry-After %q", tt.code, tt.body, w.Code, w.Body, tt.want, tt.reason, tt.wait)
		}
	}
}

func TestFailures(t *testing.T) {
	sourcetest.Failures(t, noon, New, vars("Home:1001; Cabin:1002"), secrets, list(twoPages).ServeHTTP)
}

func TestWithoutProjectsItIsNotConfigured(t *testing.T) {
	h := start(t, "", twoPages)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "not_configured" || strings.Join(a.Missing, "") != "ASANA_PROJECTS" {
		t.Errorf("%d %s; want not_configured", w.Code, w.Body)
	}
}
