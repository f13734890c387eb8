package function

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

const (
	token      = "github_pat_planted0000"
	usagePath  = "/users/octocat/settings/billing/usage"
	runsPath   = "/repos/octocat/hello-world/actions/runs"
	alertsPath = "/repos/octocat/hello-world/dependabot/alerts"
)

// gitHub answers each path with its handler, other paths with 404, and requests without
// the token with 401.
type gitHub map[string]http.HandlerFunc

func (g gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := g[r.URL.Path]
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("X-GitHub-Api-Version") == "":
		answer = fails(401, "Bad credentials")
	case answer == nil:
		answer = fails(404, "Not Found")
	}
	answer(w, r)
}

// recorded answers with the files of testdata.
func recorded(t *testing.T) gitHub {
	t.Helper()
	return gitHub{usagePath: respond(string(sourcetest.File(t, "usage.json"))), runsPath: respond(string(sourcetest.File(t, "runs.json"))), alertsPath: respond(string(sourcetest.File(t, "alerts.json")))}
}

func respond(body string) http.HandlerFunc { return sourcetest.Respond(200, body) }

// fails answers with a status and a message, as GitHub's API does.
func fails(code int, text string, header ...string) http.HandlerFunc {
	return sourcetest.Respond(code, fmt.Sprintf(`{"message":%q}`, text), header...)
}

var (
	vars    = sourcetest.Vars{"GITHUB_URL": "http://upstream", "GITHUB_OWNERS": "octocat", "GITHUB_REPOS": "octocat/hello-world"}
	secrets = sourcetest.Secrets{"github-token": token}
)

// noon is a few minutes after the newest run of testdata/runs.json.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// start returns a fixture with vars. setting, if given, is the name and value of a setting
// that replaces one of vars.
func start(t *testing.T, g gitHub, setting ...string) *sourcetest.Fixture {
	t.Helper()
	v := maps.Clone(vars)
	if len(setting) == 2 {
		v[setting[0]] = setting[1]
	}
	return sourcetest.Start(t, noon, New, v, secrets, g.ServeHTTP)
}

// newMessages returns the first lines of the messages to Slack since its last call, sorted;
// of a message about several alerts the first line about each.
func newMessages(h *sourcetest.Fixture) []string {
	var lines []string
	for _, text := range h.Messages {
		for part := range strings.SplitSeq(text, "\n\n") {
			line, _, _ := strings.Cut(part, "\n")
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	h.Messages = nil
	return lines
}
