// Package function watches what is due: pipelines that did not run, certificates and dates
// that end, reminders, the message in the morning. It also tells an outside watcher that the
// house still works, rolls up the history, deletes what is old, and takes what buttons and
// Alertmanager send.
//
//	POST /             the tick, every five minutes
//	POST /action       a button or a command, from connectors/slack (shared token)
//	POST /alertmanager alerts of Prometheus' Alertmanager (shared token)
package function

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of alert-deadlines.
type Config struct {
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml
	Notify   notify.Config
	Gateway  url.URL       `env:"GATEWAY_URL" envDefault:"http://gateway.openfaas:8080"` // OpenFaaS gateway, through which an overdue source is called
	DeadMan  secret.String `env:"DEADMAN_URL_SECRET" envDefault:"deadman-url"`           // secret with an address that is called while the house works: Uptime Kuma's push monitor, healthchecks.io; empty: none
	Token    secret.String `env:"ALERTS_TOKEN_SECRET" envDefault:"alerts-token"`         // secret with the token that /action and /alertmanager require
}

const (
	name       = "alert-deadlines"
	tickTime   = 20 * time.Second       // for all jobs of a tick, for sending, and for roll-ups
	jobsTime   = 17 * time.Second       // for the jobs
	rollTime   = 8 * time.Second        // that sending leaves to roll-ups
	answerTime = 500 * time.Millisecond // that roll-ups leave to the answer
	leaseTTL   = 35 * time.Second       // longer than exec_timeout
	waitTime   = 3 * time.Second        // for a tick of this process that runs already
)

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// function serves the calls.
type function struct {
	Config
	env      serve.Env
	presence *serve.Presence
	loader   *house.Loader
	file     *settings.Watch[file]
	sender   *notify.Sender
	ticking  chan struct{} // full during a tick
	roller   rollup.Roller
	memory   memory
}

// memory is what the process remembers. A new one only does a little more than needed.
type memory struct {
	sync.Mutex
	checked map[string]checked // the servers' certificates
	greeted string             // the day of the last message in the morning
}

// checked is what is known of a server's certificate.
type checked struct {
	at     time.Time // when the server was last asked
	end    time.Time // of the certificate; zero: it never answered
	failed bool      // it did not answer then
}

// file is hearth.yml, and the measurements that it adds.
type file struct {
	*settings.File
	measurements []catalogue.Measurement
}

func read(f *settings.File) file { return file{f, mapping.Compile(f).Measurements()} }

// paths are the parts of hearth.yml that this function uses itself.
var paths = []string{"house", "reminders", "certificates", "expiries", "good_morning", "away"}

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	presence, err := serve.NewPresence(env, name)
	if err != nil {
		return nil, err
	}
	f := &function{Config: c, env: env, presence: presence, loader: house.New(env, c.Settings), sender: notify.New(c.Notify, env),
		file:    settings.NewWatch(c.Settings, env.Log, paths, read),
		ticking: make(chan struct{}, 1), memory: memory{checked: map[string]checked{}}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", f.serveTick)
	mux.HandleFunc("POST /action", f.serveAction)
	mux.HandleFunc("POST /alertmanager", f.serveAlertmanager)
	return mux, nil
}

// answer is the JSON body that a tick is answered with.
type answer struct {
	Function string   `json:"function"`
	Status   string   `json:"status"` // ok; partial: some jobs failed; running; failed
	TookMS   int64    `json:"took_ms"`
	History  *history `json:"history,omitempty"`      // while much of it is left to roll up
	Deleted  int      `json:"days_deleted,omitempty"` // of readings and roll-ups that are kept no longer: a day of a measurement each
	Warnings []string `json:"warnings"`
	Error    string   `json:"error,omitempty"`
}

// history is how far the history is rolled up.
type history struct {
	Percent int `json:"percent"`
	Done    int `json:"days_done"`
	Of      int `json:"days"`
	text    string
}

// historyOf returns nil if little is left.
func historyOf(p rollup.Progress) *history {
	if !p.Backlog {
		return nil
	}
	h := &history{Percent: p.Percent(), text: p.String()}
	h.Done, h.Of = p.Days()
	return h
}

// serveTick runs the tick and answers 200, 409 if one runs here or elsewhere, or 503 if the store
// cannot be reached.
func (f *function) serveTick(w http.ResponseWriter, r *http.Request) {
	select {
	case f.ticking <- struct{}{}:
		defer func() { <-f.ticking }()
	case <-time.After(waitTime):
		f.answer(w, answer{Function: name, Status: "running", Warnings: []string{}}, http.StatusConflict)
		return
	}
	start := f.env.Now()
	f.presence.Seen(r.Context(), true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), tickTime) // it goes on when the gateway closes the connection
	defer cancel()
	a, code := answer{Function: name, Status: "ok", Warnings: []string{}}, http.StatusOK
	o, err := f.tick(ctx, start)
	a.History, a.Deleted = historyOf(o.rolled.Progress), o.rolled.Deleted
	for _, e := range o.failed {
		a.Status, a.Warnings = "partial", append(a.Warnings, f.env.Secrets.Redact(e.Error()))
	}
	switch {
	case errors.Is(err, store.ErrRunning):
		a.Status, code = "running", http.StatusConflict
	case err != nil:
		a.Status, a.Error, code = "failed", f.env.Secrets.Redact(err.Error()), http.StatusServiceUnavailable
	}
	a.TookMS = f.env.Now().Sub(start).Milliseconds()
	f.answer(w, a, code)
}

func (f *function) answer(w http.ResponseWriter, a answer, code int) {
	f.log(a, code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(a) // an error means that the caller has gone
}

func (f *function) log(a answer, code int) {
	log := f.env.Log.With("function", name, "status", a.Status, "code", code, "took_ms", a.TookMS)
	if a.History != nil {
		log = log.With("history", a.History.text)
	}
	if a.Deleted > 0 {
		log = log.With("days_deleted", a.Deleted)
	}
	switch {
	case code >= 500:
		log.Error("tick", "err", a.Error)
	case len(a.Warnings) > 0:
		log.Warn("tick", "warnings", a.Warnings)
	default:
		log.Info("tick")
	}
}
