package function

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
)

// target is one thing asked of GitHub: exactly one of its parts is set.
type target struct {
	owner               owner
	actionsOf, alertsOf string // owner/repo
	err                 error  // its setting is wrong: it fails alone
}

// owner is an account whose usage is asked for.
type owner struct {
	name     string
	org      bool
	included float64 // minutes a month
}

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]+$`)
)

// targets returns what to ask by its name, and the names in order.
func (c Config) targets() (map[string]target, []string, error) {
	all := map[string]target{}
	var names []string
	var twice error
	add := func(name string, t target) {
		if _, ok := all[name]; ok {
			twice = fmt.Errorf("configuration: %s is listed twice", name)
		}
		all[name] = t
		names = append(names, name)
	}
	for _, part := range source.SplitList(c.Owners) {
		o, err := parseOwner(part, c.Included)
		name, _, _ := strings.Cut(part, "=")
		add(strings.TrimSpace(name), target{owner: o, err: err})
	}
	for _, repo := range source.SplitList(c.Repos) {
		if !repoName.MatchString(repo) {
			add(repo, target{err: errors.New("its setting is not owner/repo")})
			continue
		}
		add(repo+" actions", target{actionsOf: repo})
		add(repo+" alerts", target{alertsOf: repo})
	}
	return all, names, twice
}

// parseOwner reads user:NAME, org:NAME or NAME, and =MINUTES after it.
func parseOwner(s string, included float64) (owner, error) {
	name, minutes, own := strings.Cut(s, "=")
	kind, name, ok := strings.Cut(strings.TrimSpace(name), ":")
	if !ok {
		kind, name = "user", kind
	}
	if kind != "user" && kind != "org" || !ownerName.MatchString(name) {
		return owner{}, errors.New("its setting is not user:NAME or org:NAME")
	}
	if own {
		var err error
		if included, err = strconv.ParseFloat(strings.TrimSpace(minutes), 64); err != nil || included < 0 {
			return owner{}, fmt.Errorf("its setting has %q as included minutes", minutes)
		}
	}
	return owner{name, kind == "org", included}, nil
}

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

// newsFor is how old what was just found may be to be news.
const newsFor = 7 * 24 * time.Hour

// tell says what a person wants to hear at once. The first run finds all the
// alerts of years: the milder ones among those are listed, not told.
func (t target) notify(c item.Change, days int) (string, bool) {
	i := c.Item
	switch {
	case t.actionsOf != "" && c.Opened:
		return fmt.Sprintf(":x: %s: %s\n%s", t.actionsOf, i.Title, i.URL), true
	case t.actionsOf != "":
		// What became too old to be looked at is not known to work again.
		return fmt.Sprintf(":white_check_mark: %s: %s on %s works again", t.actionsOf, i.Attributes["workflow"], i.Attributes["branch"]), !i.At.Before(since(c.When.Add(time.Minute), days))
	case c.Opened:
		severe := i.Attributes["severity"] == "critical" || i.Attributes["severity"] == "high"
		return fmt.Sprintf(":shield: %s: %s: %s\n%s", t.alertsOf, i.Attributes["severity"], i.Title, i.URL), severe || c.When.Sub(i.At) <= newsFor
	default:
		return fmt.Sprintf(":white_check_mark: %s: no longer open: %s", t.alertsOf, i.Title), true
	}
}
