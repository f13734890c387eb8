// Package function fetches the weather, the outdoor air quality and the forecast for a
// list of places from OpenWeather (https://openweathermap.org/api, free plan).
package function

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/place"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of weather.
type Config struct {
	Key    secret.String `env:"OPENWEATHER_KEY_SECRET" envDefault:"openweather-key"`                  // secret with the key of OpenWeather
	Places place.List    `env:"WEATHER_PLACES"`                                                       // home:47.6062,-122.3321;cabin:46.5,8: name, latitude and longitude in degrees; at most a third of the calls a minute, places after that fail
	Calls  int           `env:"OPENWEATHER_CALLS_A_MINUTE" envDefault:"60"`                           // calls a minute that the key's plan allows; each place takes three
	URL    url.URL       `env:"OPENWEATHER_URL" envDefault:"https://api.openweathermap.org/data/2.5"` // OpenWeather's API
}

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	byName := map[string]place.Place{}
	var names []string
	for _, p := range c.Places {
		byName[p.Name] = p
		names = append(names, p.Name)
	}
	quota := source.Minute("openweather", c.Calls, len(calls)*len(names))
	return source.Handler(env, source.Source{
		Name:       "weather",
		Needs:      []secret.String{c.Key},
		Setting:    "WEATHER_PLACES",
		Targets:    names,
		MaxTargets: max(c.Calls/len(calls), 1),
		Fetch: func(ctx context.Context, client *fetch.Client, target string, _ source.Window) (source.Batch, error) {
			return c.fetch(ctx, client, byName[target])
		},
		Quota: func(string) *store.Quota { return quota },
	})
}

// calls are the requests for each place. The place fails if one of them fails.
var calls = []struct {
	path   string
	decode decoder
}{
	{"weather", decodeCurrent},
	{"air_pollution", decodeAir},
	{"forecast", decodeForecast},
}

// fetch fetches all readings of a place.
func (c Config) fetch(ctx context.Context, client *fetch.Client, p place.Place) (source.Batch, error) {
	var b source.Batch
	for _, call := range calls {
		a, err := client.Get(ctx, c.query(call.path, p), nil)
		if err != nil {
			return b, err
		}
		rs, err := call.decode(a.Body)
		if err != nil {
			return b, fmt.Errorf("decode %s: %w", call.path, err)
		}
		for _, r := range rs {
			r.Tags = map[string]string{"place": p.Name}
			b.Readings = append(b.Readings, r)
		}
	}
	return b, nil
}
