// Package function stores what sensors report over MQTT: the numbered readings of
// hearth's own edge agents, flat JSON with usual keys, Telegraf, and
// any JSON on any topic that hearth.yml maps. It also stores the connector's canary
// messages and the mirror of its dead letters.
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
	Settings      secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml; its section devices maps topics and names devices
	Publish       bool          `env:"PUBLISH_ALERTS" envDefault:"false"`                   // true: the connector publishes the states of alerts, retained, at hearth-alert/<key>: for Node-RED and Home Assistant
	TelegrafAllow config.List   `env:"TELEGRAF_ALLOW"`                                      // fields of Telegraf to store besides those of the measurement host: measurement.field with *, as in snmp.*,pf.entries
}

// Handle is the entry point of the template golang-http.
var Handle = serve.HandleFunc(New)

// New returns the function's handler. The error names all wrong variables of env.
func New(env serve.Env) (func(handler.Request) (handler.Response, error), error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	allow, err := parseAllow(c.TelegrafAllow)
	if err != nil {
		return nil, err
	}
	s := &sensors{register: device.Register{Function: "sensors"}, fields: newFields(), watch: mapping.NewWatch(c.Settings, env.Log), allow: allow, log: env.Log, redact: env.Secrets.Redact, publisher: publisher{on: c.Publish}}
	return mqttbatch.Func(env, "sensors", s.transform)
}

// sensors is the function: what it keeps from one batch to the next. All of it may be
// used by several batches at once.
type sensors struct {
	register      device.Register
	fields        *fields
	watch         *mapping.Watch
	connectors    connectors
	replayMu      sync.Mutex
	replayState   mappingReplay // guarded by replayMu
	foundMu       sync.Mutex
	foundState    foundMappings // guarded by foundMu
	replays       mqttbatch.Replays
	allow         allow
	chips         chips
	log           *slog.Logger
	pruned        atomic.Int64 // unix nanoseconds when dead letters that are gone were last deleted
	trimmed       atomic.Int64 // when the oldest dead letters were last deleted
	requestsTaken atomic.Int64 // when requests for dead letters were last looked for
	judged        atomic.Int64 // when the alerts about the pipeline itself were last judged
	canaries      canaries
	redact        func(string) string
	publisher     publisher
}

// transform stores a batch: readings first, then states and the numbering of edge
// readings in one transaction. After that it adds requests for dead letters to the
// answer.
func (s *sensors) transform(ctx context.Context, st *store.Store, in mqttbatch.Batch) (wire.Answer, error) {
	ms, now := in.Messages, in.Now
	w := &work{s: s, ms: ms, now: now}
	if err := s.watch.ReadSaved(ctx, st, now); err != nil {
		return w.answer, err
	}
	w.set, w.settingsErr = s.watch.Set(now)
	if err := s.rememberFound(ctx, st, w.set); err != nil {
		return w.answer, err
	}
	for i := range ms {
		if err := w.readMessage(i); err != nil {
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
	b.Compute(w.set.Computed())
	b.Watch(in.House, in.Rules)
	err = w.add(ctx, st, b)
	w.numbers.keep(func(node string) bool { return b.Find([]byte(nodePrefix+node)) != nil })
	b.Done(err)
	if err != nil {
		return w.answer, err
	}
	w.countNumbers(b)
	a, err := b.Store(ctx)
	if err != nil {
		return w.answer, err
	}
	w.completeAnswer(a)
	s.prune(ctx, st, now)
	if len(w.dead) > 0 {
		s.trim(ctx, st, now)
	}
	s.passRequests(ctx, st, now, &w.answer)
	if len(w.canary) > 0 {
		s.canaries.note(now)
	}
	if len(w.canary)+len(w.dead) > 0 {
		s.judge(ctx, st, in)
	}
	if err := s.publisher.add(ctx, st, len(w.canary) > 0, now, &w.answer); err != nil {
		s.log.Warn("alerts to publish", "function", "sensors", "err", err)
	}
	if w.settingsErr == nil {
		s.keepFound(ctx, st, w.set)
		s.replayMappings(ctx, st, w.set, now, &w.answer)
	}
	return w.answer, nil
}

const (
	keepGone   = 24 * time.Hour // a message about a dead letter that arrives late must still find that the letter was removed
	pruneEvery = 10 * time.Minute
	maxPruned  = 500 // at this rate 72,000 a day
)

// prune deletes dead letters that were removed a day ago, a limited number at a time.
// The batch is stored already, so an error is logged and a later batch tries again.
func (s *sensors) prune(ctx context.Context, st *store.Store, now time.Time) {
	if !due(&s.pruned, now, pruneEvery) {
		return
	}
	if _, err := st.PruneDeadLetters(ctx, now.Add(-keepGone), maxPruned); err != nil {
		s.log.Warn("dead letters", "function", "sensors", "err", err)
	}
}

const (
	maxMirrored = 100_000 // dead letters in the mirror: as many as a connector keeps by default
	trimEvery   = time.Minute
	maxTrimmed  = 50_000
)

// trim deletes the oldest dead letters beyond maxMirrored. An error is logged and a later
// batch tries again.
func (s *sensors) trim(ctx context.Context, st *store.Store, now time.Time) {
	if !due(&s.trimmed, now, trimEvery) {
		return
	}
	if err := st.TrimDeadLetters(ctx, maxMirrored, maxTrimmed); err != nil {
		s.log.Warn("dead letters", "function", "sensors", "err", err)
	}
}

// due reports whether the interval is over, and if so makes now the last time.
func due(last *atomic.Int64, now time.Time, every time.Duration) bool {
	was := last.Load()
	since := now.UnixNano() - was
	return (since >= int64(every) || since < 0) && last.CompareAndSwap(was, now.UnixNano())
}
