// Package function fetches the weather, the outdoor air quality and the forecast for a
// list of places from OpenWeather (https://openweathermap.org/api, free plan).
package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/place"
	"github.com/hearth-home/hearth/shared/reading"
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

// calls are the requests for each place.
var calls = []struct {
	path   string
	decode decoder
}{
	{"weather", decodeCurrent},
	{"air_pollution", decodeAir},
	{"forecast", decodeForecast},
}

// hints explain a status code of OpenWeather.
var hints = map[int]string{
	http.StatusUnauthorized:    "the key is not valid, is not for this service, or is too new: OpenWeather activates a key within about two hours",
	http.StatusTooManyRequests: "the key's plan allows no more calls now",
}

// fetch fetches all readings of a place. A call that fails costs only what it would have
// brought, unless the key is refused or its calls are used up.
func (c Config) fetch(ctx context.Context, client *fetch.Client, p place.Place) (source.Batch, error) {
	var b source.Batch
	var first error
	for _, call := range calls {
		rs, err := c.call(ctx, client, p, call.path, call.decode)
		for _, r := range rs {
			r.Tags = map[string]string{"place": p.Name}
			b.Readings = append(b.Readings, r)
		}
		if fatal(err) == nil {
			if err != nil {
				b.Warnings = append(b.Warnings, err.Error())
			}
			continue
		}
		if first == nil {
			first = err
		}
		if b.Failed = err; b.Failed != first {
			b.Failed = fmt.Errorf("%w; %w", first, err)
		}
		if refused(err) {
			break
		}
	}
	if len(b.Readings) == 0 {
		return b, first
	}
	return b, nil
}

// call makes one call. With an error it may return a part of the readings.
func (c Config) call(ctx context.Context, client *fetch.Client, p place.Place, path string, decode decoder) ([]reading.Reading, error) {
	a, err := client.Get(ctx, c.query(path, p), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fetch.Explain(err, hints))
	}
	rs, err := decode(a.Body)
	if err != nil {
		err = fmt.Errorf("decode %s: %w", path, err)
	}
	return rs, err
}

// refused reports whether the next call would fail for the same reason.
func refused(err error) bool {
	if e, ok := errors.AsType[*fetch.StatusError](err); ok {
		return hints[e.Code] != ""
	}
	if e, ok := errors.AsType[*fetch.UpstreamError](err); ok {
		return e.Spent
	}
	_, spent := errors.AsType[*store.SpentError](err)
	return spent
}
