package glance

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/rules"
)

const (
	githubKept  = 62 * 24 * time.Hour // older values are of a source that is gone
	githubStale = 4 * time.Hour       // it runs every hour
	maxRed      = 4                   // red builds that are listed
)

// githubView is what the markup of the tile reads.
type githubView struct {
	Plans   []plan
	Red     []build
	MoreRed int
	Others  int // builds that fail on other branches
	Green   bool
	Alerts  vulnerabilities
}

// github shows the minutes of Actions against the plan, the builds that fail, and the
// vulnerable dependencies.
func github(ctx context.Context, w *world) (*Tile, error) {
	usage, err := w.latest(ctx, "github_usage", githubKept)
	if err != nil {
		return nil, err
	}
	items, err := w.items(ctx, "github")
	if err != nil {
		return nil, err
	}
	runs, err := w.latest(ctx, "github_workflow_run", githubKept)
	if err != nil || len(usage)+len(items)+len(runs) == 0 {
		return nil, err
	}
	ran, err := w.ranAt(ctx, "github")
	if err != nil {
		return nil, err
	}
	t := &Tile{At: ran, Stale: githubStale}
	v := githubView{}
	for _, u := range usage {
		p, err := w.plan(ctx, u)
		if err != nil {
			return nil, err
		}
		if len(usage) == 1 {
			p.Owner = ""
		}
		v.Plans = append(v.Plans, p)
		t.Sample = t.Sample || u.Tags[catalogue.SampleLabel] != ""
		t.Plots = append(t.Plots, history.Series{Measurement: u.Name, Field: "minutes_used", Tags: u.Tags, Title: u.Tags["owner"]})
	}
	for _, i := range items {
		t.Sample = t.Sample || i.Sample
	}
	v.Red, v.Others = w.builds(items)
	t.Needs = append(t.Needs, w.redNeeds(v.Red)...)
	v.MoreRed = max(len(v.Red)-maxRed, 0)
	v.Red = v.Red[:len(v.Red)-v.MoreRed]
	v.Alerts = w.vulnerabilitiesOf(items)
	t.Needs = append(t.Needs, w.alertNeeds(items)...)
	v.Green = len(v.Plans) == 0 && len(v.Red)+v.Others+v.Alerts.All == 0
	for _, r := range runs[:min(len(runs), maxPlotted)] {
		if len(usage) == 0 {
			t.Plots = append(t.Plots, history.Series{Measurement: r.Name, Field: "duration_seconds", Tags: r.Tags, Title: r.Tags["workflow"]})
		}
	}
	t.Body = draw("github", v)
	return t, nil
}

// ranAt returns when a source last fetched everything or a part of it: what it lists is as old as
// that. Zero: it is not known.
func (w *world) ranAt(ctx context.Context, source string) (time.Time, error) {
	return kept(w, "ran "+source, forSources, func() (time.Time, error) { return w.st.LastGood(ctx, source, w.Now) })
}

// build is a workflow that fails on a branch.
type build struct {
	Repo, Workflow, Branch, Link string
	At                           time.Time
	Age                          template.HTML
	Sample                       bool
}

// mainBranches are the branches on which a failure needs somebody. A workflow by a schedule
// runs on the main branch, whatever its name is.
var mainBranches = []string{"main", "master", "trunk", "develop"}

// builds returns the builds that fail on main branches, the latest first, and how many fail on
// other branches.
func (w *world) builds(items []item.Item) (red []build, others int) {
	for _, i := range items {
		branch, conclusion := i.Attributes["branch"], i.Attributes["conclusion"]
		if conclusion == "" {
			continue // no build
		}
		if !slices.Contains(mainBranches, branch) && i.Attributes["event"] != "schedule" {
			others++
			continue
		}
		repo := strings.TrimSuffix(i.Target, " actions")
		workflow, _, found := strings.Cut(i.Title, " on "+branch+":")
		if !found {
			workflow = i.Attributes["workflow"]
		}
		red = append(red, build{
			Repo: w.Redact(repo[strings.LastIndexByte(repo, '/')+1:]), Workflow: w.Redact(workflow), Branch: w.Redact(branch),
			Link: config.Link(i.URL), At: i.At, Age: w.at(i.At, age), Sample: i.Sample,
		})
	}
	slices.SortStableFunc(red, func(a, b build) int { return b.At.Compare(a.At) })
	return red, others
}

