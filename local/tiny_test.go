package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/testserver"
)

// tiny is the smallest source: one reading and one item for each place.
type tiny struct {
	URL    url.URL       `env:"TINY_URL" envDefault:"https://api.tiny.example/v1"`
	Places config.List   `env:"TINY_PLACES" envDefault:"home"`
	Key    secret.String `env:"TINY_KEY_SECRET" envDefault:"tiny-key"`
}

// newTiny returns a source with the name weather, whose measurement is in the catalogue.
func newTiny(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[tiny](env.Env)
	if err != nil {
		return nil, err
	}
	return source.Handler(env, source.Source{
		Name: "weather", Needs: []secret.String{c.Key}, Setting: "TINY_PLACES", Targets: c.Places, Step: 24 * time.Hour,
		Fetch: func(ctx context.Context, client *fetch.Client, place string, w source.Window) (source.Batch, error) {
			u := c.URL.JoinPath("now")
			u.RawQuery = url.Values{"place": {place}}.Encode()
			got, _, err := fetch.JSON[struct{ DT int64 }](ctx, client, u, http.Header{"X-Key": {c.Key.Reveal()}})
			if err != nil {
				return source.Batch{}, err
			}
			r := reading.Reading{Name: "weather", Tags: map[string]string{"place": place},
				Fields: map[string]float64{"temperature_celsius": 12.5}, Time: time.Unix(got.DT, 0)}
			if !w.Now() {
				r.Time = w.From
				return source.Batch{Readings: []reading.Reading{r}}, nil
			}
			return source.Batch{
				Readings: []reading.Reading{r},
				Items:    []item.Item{{ID: "1", Title: "take an umbrella", URL: u.String(), At: r.Time}},
			}, nil
		},
	})
}

const tinyStack = `
provider: {name: openfaas}
functions:
  weather:
    lang: golang-middleware
    handler: ./functions/weather
    image: tiny:1
    annotations: {topic: cron-function, schedule: "${TINY_SCHEDULE:-@daily}"}
    secrets: [tiny-key, database-url]
    environment:
      exec_timeout: 5s
      TINY_URL: ${TINY_URL:-https://api.tiny.example/v1}
      TINY_PLACES: ${TINY_PLACES:-home}
  absent:
    handler: ./functions/absent
`

// repository returns a repository with the tiny function's block and samples.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "stack.yml"), tinyStack)
	write(t, filepath.Join(root, "functions/weather/sample/api.tiny.example/v1/now.json.tmpl"), `{"dt":{{unix (index (days 1) 0)}}}`)
	return root
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// running is a platform on a free port.
type running struct {
	*platform
	t    *testing.T
	logs *testserver.Output
	stop func()
}

// launch starts a platform in root with these variables; stop may be called
// before the test ends, to start the next one.
func launch(t *testing.T, root string, environ ...string) *running {
	t.Helper()
	return launchWith(t, tinyOnly, root, environ...)
}

func launchWith(t *testing.T, build map[string]host.Builder, root string, environ ...string) *running {
	t.Helper()
	r, err := tryLaunch(t, build, root, environ...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tryLaunch is launchWith for a platform whose parts may not start.
func tryLaunch(t *testing.T, build map[string]host.Builder, root string, environ ...string) (*running, error) {
	t.Helper()
	logs := &testserver.Output{}
	h, err := Open(root, append([]string{"EDGE=off", "PORT=0"}, environ...), logs)
	if err != nil {
		t.Fatal(err)
	}
	h.build, h.ownsState = build, true
	u, err := newPlatform(h)
	if err != nil {
		t.Fatal(err)
	}
	parts := u.parts()
	if err := startAll(t.Context(), parts); err != nil {
		return nil, err
	}
	u.gateway.Ready(true)
	r := &running{platform: u, t: t, logs: logs}
	r.stop = sync.OnceFunc(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := stopAll(ctx, parts); err != nil {
			t.Errorf("stop: %v\n%s", err, logs)
		}
	})
	t.Cleanup(r.stop)
	// If a stop interrupts an attempt to connect, the MQTT client's goroutine sleeps for
	// another 2 s, and goleak reports it as a leak.
	if !u.userBroker() {
		u.waitReady(t.Context())
	}
	return r, nil
}

func (r *running) call(method, path string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.server.Addr+path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (r *running) invoke(query string) source.Answer {
	r.t.Helper()
	_, body := r.call("POST", "/function/weather"+query)
	var a source.Answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		r.t.Fatalf("%v: %s", err, body)
	}
	return a
}

// eventually polls until ok.
func (r *running) eventually(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	r.t.Fatalf("never happened: %s\n%s", what, r.logs)
}

// settled waits until the run at the start has ended, and returns how many runs the
// database has.
func (r *running) settled() int {
	r.t.Helper()
	n := 0
	r.eventually("a finished run", func() bool {
		runs := r.runs()
		n = len(runs)
		seeded := r.host.Functions()[0].State == host.Live && n > 0 && strings.HasSuffix(runs[0], "/sample") // the live run follows
		return n > 0 && runs[0] != "running" && !seeded
	})
	return n
}

// runs returns the state of each run in the database, the newest first: "running", or
// trigger and status as in "cron/ok".
func (r *running) runs() []string {
	r.t.Helper()
	st, err := r.open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	runs, err := st.Runs(r.t.Context(), "weather", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, run := range runs {
		state := run.Status
		if run.Status != "running" {
			state = fmt.Sprintf("%s/%s", run.Trigger, run.Status)
		}
		if run.Sample && run.Status != "running" {
			state += "/sample"
		}
		out = append(out, state)
	}
	return out
}

func (r *running) has(text string) bool { return strings.Contains(r.logs.String(), text) }
