package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings that every source reads from the environment.
type Config struct {
	ExecTimeout time.Duration `env:"exec_timeout" envDefault:"25s"`                       // OpenFaaS' own setting; a run that takes longer counts as dead
	Settings    secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml, which changes the rules of alerts
	Notify      notify.Config
}

const (
	maxFetchTime  = 17 * time.Second // for all requests of a run
	storeTime     = 8 * time.Second  // the rest of a call's 25 s: for the store, the ledger and Slack
	lastStepStart = 9 * time.Second  // into a run: a later step of a backfill could exceed maxFetchTime, since a request may take 8 s
	leaseMargin   = 10 * time.Second // how long a lease outlives exec_timeout

	defaultRetryAfter = time.Minute // for a spent quota that does not say when it is restored
	logBytes          = 4 << 10     // of an error in the log
	reasonBytes       = 300         // of an error in an answer, the ledger and Slack
)

// fetching is how long a run may make requests. With a short exec_timeout, half
// of it is left for the store, so that an upstream that hangs still leaves a failed
// run in the ledger.
func (c Config) fetching() time.Duration {
	return min(maxFetchTime, max(c.ExecTimeout-storeTime, c.ExecTimeout/2))
}

// working is how long a run may fetch and store. The rest is for its row in the
// ledger: writing it releases the lease.
func (c Config) working() time.Duration { return c.ExecTimeout * 7 / 8 }

// runner serves the calls of one Source.
type runner struct {
	Source
	env      serve.Env
	config   Config
	notifier *notify.Sender
	loader   *house.Loader
	client   *fetch.Client
	presence *serve.Presence

	gone atomic.Bool // its targets were deleted and its alerts ended, as it is not fetched
}

// Handler serves s over HTTP (design: "Source over HTTP"):
//
//	POST /?from=2024-01-01&to=2024-06-30&dry_run=true&strict=true&show=true
//
// With strict, one failed target fails the run. With show, the answer contains the
// decoded readings and items, as that of a dry run does.
//
// Status codes: 200 ok, partial or not_configured; 400 bad parameters; 405 another
// method; 409 already running; 429 a quota is spent; 502 the upstream failed; 503
// the store cannot be reached or is not migrated.
func Handler(env serve.Env, s Source) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	presence, err := serve.NewPresence(env, s.Name)
	if err != nil {
		return nil, err
	}
	return &runner{presence: presence, Source: s, env: env, config: c, notifier: notify.New(c.Notify, env), loader: house.New(env, c.Settings), client: fetch.New(env.Now)}, nil
}

// HasHistory reports whether the source can be backfilled.
func (x *runner) HasHistory() bool { return x.Step > 0 }

func (x *runner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := x.env.Now()
	a, err := x.serve(r, start)
	a.Function, a.Sample = x.Name, x.env.Sample
	if a.Warnings == nil {
		a.Warnings = []string{}
	}
	a.TookMS = x.env.Now().Sub(start).Milliseconds()
	code, wait := status(err, x.env.Now())
	if err != nil {
		a.Error = x.env.Secrets.Brief(err.Error(), reasonBytes)
		if a.Status != "running" {
			a.Status = "failed"
		}
	}
	x.log(a, code, err)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(a) // an error means that the caller has gone: the ledger has the run
}

// serve checks the call and makes the run.
func (x *runner) serve(r *http.Request, now time.Time) (Answer, error) {
	if r.Method != http.MethodPost {
		return Answer{}, &callError{http.StatusMethodNotAllowed, fmt.Sprintf("method %s is not allowed: use POST", r.Method)}
	}
	p, err := parse(r, x.Step > 0, now)
	if err != nil {
		return Answer{}, &callError{http.StatusBadRequest, err.Error()}
	}
	missing := x.missing()
	if !p.dryRun {
		x.presence.Seen(r.Context(), len(missing) == 0)
	}
	if len(missing) > 0 {
		if !p.dryRun {
			x.unwatch(r.Context(), "it lacks "+strings.Join(missing, " and "))
		}
		return Answer{Status: "not_configured", Missing: missing}, nil
	}
	// A run goes on when the gateway closes the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), x.config.ExecTimeout)
	defer cancel()
	st, err := x.env.Open(ctx)
	if err != nil {
		return Answer{}, &storeError{err}
	}
	if p.dryRun {
		return x.dryRun(ctx, st, p)
	}
	if x.env.Sample {
		x.unwatch(ctx, "it works on sample data")
	}
	return x.run(ctx, st, p, now)
}

// missing returns the names of the required secrets and settings that are absent.
func (x *runner) missing() []string {
	var names []string
	for _, s := range x.Needs {
		if !s.Present() {
			names = append(names, "secret "+s.Name())
		}
	}
	if len(x.Targets) == 0 {
		names = append(names, x.Setting)
	}
	return names
}

func (x *runner) log(a Answer, code int, err error) {
	if err != nil {
		err = errors.New(x.env.Secrets.Brief(err.Error(), logBytes))
	}
	log := x.env.Log.With("function", x.Name, "run", a.Run, "status", a.Status, "code", code,
		"stored", a.Stored, "unchanged", a.Unchanged, "took_ms", a.TookMS)
	switch {
	case code >= 500:
		log.Error("run", "err", err)
	case err != nil || a.Status == "partial":
		log.Warn("run", "err", err, "warnings", a.Warnings)
	case len(a.Warnings) > 0:
		log.Info("run", "warnings", a.Warnings)
	default:
		log.Info("run")
	}
}

// callError is a call with a wrong method or wrong parameters.
type callError struct {
	code int
	text string
}

func (e *callError) Error() string { return e.text }

// storeError is a failure of our own store.
type storeError struct{ err error }

func (e *storeError) Error() string { return "store: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// status returns the status code for err and how long after now the caller should
// retry; 0 means that the answer has no Retry-After.
func status(err error, now time.Time) (int, time.Duration) {
	if err == nil {
		return http.StatusOK, 0
	}
	if e, ok := errors.AsType[*callError](err); ok {
		return e.code, 0
	}
	if errors.Is(err, store.ErrRunning) || errors.Is(err, store.ErrFenced) {
		return http.StatusConflict, 0
	}
	if _, ok := errors.AsType[*storeError](err); ok {
		return http.StatusServiceUnavailable, 0
	}
	if spent, wait := isSpent(err, now); spent {
		if wait <= 0 {
			wait = defaultRetryAfter
		}
		return http.StatusTooManyRequests, wait
	}
	return http.StatusBadGateway, 0
}
