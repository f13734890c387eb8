// Package function watches the devices once a minute: it finds those that are silent,
// frozen or offline, and the one cause that explains many of them. It also moves time for
// all alerts, and sends what waits in the outbox.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of alert-devices.
type Config struct {
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml
	Notify   notify.Config
}

const (
	name        = "alert-devices"
	workTime    = 20 * time.Second // of a call, with what is sent
	leaseTime   = 35 * time.Second // exec_timeout and 10 s
	reasonBytes = 300
)

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

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
	return &watcher{env: env, loader: house.New(env, c.Settings), sender: notify.New(c.Notify, env), presence: presence}, nil
}

// watcher is the function: what it keeps from one call to the next.
type watcher struct {
	env      serve.Env
	loader   *house.Loader
	sender   *notify.Sender
	presence *serve.Presence
	outage   outage

	mu     sync.Mutex // held during a tick
	memory memory
}

// answer says what a call did.
type answer struct {
	Function string `json:"function"`
	Status   string `json:"status"`  // ok, running, failed
	Devices  int    `json:"devices"` // that are watched
	Silent   int    `json:"silent"`
	Changed  int    `json:"changed"`  // alerts that changed
	Messages int    `json:"messages"` // that were queued
	Learned  int    `json:"learned"`  // cadences that were stored
	TookMS   int64  `json:"took_ms"`
	Error    string `json:"error,omitempty"`
}

func (f *watcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, code := f.env.Now(), http.StatusOK
	a := answer{Function: name, Status: "ok"}
	// A call goes on when the gateway closes the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), workTime)
	defer cancel()
	err := f.run(ctx, start, &a)
	switch {
	case errors.Is(err, store.ErrRunning):
		code, a.Status = http.StatusConflict, "running"
	case err != nil:
		code, a.Status = http.StatusServiceUnavailable, "failed"
	}
	a.TookMS = f.env.Now().Sub(start).Milliseconds()
	if err != nil {
		a.Error = f.env.Secrets.Brief(err.Error(), reasonBytes)
	}
	f.log(a)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(a) // an error means that the caller has gone
}

func (f *watcher) log(a answer) {
	args := []any{"function", name, "status", a.Status, "devices", a.Devices, "silent", a.Silent, "changed", a.Changed, "messages", a.Messages, "took_ms", a.TookMS}
	if a.Error != "" {
		f.env.Log.Error("tick", append(args, "err", a.Error)...)
		return
	}
	f.env.Log.Info("tick", args...)
}

// run makes a tick under the lease, and sends what waits.
func (f *watcher) run(ctx context.Context, now time.Time, a *answer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, err := f.env.Open(ctx)
	if err == nil {
		f.presence.Seen(ctx, true)
		err = f.leased(ctx, st, now, a)
	}
	if errors.Is(err, store.ErrRunning) || errors.Is(err, store.ErrMoved) {
		return err
	}
	f.tellOutage(ctx, err, now)
	if left := f.left(ctx); st != nil && left > 0 {
		f.sender.Drain(ctx, st, left, f.env.Now, f.env.Log)
	}
	return err
}

func (f *watcher) leased(ctx context.Context, st *store.Store, now time.Time, a *answer) error {
	fence, err := st.Lease(ctx, name, "", leaseTime)
	if err != nil {
		return err
	}
	defer st.Release(context.WithoutCancel(ctx), name, fence) // an error means that the lease ends by itself
	return f.tick(ctx, st, now, a)
}

// left returns how much of the call's time is left.
func (f *watcher) left(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline) // clock: of the context's deadline
}

// tellOutage says, without the store, that it cannot be used, once an hour, and once when
// it can be used again. Nothing is remembered of that but in this process.
func (f *watcher) tellOutage(ctx context.Context, err error, now time.Time) {
	h := f.memory.house
	if h == nil {
		h = &alert.House{}
	}
	text := f.outage.next(h, err, now)
	if text == "" {
		return
	}
	// The store may have used up the time of the call.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), directTime)
	defer cancel()
	if err := f.sender.Direct(ctx, alert.Pipelines, f.env.Secrets.Redact(text)); err != nil {
		f.env.Log.Error("the outage of the database could not be sent", "err", err)
	}
}
