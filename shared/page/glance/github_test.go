package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/reading"
)

// minutes stores how many minutes of 2,000 an owner has used by a day.
func (f *fixture) minutes(owner, day string, used float64) {
	f.T.Helper()
	at, err := time.Parse(time.DateOnly, day)
	f.OK(err)
	f.Readings(reading.Reading{Name: "github_usage", Tags: map[string]string{"owner": owner}, Time: at, Fields: map[string]float64{"minutes_used": used, "minutes_included": 2000, "minutes_left": max(2000-used, 0), "net_usd": 0}})
}

func red(branch, event string, at time.Time) item.Item {
	return item.Item{ID: "ci@" + branch + event, Title: "CI on " + branch + ": failure", URL: "https://github.com/me/hearth/actions/runs/1", At: at,
		Attributes: map[string]string{"workflow": "ci", "branch": branch, "conclusion": "failure", "event": event}}
}

func vulnerability(id, severity string) item.Item {
	return item.Item{ID: id, Title: "left-pad: Pads on the wrong side", URL: "https://github.com/me/hearth/security/dependabot/" + id, At: now, Attributes: map[string]string{"severity": severity, "package": "left-pad"}}
}

func plain(s string) string { return strings.ReplaceAll(s, thin, " ") }

func TestMinutesOfActions(t *testing.T) {
	f := newFixture(t)
	if f.tile("github") != nil {
		t.Fatal("a tile without anything of GitHub")
	}
	f.minutes("me", "2026-11-01", 0)
	f.minutes("me", "2026-11-26", 1240)
	f.ran("github", "ok", now.Add(-20*time.Minute))
	tile := f.tile("github")
	if got := plain(words(tile)); got != "1 240 of 2 000 minutes" { // 47 a day: not in this month
		t.Error(got)
	}
	if body := string(tile.Body); !strings.Contains(body, `class="used" y="3" width="62.0%"`) || !strings.Contains(body, `class="mark" x="88.6%"`) {
		t.Error(body)
	}
	if len(tile.Plots) != 1 || tile.Plots[0].Key() != "github_usage.minutes_used,owner=me" || !tile.At.Equal(now.Add(-20*time.Minute)) {
		t.Errorf("%+v", tile)
	}
	f.minutes("me", "2026-11-26", 1900)
	f.Readings(reading.Reading{Name: "github_cost", Tags: map[string]string{"owner": "me", "product": "copilot"}, Time: now.Truncate(24 * time.Hour), Fields: map[string]float64{"net_usd": 3.2}},
		reading.Reading{Name: "github_cost", Tags: map[string]string{"owner": "me", "product": "copilot"}, Time: now.AddDate(0, -1, 0).Truncate(24 * time.Hour), Fields: map[string]float64{"net_usd": 100}})
	if got := plain(words(f.tile("github"))); got != "1 900 of 2 000 minutes · full on 28 Nov · 3.20 $" {
		t.Error(got)
	}
	f.minutes("me", "2026-11-14", 2050)
	f.minutes("me", "2026-11-26", 2400)
	f.status.Alerts.Open = []status.Alert{{Key: "github-usage-minutes-left-low/me/minutes_left"}}
	tile = f.tile("github")
	if got := plain(words(tile)); got != "2 400 of 2 000 minutes · used up since 14 Nov · 3.20 $" || len(tile.Needs) != 0 || !strings.Contains(string(tile.Body), `class="mid"`) {
		t.Error(got, tile.Needs)
	}
	f.status.Alerts.Open[0].Acked = true
	if strings.Contains(string(f.tile("github").Body), `class="mid"`) {
		t.Error("what is acknowledged is coloured")
	}
}

