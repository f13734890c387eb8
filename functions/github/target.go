package function

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/source"
)

// target is one thing fetched from GitHub. Exactly one of its fields is set.
type target struct {
	owner     owner  // whose usage is fetched
	actionsOf string // owner/repo whose workflow runs are fetched
	alertsOf  string // owner/repo whose Dependabot alerts are fetched
	err       error  // its setting is wrong; the other targets still work
}

// owner is a user or an organization.
type owner struct {
	name     string
	org      bool
	included float64 // Actions minutes a month that the plan includes
}

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]+$`)
)

// targets returns the targets by name, and the names in the order of the settings.
func (c Config) targets() (map[string]target, []string, error) {
	all := map[string]target{}
	var names []string
	var duplicate error
	add := func(name string, t target) {
		if _, ok := all[name]; ok {
			duplicate = fmt.Errorf("configuration: %s is listed twice", name)
		}
		all[name] = t
		names = append(names, name)
	}
	for _, part := range c.Owners {
		o, err := parseOwner(part, c.Included)
		name, _, _ := strings.Cut(part, "=")
		add(name, target{owner: o, err: err})
	}
	for _, repo := range c.Repos {
		if !repoName.MatchString(repo) {
			add(repo, target{err: errors.New("its setting is not owner/repo")})
			continue
		}
		add(repo+" actions", target{actionsOf: repo})
		add(repo+" alerts", target{alertsOf: repo})
	}
	return all, names, duplicate
}

// parseOwner parses user:NAME, org:NAME or NAME, each with an optional =MINUTES. included
// is the number of minutes without it.
func parseOwner(s string, included float64) (owner, error) {
	name, minutes, hasMinutes := strings.Cut(s, "=")
	kind, name, ok := strings.Cut(name, ":")
	if !ok {
		kind, name = "user", kind
	}
	if kind != "user" && kind != "org" || !ownerName.MatchString(name) {
		return owner{}, errors.New("its setting is not user:NAME or org:NAME")
	}
	if hasMinutes {
		var err error
		if included, err = strconv.ParseFloat(minutes, 64); err != nil || included < 0 {
			return owner{}, fmt.Errorf("its setting has %q as included minutes", minutes)
		}
	}
	return owner{name, kind == "org", included}, nil
}

// fetch fetches the target.
func (t target) fetch(ctx context.Context, a *api, w source.Window) (source.Batch, error) {
	switch {
	case t.err != nil:
		return source.Batch{}, t.err
	case t.actionsOf != "":
		return a.actions(ctx, t.actionsOf, w)
	case t.alertsOf != "":
		return a.alerts(ctx, t.alertsOf, w)
	default:
		return a.usage(ctx, t.owner, w)
	}
}

// newsFor is the age up to which a Dependabot alert of low or medium severity is reported.
const newsFor = 7 * 24 * time.Hour

// raise returns what the alert about a Dependabot alert says. An old one of low or medium
// severity raises none: the first run may find years of them.
func (t target) raise(c item.Change) (alert.Observation, bool) {
	if t.alertsOf == "" {
		return alert.Observation{}, false
	}
	i := c.Item
	severity := i.Attributes["severity"]
	spec := alert.Spec{Rule: rules.Dependabot, Severity: alert.Warning, Title: "Vulnerable dependency of " + severity + " severity", Next: i.URL}
	severe := severity == "critical" || severity == "high"
	switch {
	case severity == "critical":
		spec.Severity = alert.Critical
	case !severe:
		spec.Severity = alert.Info
	}
	o := alert.Observation{Key: fmt.Sprintf("%s/%s/%s", rules.Dependabot, t.alertsOf, i.ID), Spec: spec, Subject: alert.Subject{Name: t.alertsOf}, Text: i.Title}
	return o, severe || !c.Opened || c.When.Sub(i.At) <= newsFor
}

// notify returns the message for a workflow run that failed, or no longer does. days is how
// far back workflow runs are fetched.
func (t target) notify(c item.Change, days int) (string, bool) {
	i := c.Item
	switch {
	case t.actionsOf == "":
		return "", false
	case c.Opened:
		return fmt.Sprintf(":x: %s: %s\n%s", t.actionsOf, i.Title, i.URL), true
	default:
		// A failure older than days is no longer fetched. It closes without a message,
		// since the workflow may still fail.
		return fmt.Sprintf(":white_check_mark: %s: %s on %s works again", t.actionsOf, i.Attributes["workflow"], i.Attributes["branch"]), !i.At.Before(since(c.When.Add(time.Minute), days))
	}
}
