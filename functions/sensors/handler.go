// Package function stores what sensors say over MQTT: the readings of hearth's
// own edge agents with their numbering, the payloads of the platform before
// hearth, Telegraf, and any JSON on any topic that hearth.yml maps. It also
// keeps the connector's canary and the mirror of its dead letters.
package function

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// Config is read from the environment.
type Config struct {
	Settings      secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml, whose part devices maps topics and names devices
	TelegrafAllow []string      `env:"TELEGRAF_ALLOW"`                                      // what else of Telegraf is kept, besides what computers have: measurement.field with *, comma separated: snmp.*,pf.entries
}

// Handle is called by the template golang-http.
var Handle = serve.HandleFunc(New)

// New returns the function for these surroundings.
func New(env serve.Env) (func(handler.Request) (handler.Response, error), error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	allow, err := parseAllow(c.TelegrafAllow)
	if err != nil {
		return nil, err
	}
	s := &sensors{register: device.Register{Function: "sensors"}, fields: newFields(), watch: mapping.NewWatch(c.Settings, env.Log), allow: allow, log: env.Log}
	return mqttbatch.Func(env, "sensors", s.transform)
}

type sensors struct {
	register device.Register
	fields   *fields
	watch    *mapping.Watch
	mapping  sync.Mutex
	mapped   mapped // guarded by mapping
	replays  mqttbatch.Replays
	allow    allow
	log      *slog.Logger
	pruned   atomic.Int64 // unix nanoseconds when dead letters that are gone were last deleted
	asked    atomic.Int64 // when requests for dead letters were last looked for
}

// transform stores a batch: readings first, then states and numbering in one
// transaction.
func (s *sensors) transform(ctx context.Context, st *store.Store, ms []wire.Message, now time.Time) (wire.Answer, error) {
	w := &work{s: s, ms: ms, now: now}
	w.set, w.unread = s.watch.Set(now)
	for i := range ms {
		if err := w.read(i); err != nil {
			w.answer.Reject(&ms[i], err)
		}
	}
	if err := w.firstArrivals(ctx, st); err != nil {
		return w.answer, err
	}
	b, err := ingest.Begin(ctx, st, &s.register, w.set.Get, now)
	if err != nil {
		return w.answer, err
	}
	err = w.plan(ctx, b)
	b.Done(err)
	if err != nil {
		return w.answer, err
	}
	w.number(b)
	a, err := b.Store(ctx)
	if err != nil {
		return w.answer, err
	}
	w.stored(a)
	s.prune(ctx, st, now)
	s.requests(ctx, st, now, &w.answer)
	if w.unread == nil {
		s.replay(ctx, st, w.set, now, &w.answer)
	}
	return w.answer, nil
}

const (
	keepGone    = 24 * time.Hour // news of a dead letter that come late must find that it is gone
	pruneEvery  = 10 * time.Minute
	pruneAtOnce = 500 // at this rate 72,000 a day
)

// prune deletes dead letters that are gone, some at a time. The batch is stored:
// what goes wrong here is tried again with a later one.
func (s *sensors) prune(ctx context.Context, st *store.Store, now time.Time) {
	if !due(&s.pruned, now, pruneEvery) {
		return
	}
	if _, err := st.PruneDeadLetters(ctx, now.Add(-keepGone), pruneAtOnce); err != nil {
		s.log.Warn("dead letters", "function", "sensors", "err", err)
	}
}

// due reports whether it is time again, and notes that it was done now.
func due(last *atomic.Int64, now time.Time, every time.Duration) bool {
	was := last.Load()
	since := now.UnixNano() - was
	return (since >= int64(every) || since < 0) && last.CompareAndSwap(was, now.UnixNano())
}
