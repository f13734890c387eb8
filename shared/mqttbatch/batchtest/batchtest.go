// Package batchtest calls functions that store MQTT messages with batches, as the
// connector does.
package batchtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/wire"
)

// Func is the type of the function that the template golang-http calls.
type Func = func(handler.Request) (handler.Response, error)

// Served is a function with a store, a folder of secrets and a clock.
type Served struct {
	Store   *store.Store
	Secrets string        // folder of the secrets
	Late    time.Duration // how far the function's clock is ahead of the newest message
	f       Func
	beside  serve.Beside
	last    time.Time // of the newest message
	n       int       // messages
}

// Serve builds a function. vars are its environment variables: name, value, name,
// value.
func Serve(t testing.TB, build func(serve.Env) (Func, error), st *store.Store, vars ...string) *Served {
	t.Helper()
	s := &Served{Store: st, Secrets: t.TempDir(), Late: 20 * time.Millisecond}
	env := serve.Env{
		Env: config.Env{
			Vars: map[string]string{}, Secrets: secret.NewFolder(s.Secrets), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Now: func() time.Time { return s.last.Add(s.Late) },
		},
		Open:   func(context.Context) (*store.Store, error) { return s.Store, nil },
		Beside: &s.beside,
	}
	t.Cleanup(func() { s.Finish(t) })
	for pair := range slices.Chunk(vars, 2) {
		env.Vars[pair[0]] = pair[1]
	}
	var err error
	if s.f, err = build(env); err != nil {
		t.Fatal(err)
	}
	return s
}

// Finish stops the work beside the answers, and waits until it has ended.
func (s *Served) Finish(t testing.TB) {
	t.Helper()
	if err := s.beside.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// SQLite opens an empty store on SQLite.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// Servers opens an empty store on a real InfluxDB and a real PostgreSQL.
func Servers(t testing.TB) *store.Store {
	t.Helper()
	url, bucket := testserver.Influx(t)
	dir := t.TempDir()
	for name, value := range map[string]string{"database-url": testserver.Postgres(t), "influx-token": "any:any-token"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secrets := secret.NewFolder(dir)
	if err := store.Migrate(t.Context(), secrets.Get("database-url")); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: url, Org: "home", Bucket: bucket, Token: secrets.Get("influx-token")}, Database: secrets.Get("database-url")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// Body encodes messages as a batch.
func Body(ms ...wire.Message) []byte { return wire.AppendBatch(nil, slices.Values(ms)) }

// Post calls the function with messages and returns its answer. Messages without an id
// get one. An answer other than 200 or 207 ends the test.
func (s *Served) Post(t testing.TB, ms ...wire.Message) wire.Answer {
	t.Helper()
	code, body := s.Try(t, ms...)
	var a wire.Answer
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("answered %d: %s", code, body)
	}
	want := http.StatusOK
	if len(a.Rejected)+len(a.Retry) > 0 {
		want = http.StatusMultiStatus
	}
	if code != want {
		t.Fatalf("answered %d: %s", code, body)
	}
	return a
}

// Try calls the function with messages and returns the status and the body of its
// answer. Messages without an id get one.
func (s *Served) Try(t testing.TB, ms ...wire.Message) (int, []byte) {
	t.Helper()
	for i := range ms {
		if s.n++; ms[i].ID == "" {
			ms[i].ID = fmt.Sprint("m", s.n)
		}
		s.Clock(ms[i].Time)
	}
	return s.Call(t, Body(ms...))
}

// Clock sets the time of the newest message to t if it is earlier.
func (s *Served) Clock(t time.Time) {
	if t.After(s.last) {
		s.last = t
	}
}

// Call calls the function with a copy of body.
func (s *Served) Call(t testing.TB, body []byte) (int, []byte) {
	t.Helper()
	req := handler.Request{Method: http.MethodPost, Body: bytes.Clone(body), Header: http.Header{"Content-Type": {wire.ContentType}}}
	req.WithContext(t.Context())
	r, err := s.f(req)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Body
}

// Lines returns the stored readings of measurements, in line protocol.
func (s *Served) Lines(t testing.TB, measurements ...string) []string {
	t.Helper()
	out := []string{}
	for _, name := range measurements {
		rs, err := s.Store.Between(t.Context(), name, nil, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			out = append(out, r.Line())
		}
	}
	return out
}

// States returns the latest states of the devices' metrics: "device metric = value time
// quality", and "retained" or a reason if there is one.
func (s *Served) States(t testing.TB) []string {
	t.Helper()
	states, err := s.Store.DeviceStates(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, d := range states {
		value := fmt.Sprint(d.Value)
		if d.Text != "" {
			value = fmt.Sprintf("%q", d.Text)
		}
		at := "?"
		if !d.Time.IsZero() {
			at = d.Time.Format("15:04:05.000")
		}
		line := fmt.Sprintf("%s %s = %s %s %s", d.Device, d.Metric, value, at, d.Quality)
		if d.Retained {
			line += " retained"
		}
		if d.Reason != "" {
			line += ": " + d.Reason
		}
		out = append(out, line)
	}
	return out
}

// Null is a series that checks readings and does not store them.
type Null struct{ store.Series }

// Write checks readings as every series does.
func (Null) Write(_ context.Context, rs []reading.Reading) error {
	_, err := store.Normal(rs)
	return err
}
