package function

import (
	"strings"
	"testing"
	"time"
)

// TestMinutesThatAreNearlySpentAreAnAlert once, until there are more.
func TestMinutesThatAreNearlySpentAreAnAlert(t *testing.T) {
	h := start(t, recorded(t), "GITHUB_REPOS", "")
	h.Secret("slack-webhooks", "http://slack/services/T000/B000/s3cr3thook")
	for i, step := range []struct{ included, want string }{
		{"octocat=3000", ""},
		{"octocat=400", "The minutes of GitHub Actions are nearly spent"},
		{"octocat=400", ""},
		{"octocat=3000", "Resolved: The minutes of GitHub Actions are nearly spent"},
		{"octocat=3000", ""},
	} {
		h.Vars["GITHUB_OWNERS"] = step.included
		h.Build(New)
		h.Later(time.Hour)
		if a, w := h.Post("", "X-Connector", "cron-connector"); a.Status != "ok" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if got := strings.Join(newMessages(h), "|"); (got == "") != (step.want == "") || !strings.Contains(got, step.want) {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
}
