package glance

import (
	"context"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// plan is the use of an owner's plan of GitHub Actions in this month.
type plan struct {
	Owner          string // "": there is one owner only
	Used, Included float64
	Known          bool          // there are figures of this month
	Part, Month    float64       // percent of the plan that is used, of the month that is over
	Full           template.HTML // when the plan is used up, or was; "": not in this month
	Over           bool          // it is used up
	Cost           template.HTML
	Nearly         bool // an alert about the minutes needs a person
}

// Bar draws the used part of the plan, and a mark for where the month is.
func (p plan) Bar() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="minutes" role="img" aria-label="%s">`+
		`<rect class="all" y="3" width="100%%" height="12" rx="6"/><rect class="used" y="3" width="%.1f%%" height="12" rx="6"/>`+
		`<rect class="mark" x="%.1f%%" width="3" height="18"/></svg>`, texts.HTML("github.bar", fmt.Sprintf("%.0f", p.Part), fmt.Sprintf("%.0f", p.Month)), min(p.Part, 100), min(p.Month, 99.3)))
}

// plan returns what the usage of an owner means for the month. GitHub counts days and months in UTC.
func (w *world) plan(ctx context.Context, u reading.Reading) (plan, error) {
	first := time.Date(w.Now.UTC().Year(), w.Now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	next := first.AddDate(0, 1, 0)
	p := plan{Owner: w.Redact(u.Tags["owner"]), Included: u.Fields["minutes_included"], Month: 100 * float64(w.Now.Sub(first)) / float64(next.Sub(first))}
	if u.Time.Before(first) {
		return p, nil
	}
	p.Known, p.Used = true, u.Fields["minutes_used"]
	p.Nearly = w.wantsPerson(func(key string) bool { return strings.HasSuffix(key, "/"+u.Tags["owner"]+"/minutes_left") })
	cost, err := w.githubCost(ctx, u.Tags["owner"], first)
	if err != nil {
		return p, err
	}
	if cost = max(cost, u.Fields["net_usd"]); cost >= 0.05 {
		p.Cost = num(cost, 2)
	}
	if p.Included <= 0 {
		return p, nil
	}
	p.Part, p.Over = 100*p.Used/p.Included, p.Used >= p.Included
	if p.Over {
		since, err := w.usedUpOn(ctx, u, first)
		if err == nil && !since.IsZero() {
			p.Full = day(since, date)
		}
		return p, err
	}
	if full := fullOn(w.Now, first, p.Used, p.Included); full.Before(next) {
		p.Full = day(full, date)
	}
	return p, nil
}

// fullOn returns the day on which the plan will be used up if the rest of the month is as its
// days so far. Less than a day says little: on the first day of the month, its minutes are
// those of a whole day.
func fullOn(now, first time.Time, used, included float64) time.Time {
	if used <= 0 {
		return first.AddDate(0, 2, 0)
	}
	so := max(now.Sub(first), 24*time.Hour)
	left := (included - used) / used * float64(so)
	if left > float64(40*24*time.Hour) { // after the end of the month
		return first.AddDate(0, 2, 0)
	}
	return now.Add(time.Duration(left)).UTC().Truncate(24 * time.Hour)
}

// usedUpOn returns the first day of the month on which the plan was used up.
func (w *world) usedUpOn(ctx context.Context, u reading.Reading, first time.Time) (time.Time, error) {
	rs, err := w.between(ctx, u.Name, map[string]string{"owner": u.Tags["owner"]}, first, u.Time.Add(time.Hour))
	for _, r := range rs {
		if r.Fields["minutes_used"] >= r.Fields["minutes_included"] {
			return r.Time, err
		}
	}
	return time.Time{}, err
}

// githubCost returns what all products of GitHub cost an owner in a month, in dollars.
func (w *world) githubCost(ctx context.Context, owner string, first time.Time) (usd float64, err error) {
	today := w.Now.UTC().Truncate(24 * time.Hour)
	series, err := w.windows(ctx, store.Query{Name: "github_cost", Tags: map[string]string{"owner": owner}, Fields: []string{"net_usd"}, From: first, To: today.Add(24 * time.Hour), Step: 24 * time.Hour})
	for _, s := range series {
		for _, x := range s.Windows {
			usd += x.Mean * float64(x.Count)
		}
	}
	return usd, err
}