func (w *world) redNeeds(red []build) (out []Need) {
	for _, b := range red {
		out = append(out, Need{
			Severity: alert.Critical, What: b.Repo + " " + b.Workflow, Value: texts.HTML("github.redOn", b.Branch), Rest: texts.HTML("github.for", b.Age),
			Link: b.Link, Since: b.At, Sample: b.Sample,
		})
	}
	return out
}

// severities are those of Dependabot's alerts, the gravest first.
var severities = []string{"critical", "high", "medium", "low"}

// graveWords are the words of the severities that are named.
var graveWords = map[string]string{"critical": texts.Say("github.critical"), "high": texts.Say("github.high")}

// vulnerabilities counts the open alerts of Dependabot.
type vulnerabilities struct {
	All    int
	Grave  string // "1 critical, 2 high", "high" if all are; "": none is
	Class  string // of the line
	Counts map[string]int
}

func (w *world) vulnerabilitiesOf(items []item.Item) vulnerabilities {
	v := vulnerabilities{Counts: map[string]int{}}
	wanted := map[string]bool{} // the severities of which at least one is listed at the top
	for _, i := range items {
		if severity := i.Attributes["severity"]; severity != "" {
			v.All++
			v.Counts[severity]++
			is := aboutVulnerability(i)
			wanted[severity] = wanted[severity] || w.wantsPerson(is) || !w.hasAlert(is)
		}
	}
	var parts []string
	for _, severity := range severities[:2] {
		if n := v.Counts[severity]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, graveWords[severity]))
		}
	}
	v.Grave = strings.Join(parts, ", ")
	if n := v.Counts["critical"] + v.Counts["high"]; n == v.All && len(parts) == 1 {
		_, v.Grave, _ = strings.Cut(v.Grave, " ")
	}
	switch {
	case wanted["critical"]:
		v.Class = "dot-bad"
	case wanted["high"]:
		v.Class = "dot-mid"
	}
	return v
}

// aboutVulnerability returns what recognizes the key of the alert about an alert of Dependabot.
func aboutVulnerability(i item.Item) func(key string) bool {
	want := fmt.Sprintf("%s/%s/%s", rules.Dependabot, strings.TrimSuffix(i.Target, " alerts"), i.ID)
	return func(key string) bool { return key == want }
}

// alertNeeds returns what the alerts of hearth do not say: vulnerabilities of critical or high
// severity that no open alert is about.
func (w *world) alertNeeds(items []item.Item) (out []Need) {
	for _, i := range items {
		severity := i.Attributes["severity"]
		repo := strings.TrimSuffix(i.Target, " alerts")
		if !slices.Contains(severities[:2], severity) || w.hasAlert(aboutVulnerability(i)) {
			continue
		}
		n := Need{Severity: alert.Warning, What: w.Redact(cmp.Or(i.Attributes["package"], i.Title)), Value: escaped(graveWords[severity]), Rest: texts.HTML("github.vulnerable", w.Redact(repo)),
			Link: config.Link(i.URL), Since: i.At, Sample: i.Sample}
		if severity == "critical" {
			n.Severity = alert.Critical
		}
		out = append(out, n)
	}
	return out
}

// hasAlert reports whether an alert is open whose key is the one.
func (w *world) hasAlert(is func(key string) bool) bool {
	return slices.ContainsFunc(w.openAlerts(), func(a status.Alert) bool { return is(a.Key) })
}

// wantsPerson reports whether such an alert is open that is neither acknowledged nor silenced.
func (w *world) wantsPerson(is func(key string) bool) bool {
	return slices.ContainsFunc(w.openAlerts(), func(a status.Alert) bool { return is(a.Key) && !a.Acked && !a.Silenced && !a.Maintained })
}

// openAlerts returns the open alerts and those that they explain.
func (w *world) openAlerts() (out []status.Alert) {
	for _, a := range w.Status.Alerts.Open {
		out = append(append(out, a), a.Below...)
	}
	return out
}
