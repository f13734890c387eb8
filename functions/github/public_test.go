package function

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Of three repositories, GitHub says that one is public, and it does not answer for another.
func TestMinutesOfPublicRepositoriesAreNotUsed(t *testing.T) {
	item := func(repo, sku string, quantity, net float64) string {
		return fmt.Sprintf(`{"date":"2026-11-02T00:00:00Z","product":"Actions","sku":%q,"quantity":%g,"unitType":"minutes","grossAmount":1,"discountAmount":%g,"netAmount":%g,"repositoryName":%q}`, sku, quantity, 1-net, net, repo)
	}
	g := gitHub{
		usagePath: respond(`{"usageItems":[` + strings.Join([]string{
			item("octocat/open", "Actions Linux", 500, 0), item("Open", "Actions macOS", 20, 0), item("octocat/secret", "Actions Windows", 30, 0),
			item("octocat/gone", "Actions Linux", 7, 0), item("octocat/paid", "Actions Linux", 9, 1),
		}, ",") + `]}`),
		"/repos/octocat/open":   respond(`{"private":false,"visibility":"public"}`),
		"/repos/octocat/Open":   respond(`{"private":false,"visibility":"public"}`),
		"/repos/octocat/secret": respond(`{"private":true}`),
		"/repos/octocat/paid":   respond(`{"private":false}`), // not asked: it was paid for
	}
	h := start(t, g, "GITHUB_REPOS", "")
	if a, w := h.Post(""); a.Status != "ok" || len(a.Warnings) != 0 {
		t.Fatal(w.Body)
	}
	for _, r := range h.Readings("github_usage") {
		if f := r.Fields; r.Time.Day() == 2 && (f["minutes_run"] != 566 || f["minutes_used"] != 60+7+9 || f["minutes_left"] != 2000-76) {
			t.Errorf("%v", f)
		}
	}
	if n := len(h.Readings("github_cost")); n != 5 {
		t.Errorf("%d costs, want one for each repository", n)
	}
	g["/repos/octocat/open"] = fails(500, "Unicorn")
	h.Later(time.Hour)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "whether repositories are public is unknown") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A run asks about maxRepos repositories, those with the most minutes, and says so of others.
func TestVisibilityThatIsNotAskedIsSaid(t *testing.T) {
	for repos, warnings := range map[int]int{1: 0, maxRepos: 0, maxRepos + 1: 1, maxRepos + 9: 1} {
		g := gitHub{}
		var items []string
		for i := range repos {
			name := fmt.Sprintf("octocat/r%d", i)
			g["/repos/"+name] = respond(`{"private":false}`)
			items = append(items, fmt.Sprintf(`{"date":"2026-11-02","product":"actions","sku":"linux","quantity":%d,"unitType":"minutes","grossAmount":1,"netAmount":0,"repositoryName":%q}`, i+1, name))
		}
		g[usagePath] = respond(`{"usageItems":[` + strings.Join(items, ",") + `]}`)
		h := start(t, g, "GITHUB_REPOS", "")
		a, w := h.Post("")
		left := repos - min(repos, maxRepos)
		if a.Status != "ok" || len(a.Warnings) != warnings || warnings > 0 && !strings.Contains(a.Warnings[0], fmt.Sprintf("whether %d more repositories are public was not asked", left)) {
			t.Errorf("%d repositories: %s", repos, w.Body)
		}
		for _, r := range h.Readings("github_usage") {
			if used := float64(left * (left + 1) / 2); r.Time.Day() == 2 && r.Fields["minutes_used"] != used {
				t.Errorf("%d repositories: %v, want %v minutes used", repos, r.Fields, used)
			}
		}
	}
}
