// Package function fetches data of GitHub accounts and repositories: minutes and cost of
// Actions compared with the plan, workflow runs, and Dependabot alerts
// (https://docs.github.com/rest).
//
// The token is a fine-grained one. For usage it needs "Plan: read" (a user) or
// "Administration: read" (an organization); for repositories "Actions: read" and
// "Dependabot alerts: read". The minutes used are those that count against the plan: a
// minute of Windows counts 2, one of macOS 10; those of public repositories and of larger
// runners do not count. Whether a repository is public, GitHub is asked.
package function

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of github.
type Config struct {
	Token    secret.String `env:"GITHUB_TOKEN_SECRET" envDefault:"github-token"`  // secret with a personal access token
	Owners   config.List   `env:"GITHUB_OWNERS"`                                  // accounts whose usage is fetched: user:NAME, org:NAME or NAME; with =MINUTES if the plan includes other minutes than GITHUB_INCLUDED_MINUTES
	Included float64       `env:"GITHUB_INCLUDED_MINUTES" envDefault:"2000"`      // Actions minutes that the plan includes a month: 2000 free, 3000 Pro
	Repos    config.List   `env:"GITHUB_REPOS"`                                   // repositories as owner/repo,owner/repo
	Days     int           `env:"GITHUB_RUN_DAYS" envDefault:"7"`                 // how many days of workflow runs are fetched; a failure is listed for as long
	URL      url.URL       `env:"GITHUB_URL" envDefault:"https://api.github.com"` // GitHub's API; https://HOST/api/v3 for an Enterprise Server
}

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function. Usage, workflow runs and alerts are separate targets, so that
// each fails and recovers alone.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	c.Days = max(c.Days, 1)
	targets, names, err := c.targets()
	if err != nil {
		return nil, err
	}
	quota := &store.Quota{Key: "github", Limit: 5000, Window: time.Hour, Reserve: min(10*len(names), 4000)}
	return source.Handler(env, source.Source{
		Name:    "github",
		Needs:   []secret.String{c.Token},
		Setting: "GITHUB_OWNERS or GITHUB_REPOS",
		Targets: names,
		Fetch: func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
			a := &api{Config: c, client: client, now: env.Now}
			b, err := targets[target].fetch(ctx, a, w)
			if w.Now() {
				b.Readings = append(b.Readings, a.token()...)
			}
			return b, err
		},
		Step:    7 * 24 * time.Hour,
		Quota:   func(string) *store.Quota { return quota },
		Alert:   func(ch item.Change) (alert.Observation, bool) { return targets[ch.Item.Target].raise(ch) },
		Channel: alert.Pipelines,
		Notify:  func(ch item.Change) (string, bool) { return targets[ch.Item.Target].notify(ch, c.Days) },
	})
}
