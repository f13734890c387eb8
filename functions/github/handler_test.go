package function

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestARunIsStoredOnce(t *testing.T) {
	h := start(t, recorded(t))
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || a.Stored != 3+4+8+2+2+4 || len(a.Warnings) != 0 {
		t.Errorf("first run: %d %s", w.Code, w.Body)
	}
	if a, w := h.Post(""); w.Code != 200 || a.Stored != 0 || a.Unchanged != 23 {
		t.Errorf("again: %d %s", w.Code, w.Body)
	}
	want := "/users/octocat/settings/billing/usage?month=11&year=2026"
	if !slices.Contains(h.Requests, want) {
		t.Errorf("requests %q, want %q: without the month, GitHub answers with the whole year", h.Requests, want)
	}
}

func TestAFailureAndItsEndSendOneMessageEach(t *testing.T) {
	g := recorded(t)
	h := start(t, g)
	h.Secret("slack-webhooks", "http://slack/services/T000/B000/s3cr3thook")
	h.Post("")
	h.Post("")
	want := []string{
		":x: octocat/hello-world: CI on main: failure",
		":x: octocat/hello-world: Nightly on main: timed out",
		"Vulnerable dependency of high severity: octocat/hello-world", // old, but severe
		"Vulnerable dependency of low severity: octocat/hello-world",  // not severe, but new
	}
	if got := newMessages(h); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	g[alertsPath] = respond("[]")
	g[runsPath] = respond(strings.ReplaceAll(string(sourcetest.File(t, "runs.json")), `"failure"`, `"success"`))
	h.Later(time.Hour)
	h.Post("")
	h.Later(time.Hour)
	h.Post("")
	want = []string{
		":white_check_mark: octocat/hello-world: ci on main works again",
		"Resolved: Vulnerable dependency of high severity: octocat/hello-world",
		"Resolved: Vulnerable dependency of low severity: octocat/hello-world",
	}
	if got := newMessages(h); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	// The failed nightly run is too old to be fetched. It closes without a message.
	g[runsPath] = respond(`{"total_count":0,"workflow_runs":[]}`)
	h.Later(7 * 24 * time.Hour)
	h.Post("")
	if open, messages := h.Items(), newMessages(h); len(open)+len(messages) != 0 {
		t.Errorf("open %v, messages %q; want none", open, messages)
	}
}

func TestAlertsThatWereNeverReadableAreAWarning(t *testing.T) {
	for _, code := range []int{403, 404} {
		g := recorded(t)
		g[alertsPath] = fails(code, "Dependabot alerts are disabled for this repository.")
		h := start(t, g)
		for range 2 {
			a, w := h.Post("")
			if w.Code != 200 || a.Status != "ok" || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "disabled") {
				t.Errorf("%d: %d %s", code, w.Code, w.Body)
			}
			h.Later(time.Hour)
		}
	}
}

func TestAlertsThatAreNoLongerReadableAreAFailure(t *testing.T) {
	for _, code := range []int{403, 404} {
		g := recorded(t)
		h := start(t, g)
		h.Post("") // without Slack: its news are not tested here
		h.Secret("slack-webhooks", "http://slack/services/T000/B000/s3cr3thook")
		good := g[alertsPath]
		g[alertsPath] = fails(code, "Dependabot alerts are disabled for this repository.")
		for _, want := range []string{"[Fetching fails: github octocat/hello-world alerts]", "[]"} {
			h.Later(time.Hour)
			a, w := h.Post("")
			if got := fmt.Sprint(newMessages(h)); w.Code != 200 || a.Status != "partial" || !strings.Contains(w.Body.String(), "Dependabot is off") || got != want {
				t.Errorf("%d: %d %s; messages %s, want %s", code, w.Code, w.Body, got, want)
			}
		}
		if n := len(h.Items()); n != 4 {
			t.Errorf("%d: %d items open; want all 4: the list is unknown, not empty", code, n)
		}
		g[alertsPath] = good
		h.Later(time.Hour)
		if a, w := h.Post(""); a.Status != "ok" || fmt.Sprint(newMessages(h)) != "[Resolved: Fetching fails: github octocat/hello-world alerts]" {
			t.Errorf("%d: %d %s", code, w.Code, w.Body)
		}
	}
}

