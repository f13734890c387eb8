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
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of weather.
type Config struct {
	Key    secret.String `env:"OPENWEATHER_KEY_SECRET" envDefault:"openweather-key"`                  // secret with the key of OpenWeather
	Places string        `env:"WEATHER_PLACES"`                                                       // places as name:lat,lon;name:lat,lon; at most a third of the calls a minute, places after that fail
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
	places, err := parsePlaces(c.Places)
	if err != nil {
		return nil, fmt.Errorf("configuration: WEATHER_PLACES: %w", err)
	}
	byName := map[string]place{}
	var names []string
	for _, p := range places {
		byName[p.name] = p
		names = append(names, p.name)
	}
	quota := source.Minute("openweather", c.Calls, len(calls)*len(places))
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
func (c Config) fetch(ctx context.Context, client *fetch.Client, p place) (source.Batch, error) {
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
			r.Tags = map[string]string{"place": p.name}
			b.Readings = append(b.Readings, r)
		}
	}
	return b, nil
}
