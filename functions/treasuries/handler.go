// Package function fetches the daily par yield curve of the US Treasury from the Treasury
// itself, without a key. If a key is set, it also fetches these yields from Alpha
// Vantage. The time of a reading is its business day at 00:00 UTC.
package function

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of treasuries.
type Config struct {
	URL        url.URL     `env:"TREASURY_URL" envDefault:"https://home.treasury.gov/resource-center/data-chart-center/interest-rates/pages/xml"` // the US Treasury's XML feed
	Maturities config.List `env:"TREASURY_MATURITIES" envDefault:"1m,1.5m,2m,3m,4m,6m,1y,2y,3y,5y,7y,10y,20y,30y"`                                // maturities of the par yield curve
	RunsADay   int         `env:"TREASURY_RUNS_A_DAY" envDefault:"2"`                                                                             // runs a day by the schedule; reruns leave Alpha Vantage's calls for them

	AlphaVantageKey        secret.String `env:"ALPHAVANTAGE_KEY_SECRET" envDefault:"alphavantage-key"`           // secret with a key of Alpha Vantage; without it, only the Treasury's data is fetched
	AlphaVantageMaturities config.List   `env:"ALPHAVANTAGE_MATURITIES" envDefault:"2year,10year,30year"`        // some of 3month, 2year, 5year, 7year, 10year, 30year
	AlphaVantageURL        url.URL       `env:"ALPHAVANTAGE_URL" envDefault:"https://www.alphavantage.co/query"` // Alpha Vantage's API
	AlphaVantageCalls      int           `env:"ALPHAVANTAGE_CALLS_A_DAY" envDefault:"25"`                        // calls a day that the key's plan allows
	AlphaVantagePause      time.Duration `env:"ALPHAVANTAGE_PAUSE" envDefault:"1200ms"`                          // between two calls; the free plan allows one a second
}

const (
	prefix = "alphavantage " // of Alpha Vantage's targets: "alphavantage 10year"
	// recent is how far back a run for now stores yields: the page compares the curve with that
	// of a month ago, which may be 10 days before for lack of business days. Longer gaps need
	// a backfill.
	recent = 45 * 24 * time.Hour
)

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	targets := slices.Clone(c.Maturities)
	var quota *store.Quota
	if c.AlphaVantageKey.Present() {
		for _, name := range c.AlphaVantageMaturities {
			targets = append(targets, prefix+name)
		}
		quota = &store.Quota{Key: "alphavantage", Limit: c.AlphaVantageCalls, Window: 24 * time.Hour, Reserve: c.RunsADay * len(c.AlphaVantageMaturities)}
	}
	treasury := &treasury{url: c.URL, now: env.Now, decoded: map[*fetch.Answer]curve{}}
	vantage := &vantage{Config: c, redact: env.Secrets.Redact, now: env.Now, histories: map[string]history{}}
	return source.Handler(env, source.Source{
		Name:    "treasuries",
		Setting: "TREASURY_MATURITIES",
		Targets: targets,
		Step:    366 * 24 * time.Hour,
		Fetch: func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
			days := w
			if w.Now() {
				now := env.Now().UTC()
				days = source.Window{From: now.Add(-recent), To: now}
			}
			if maturity, ok := strings.CutPrefix(target, prefix); ok {
				return vantage.fetch(ctx, client, maturity, days, w.Now())
			}
			return treasury.fetch(ctx, client, target, days, w.Now())
		},
		Quota: func(target string) *store.Quota {
			if strings.HasPrefix(target, prefix) {
				return quota
			}
			return nil
		},
	})
}
