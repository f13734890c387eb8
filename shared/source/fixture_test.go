package source_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// of returns the New of a function that serves s.
func of(s source.Source) sourcetest.Build {
	return func(env serve.Env) (http.Handler, error) { return source.Handler(env, s) }
}

// start serves s in a fixture with a Slack webhook.
func start(t *testing.T, s source.Source) *sourcetest.Fixture {
	t.Helper()
	return sourcetest.Start(t, noon, of(s), nil, sourcetest.Secrets{"slack-webhooks": "http://slack/services/T000/B000/s3cr3thook"}, sourcetest.Respond(200, "{}"))
}

// run builds h again with s and calls it.
func run(h *sourcetest.Fixture, s source.Source, query string) (source.Answer, *httptest.ResponseRecorder) {
	h.Build(of(s))
	return h.Post(query)
}

// thermometer returns a source with one reading and one item for each target.
// Its target nowhere fails.
func thermometer(targets ...string) source.Source {
	return source.Source{
		Name: "weather", Setting: "WEATHER_PLACES", Targets: targets,
		Fetch: func(_ context.Context, _ *fetch.Client, target string, _ source.Window) (source.Batch, error) {
			if target == "nowhere" {
				return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 404, Body: "no such place"}
			}
			return source.Batch{
				Readings: []reading.Reading{weather(target, noon)},
				Items:    []item.Item{{ID: target, Title: "look at " + target}}, Complete: true,
			}, nil
		},
	}
}

func weather(place string, at time.Time) reading.Reading {
	return reading.Reading{Name: "weather", Tags: map[string]string{"place": place}, Fields: map[string]float64{"temperature_celsius": 8.5}, Time: at}
}

// requesting returns s, changed so that each fetch first sends a request to the
// fixture's upstream.
func requesting(h *sourcetest.Fixture, s source.Source) source.Source {
	u := &url.URL{Scheme: "http", Host: h.Upstream.Listener.Addr().String()}
	answer := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if _, err := client.Get(ctx, u, nil); err != nil {
			return source.Batch{}, err
		}
		return answer(ctx, client, target, w)
	}
	return s
}
