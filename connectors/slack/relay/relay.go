// Package relay carries buttons and commands from Slack to the function alert-deadlines,
// without a public address: Slack sends them over a websocket that this program opens
// (https://docs.slack.dev/apis/events-api/using-socket-mode).
//
//	Slack -> socket -> spool on disk -> acknowledged to Slack -> function -> response_url
//
// Each is on disk before Slack is told that hearth has it. From then on it is carried out,
// whatever is killed or away in between, and it counts from the time at which it arrived.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/spool"
)

// Config is what the connector reads from the environment.
type Config struct {
	AppToken secret.String `env:"SLACK_APP_TOKEN_SECRET" envDefault:"slack-app-token"` // secret with an app-level token (xapp-…) that may do connections:write
	URL      string        `env:"SLACK_URL" envDefault:"https://slack.com/api/"`       // Slack's API

	Gateway     string        `env:"GATEWAY_URL" envDefault:"http://gateway.openfaas:8080"` // OpenFaaS gateway
	Token       secret.String `env:"ALERTS_TOKEN_SECRET" envDefault:"alerts-token"`         // secret that the function alert-deadlines requires
	CallTimeout time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"30s"`                     // timeout of one call of the function

	Dir      string `env:"DATA_DIR" envDefault:"/var/lib/hearth/slack"` // folder of the spool
	SpoolMiB int64  `env:"SPOOL_MAX_MIB" envDefault:"16"`               // cap of the spool; above it, Slack says that a button does not work
	Listen   string `env:"LISTEN" envDefault:":8081"`                   // address of the HTTP server for metrics and health
}

// check returns an error that names the first setting that is wrong. It quotes no address,
// which may contain a password.
func (c Config) check() error {
	for _, of := range []struct{ name, value string }{{"GATEWAY_URL", c.Gateway}, {"SLACK_URL", c.URL}} {
		switch u, err := config.URL(of.value); {
		case err != nil:
			return fmt.Errorf("configuration: %s is not an address such as http://gateway.openfaas:8080", of.name)
		case u.User != nil:
			return fmt.Errorf("configuration: %s must not contain user and password", of.name)
		}
	}
	switch {
	case c.SpoolMiB < 8 || c.SpoolMiB > 1<<20:
		return fmt.Errorf("configuration: SPOOL_MAX_MIB is %d: write 8 to %d", c.SpoolMiB, 1<<20)
	case c.CallTimeout <= 0:
		return fmt.Errorf("configuration: UPSTREAM_TIMEOUT is %s: write more than 0s", c.CallTimeout)
	}
	return nil
}

// Options are the connector's dependencies.
type Options struct {
	Log    *slog.Logger
	Now    func() time.Time
	Redact func(s string, n int) string // removes the secrets from s and then cuts it to n bytes
}

// Relay is the connector.
type Relay struct {
	config Config
	Options
	spool  *spool.Log
	seen   *seen
	reader *spool.Reader // of what is to be carried out
	caller *caller
	socket socket
	stats  stats
	pause  time.Duration // between two tries to connect, at the longest
}

// New opens the spool. It makes no network connection. It reports errors in c, and an error
// of the folder. If ctx ends first, it returns ctx's error.
func New(ctx context.Context, c Config, o Options) (*Relay, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the connector's folder: %w", err)
	}
	l, report, err := spool.Open(filepath.Join(c.Dir, "spool"), spool.Options{MaxBytes: c.SpoolMiB << 20, Policy: spool.RefuseNewest, Memory: 1 << 20, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if len(report.Problems) > 0 {
		o.Log.Warn("the spool was repaired", "cut_bytes", report.Cut, "problems", report.Problems)
	}
	r := &Relay{config: c, Options: o, spool: l, pause: connectTime}
	if r.seen, err = readSeen(ctx, l); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if r.reader, err = l.Reader("function"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	r.caller = newCaller(c)
	return r, nil
}

// Run runs the connector until ctx ends. A call in flight is finished. What is in the spool
// is carried out after the next start.
func (r *Relay) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { r.listen(ctx) })
	r.deliver(ctx)
	wg.Wait()
	return r.spool.Close()
}

// Problem returns why Slack is not connected at present; "": it is, or it was not tried yet.
func (r *Relay) Problem() string { return r.socket.why() }

// client returns an HTTP client that shares no connections with others.
func client(timeout time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 2
	return &http.Client{Transport: t, Timeout: timeout}
}
