// Package function fetches the quotes of stocks and funds from Finnhub
// (https://finnhub.io, free plan).
package function

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of stocks.
type Config struct {
	Key     secret.String `env:"FINNHUB_KEY_SECRET" envDefault:"finnhub-key"`        // secret with the key of Finnhub
	Symbols config.List   `env:"STOCKS_SYMBOLS"`                                     // symbols of US stocks and funds: SPY,AAPL; at most as many as calls a minute, symbols after that fail
	Calls   int           `env:"FINNHUB_CALLS_A_MINUTE" envDefault:"60"`             // calls a minute that the key's plan allows; each symbol takes one
	URL     url.URL       `env:"FINNHUB_URL" envDefault:"https://finnhub.io/api/v1"` // Finnhub's API
}

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	quota := source.Minute("finnhub", c.Calls, len(c.Symbols))
	return source.Handler(env, source.Source{
		Name:       "stocks",
		Needs:      []secret.String{c.Key},
		Setting:    "STOCKS_SYMBOLS",
		Targets:    c.Symbols,
		MaxTargets: max(c.Calls, 1),
		Quota:      func(string) *store.Quota { return quota },
		Fetch: func(ctx context.Context, client *fetch.Client, symbol string, _ source.Window) (source.Batch, error) {
			a, err := client.Get(ctx, c.query(symbol), http.Header{"X-Finnhub-Token": {c.Key.Reveal()}})
			if err != nil {
				return source.Batch{}, fetch.Explain(err, hints)
			}
			rs, odd, err := decode(a.Body, symbol)
			b := source.Batch{Readings: rs}
			if odd != "" {
				b.Warnings = source.LeftOut([]string{odd})
			}
			return b, err
		},
	})
}
