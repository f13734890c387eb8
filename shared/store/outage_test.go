package store_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

var one = []reading.Reading{{Name: "away", Fields: map[string]float64{"v": 1}, Time: noon}}

// within returns the result of call. It fails the test if call does not return within
// half a minute, three times its deadline.
func within(t *testing.T, what string, call func(context.Context) error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call(context.Background()) }() // the caller sets no deadline
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not return", what)
		return nil
	}
}

// calls returns a call of each kind: transaction, query, write and read of readings.
func calls(s *store.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Begin": func(ctx context.Context) error {
			r, err := s.Begin(ctx, store.Run{Function: "weather"}, time.Minute, nil)
			return errors.Join(err, s.Release(ctx, "weather", r.Fence))
		},
		"Runs":  func(ctx context.Context) error { _, err := s.Runs(ctx, "", 1); return err },
		"Write": func(ctx context.Context) error { return s.Write(ctx, one) },
		"Latest": func(ctx context.Context) error {
			_, err := s.Latest(ctx, "away", noon.Add(-time.Hour))
			return err
		},
		"Ping": s.Ping,
	}
}

func TestCallsFailDuringAnOutageAndWorkAfterIt(t *testing.T) {
	pg, url := testserver.OwnPostgres(t)
	flux, fluxURL, bucket := testserver.OwnInflux(t)
	database := planted(t, "database-url", url)
	if err := store.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	c := store.Config{Influx: store.Influx{URL: fluxURL, Org: "home", Bucket: bucket}, Database: database}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	works := func(when string) {
		t.Helper()
		for name, call := range calls(s) {
			if err := within(t, name, call); err != nil {
				t.Errorf("%s: %s: %v", when, name, err)
			}
		}
	}
	fails := func(when string, names ...string) {
		t.Helper()
		for _, name := range names {
			err := within(t, name, calls(s)[name])
			for n := 0; err == nil && n < 50; n++ { // on a busy machine, PostgreSQL's processes end a moment later
				time.Sleep(100 * time.Millisecond)
				err = within(t, name, calls(s)[name])
			}
			if err == nil {
				t.Errorf("%s: %s returns no error", when, name)
			} else if strings.Contains(err.Error(), testserver.PostgresPassword) {
				t.Errorf("%s: the error of %s contains the password: %v", when, name, err)
			}
		}
	}
	works("at first")
	for _, server := range []*testserver.Server{pg, flux} {
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	fails("killed", "Begin", "Runs", "Write", "Latest", "Ping")
	if _, err := store.Open(t.Context(), c); err == nil || errors.Is(err, store.ErrNotMigrated) || strings.Contains(err.Error(), testserver.PostgresPassword) {
		t.Errorf("Open without a server: %v", err)
	}
	for _, server := range []*testserver.Server{pg, flux} {
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	works("started again")

	if err := errors.Join(pg.Stop(), pg.Start()); err != nil { // between two calls: all pooled connections are lost
		t.Fatal(err)
	}
	works("restarted")

	if err := flux.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	fails("hanging", "Write")
	if err := flux.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	works("after the hang")
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	good := store.Config{Influx: store.Influx{URL: "http://127.0.0.1:1"}, Database: planted(t, "database-url", "postgres://u:hush-hush@127.0.0.1:1/db")}
	for name, tc := range map[string]struct {
		change func(*store.Config)
		want   string
	}{
		"no_influx":    {func(c *store.Config) { c.Influx.URL = "" }, "INFLUX_URL"},
		"odd_influx":   {func(c *store.Config) { c.Influx.URL = "influx:8086" }, "INFLUX_URL"},
		"no_database":  {func(c *store.Config) { c.Database = planted(t, "pg", "") }, `"pg" is missing`},
		"odd_database": {func(c *store.Config) { c.Database = planted(t, "pg", "postgres://u:hush-hush@host:port/db") }, `"pg" is not a PostgreSQL URL`},
		"no_server":    {func(*store.Config) {}, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			tc.change(&c)
			_, err := store.Open(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hush-hush") {
				t.Errorf("%v, want one with %q", err, tc.want)
			}
		})
	}
}
