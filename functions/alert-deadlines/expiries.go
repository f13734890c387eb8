package function

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
)

const (
	tokenName = "GitHub token"
	tokenKept = 3 * 24 * time.Hour // how old the last word about a token may be
)

// expiries judges the dates that hearth.yml lists, and that of the token of GitHub.
func (t *tick) expiries(ctx context.Context) error {
	found, err := t.token(ctx)
	if err != nil {
		return err
	}
	for _, e := range t.file.Expiries {
		if spec, on := t.rules.Spec(rules.Expiry, e.Name, ""); on {
			found = append(found, deadline.Ending{Name: e.Name, What: e.Name, End: dayOf(e.Date, t.zone())}.Observe(spec, t.house, t.now))
		}
	}
	watched := map[string]bool{}
	for _, o := range found {
		watched[o.Key] = true
	}
	if err := t.move(ctx, found); err != nil {
		return err
	}
	return t.unwatch(ctx, rules.Expiry, watched, "It is no longer in hearth.yml, does not expire, or the rule is switched off for it.")
}

// token judges when GitHub's token expires, which GitHub says in its answers and the
// function github stores. It returns nothing if the token does not expire.
func (t *tick) token(ctx context.Context) ([]alert.Observation, error) {
	spec, on := t.rules.Spec(rules.Expiry, tokenName, "")
	if !on {
		return nil, nil
	}
	rs, err := t.st.Latest(ctx, "github_token", t.now.Add(-tokenKept))
	if err != nil {
		return nil, err
	}
	for _, r := range rs {
		if r.Tags[catalogue.SampleLabel] == "" {
			end := r.Time.Add(time.Duration(r.Fields["valid_seconds"] * float64(time.Second)))
			return []alert.Observation{deadline.Ending{Name: tokenName, What: "The token of the function github", End: end}.Observe(spec, t.house, t.now)}, nil
		}
	}
	runs, err := t.st.LastFinished(ctx)
	if err != nil || runs["github"].Status == "ok" && t.now.Sub(runs["github"].Started) < tokenKept {
		return nil, err // the token of its latest run has no end
	}
	return []alert.Observation{{Key: rules.Expiry + "/" + tokenName, Spec: spec, Subject: alert.Subject{Name: tokenName}, Verdict: alert.NoData, At: t.now}}, nil
}

// dayOf returns the beginning of a day.
func dayOf(d settings.Date, z *time.Location) time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), z) // package settings has checked it
	return t
}

// begin returns the midnight before a time.
func begin(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}