// TestAlertsAreCountedBySeverity: down to 0 when none is open any more. When the alerts
// are unknown, so is their number.
func TestAlertsAreCountedBySeverity(t *testing.T) {
	g := recorded(t)
	h := start(t, g, "GITHUB_OWNERS", "")
	counts := func(want ...string) {
		t.Helper()
		var got []string
		for _, r := range h.Readings("github_alerts") {
			got = append(got, fmt.Sprint(r.Time.Format("01-02 15:04 "), r.Tags["repo"], " ", r.Tags["severity"], " ", r.Fields["open_alerts"]))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	h.Post("")
	counts("11-23 00:00 octocat/hello-world critical 0", "11-23 00:00 octocat/hello-world high 1", "11-23 00:00 octocat/hello-world low 1", "11-23 00:00 octocat/hello-world medium 0")
	g[alertsPath] = respond(strings.NewReplacer(`"severity":"low"`, `"severity":"CRITICAL"`, `"severity":"high"`, `"severity":"dire"`).Replace(string(sourcetest.File(t, "alerts.json"))))
	h.Later(time.Hour)
	if a, w := h.Post(""); a.Status != "ok" || !strings.Contains(fmt.Sprint(a.Warnings), `the severity "dire" is not known`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	day := []string{"11-23 00:00 octocat/hello-world critical 1", "11-23 00:00 octocat/hello-world high 0", "11-23 00:00 octocat/hello-world low 0", "11-23 00:00 octocat/hello-world medium 0"}
	counts(day...)
	g[alertsPath] = fails(403, "Dependabot alerts are disabled for this repository.")
	h.Later(12 * time.Hour)
	h.Post("")
	counts(day...)
	g[alertsPath] = respond("[]")
	h.Later(time.Hour)
	h.Post("")
	counts(append(day, "11-24 00:00 octocat/hello-world critical 0", "11-24 00:00 octocat/hello-world high 0", "11-24 00:00 octocat/hello-world low 0", "11-24 00:00 octocat/hello-world medium 0")...)
}

func TestEveryPageOfAlertsIsRead(t *testing.T) {
	g := recorded(t)
	page := string(sourcetest.File(t, "alerts.json"))
	g[alertsPath] = func(w http.ResponseWriter, r *http.Request) {
		answer := sourcetest.Respond(200, page, "Link", `<https://elsewhere.example/alerts?after=two%3D>; rel="next"`)
		if r.URL.Query().Get("after") != "" {
			answer = respond(strings.ReplaceAll(page, `"number":`, `"number":1`))
		}
		answer(w, r)
	}
	h := start(t, g)
	h.Post("")
	if n := len(h.Items()); n != 6 {
		t.Errorf("%d items; want two failures and four alerts", n)
	}
}

// history answers with n runs, evenly spread over the days of 2026-11-16 to 2026-11-22.
func history(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		after, before, _ := strings.Cut(q.Get("created"), "..")
		from, _ := time.Parse(time.RFC3339, after)
		to, _ := time.Parse(time.RFC3339, before)
		var in []string
		for i := range n {
			at := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * 24 * time.Hour / time.Duration(n)).Truncate(time.Second)
			if !at.Before(from) && !at.After(to) {
				in = append(in, fmt.Sprintf(`{"id":%d,"path":"ci.yml","status":"completed","conclusion":"success","run_number":%d,"run_attempt":1,"created_at":%q,"updated_at":%q}`,
					i+1, i+1, at.Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339)))
			}
		}
		var page int
		fmt.Sscan(q.Get("page"), &page)
		total := len(in)
		first := min((page-1)*100, total, 1000)
		fmt.Fprintf(w, `{"total_count":%d,"workflow_runs":[%s]}`, total, strings.Join(in[first:min(first+100, total)], ","))
	}
}

func TestABackfillFetchesMoreRunsThanGitHubReturnsForASpan(t *testing.T) {
	h := start(t, gitHub{runsPath: history(1500), alertsPath: respond("[]")}, "GITHUB_OWNERS", "")
	a, w := h.Post("from=2026-11-16&to=2026-11-22")
	if w.Code != 200 || a.Stored != 1500 || a.Next != "" {
		t.Fatalf("%d %.300s; want 1500 stored", w.Code, w.Body)
	}
	if a, _ := h.Post("from=2026-11-16&to=2026-11-22"); a.Stored != 0 || a.Unchanged != 1500 {
		t.Errorf("again: stored %d, unchanged %d", a.Stored, a.Unchanged)
	}
	if open := h.Items(); len(open) != 0 {
		t.Errorf("a backfill opened %v", open)
	}
}

func TestABackfillOfUsageStoresOnlyTheRequestedDays(t *testing.T) {
	h := start(t, recorded(t), "GITHUB_REPOS", "")
	if a, w := h.Post("from=2026-11-02&to=2026-11-10"); w.Code != 200 || a.Stored != 3 {
		t.Errorf("%d %s; want only the 2nd and the cost of the 3rd", w.Code, w.Body)
	}
}

func TestEachTargetFailsAlone(t *testing.T) {
	g := recorded(t)
	g[usagePath] = fails(500, "Server Error")
	a, w := start(t, g, "GITHUB_REPOS", "octocat/hello-world,octocat/gone").Post("")
	var failed []string
	for _, o := range a.Targets {
		if o.Status != "ok" {
			failed = append(failed, o.Target)
		}
	}
	if w.Code != 200 || a.Status != "partial" || fmt.Sprint(failed) != "[octocat octocat/gone actions octocat/gone alerts]" || a.Stored != 16 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStatusAndRetryAfterOfAFailedRun(t *testing.T) {
	reset := fmt.Sprint(noon.Add(30 * time.Minute).Unix())
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   int
		wait   bool
	}{
		"bad token":       {fails(401, "Bad credentials"), 502, false},
		"spent":           {fails(403, "API rate limit exceeded", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), 429, true},
		"secondary limit": {fails(403, "You have exceeded a secondary rate limit."), 429, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, w := start(t, gitHub{usagePath: c.answer}, "GITHUB_REPOS", "").Post("")
			if w.Code != c.code || (w.Header().Get("Retry-After") != "") != c.wait || a.Stored != 0 {
				t.Errorf("%d %v %s, want %d", w.Code, w.Header(), w.Body, c.code)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	sourcetest.Failures(t, noon, New, vars, secrets, recorded(t).ServeHTTP)
}

func TestWithoutATokenItIsNotConfigured(t *testing.T) {
	h := sourcetest.Start(t, noon, New, nil, nil, nil)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "not_configured" || fmt.Sprint(a.Missing) != "[secret github-token GITHUB_OWNERS or GITHUB_REPOS]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