func TestTheDayOnWhichThePlanIsUsedUp(t *testing.T) {
	for _, c := range []struct {
		now  string
		used float64
		want string
	}{
		{"2026-12-01T00:10:00Z", 0, ""},
		{"2026-12-01T00:10:00Z", 100, "20 Dec"}, // of a whole day, though ten minutes have passed
		{"2026-12-01T12:00:00Z", 60, ""},        // 60 a day
		{"2026-12-11T00:00:00Z", 1000, "21 Dec"},
		{"2026-12-31T12:00:00Z", 1990, "31 Dec"},
		{"2026-12-31T23:59:00Z", 1900, ""},
		{"2027-02-14T00:00:00Z", 1000, "27 Feb"},
		{"2026-12-11T00:00:00Z", 1e-9, ""},
	} {
		f := newFixture(t)
		f.Now, _ = time.Parse(time.RFC3339, c.now)
		f.minutes("me", f.Now.Format(time.DateOnly), c.used)
		got := plain(words(f.tile("github")))
		if _, on, _ := strings.Cut(got, "full on "); on != c.want {
			t.Errorf("%g minutes by %s: %s, want %q", c.used, c.now, got, c.want)
		}
	}
}

func TestLastMonthsMinutesAreNotThisMonths(t *testing.T) {
	f := newFixture(t)
	f.Now = time.Date(2026, 12, 1, 0, 30, 0, 0, time.UTC)
	f.minutes("me", "2026-11-26", 1900)
	f.minutes("other", "2026-12-01", 3)
	if got := plain(words(f.tile("github"))); got != "me: no figures of this month yet other 3 of 2 000 minutes" {
		t.Error(got)
	}
}

func TestRedBuildsNeedSomebody(t *testing.T) {
	f := newFixture(t)
	f.Items("github", "me/hearth actions", red("main", "push", now.Add(-23*time.Minute)), red("some-name", "schedule", now.Add(-2*time.Hour)), red("try", "push", now))
	f.Items("github", "me/hearth alerts", vulnerability("1", "high"), vulnerability("2", "low"), vulnerability("3", "critical"))
	f.status.Alerts.Open = []status.Alert{{Key: "dependabot/me/hearth/3"}}
	tile := f.tile("github")
	if got, want := words(tile), "hearth, CI on main, 23 min hearth, CI on some-name, 2 h 1 build fails on another branch Dependabot: 3 alerts, 1 critical, 1 high"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(tile.Needs) != 3 {
		t.Fatalf("%+v", tile.Needs)
	}
	n := tile.Needs[0]
	if n.What != "hearth CI" || n.Value != "red on main" || !strings.Contains(string(n.Rest), "for <time") || n.Severity != alert.Critical || n.Link == "" {
		t.Errorf("%+v", n)
	}
	if n := tile.Needs[2]; n.What != "left-pad" || n.Value != "high" || n.Severity != alert.Warning { // the critical one is an alert already
		t.Errorf("%+v", n)
	}
	for _, c := range []struct {
		open  []status.Alert
		class string
	}{
		{[]status.Alert{{Key: "dependabot/me/hearth/3"}}, `class="dot-bad"`},
		{[]status.Alert{{Key: "dependabot/me/hearth/3", Acked: true}}, `class="dot-mid"`},
		{[]status.Alert{{Key: "dependabot/me/hearth/3", Acked: true}, {Key: "dependabot/me/hearth/1", Silenced: true}}, "<p>"},
	} {
		f.status.Alerts.Open = c.open
		if body := string(f.tile("github").Body); !strings.Contains(body, c.class+"Dependabot") && !strings.Contains(body, c.class+">Dependabot") {
			t.Errorf("%+v: %s, want %s", c.open, body, c.class)
		}
	}
	f.Items("github", "me/hearth actions")
	f.Items("github", "me/hearth alerts")
	f.Readings(reading.Reading{Name: "github_workflow_run", Tags: map[string]string{"repo": "me/hearth", "workflow": "ci"}, Time: now, Fields: map[string]float64{"duration_seconds": 60}})
	if tile := f.tile("github"); words(tile) != "All builds green" || len(tile.Needs) != 0 {
		t.Error(words(tile), tile.Needs)
	}
}

func TestHostileNamesOfGitHubStayText(t *testing.T) {
	f := newFixture(t)
	i := red(`main`, "push", now)
	i.Title, i.URL = `<script>alert(1)</script> geheim on main: failure`, "javascript:alert(1)"
	f.Items("github", `me/<img src=x> actions`, i)
	tile := f.tile("github")
	if body := string(tile.Body); strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "javascript") || strings.Contains(body, "geheim") {
		t.Error(body)
	}
	if n := tile.Needs[0]; n.Link != "" {
		t.Errorf("%+v", n)
	}
}
