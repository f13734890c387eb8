// Package bridge takes MQTT messages to OpenFaaS functions and loses none: broker
// -> own spool on disk -> acknowledgement to the broker -> batches per function,
// whose answer decides.
//
// connector-sdk has its uses (credentials, types) but not here: it matches
// topics as plain strings, gives no result per call, ends the process when the
// gateway is away, calls one function after the other, and closes idle
// connections after 120 ms.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openfaas/faas-provider/auth"

	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

// holdReader is the name of Bridge.hold. It survives a kill, so that the next
// start begins where this one did.
const holdReader = "hold"

// grace is what calls under way get at the end.
const grace = 10 * time.Second

// Bridge is a running connector.
type Bridge struct {
	config  Config
	log     *slog.Logger
	now     func() time.Time
	redact  func(string) string
	hide    func(s string, n int) string
	gateway *gateway
	spool   *spool.Log
	intake  *intake
	broker  *broker
	dead    *graveyard
	acks    *acks
	canary  *canary
	stats   *stats
	life    context.Context
	hears   atomic.Bool // the broker has every subscription that the functions want

	backlogs  map[string]backlog // of the one goroutine that looks
	mu        sync.Mutex
	consumers map[string]*running
	gone      map[string]time.Time
	kept      map[string]Function // those that have no consumer: without a subscription nothing would come that could wait
	lost      map[string]uint64   // messages that functions gave up for the others' sake
	looked    bool                // the functions are known
	first     spool.Seq           // where a function begins that the first look finds
	hold      *spool.Reader       // keeps what comes from there until then
}

// Options are what the connector's surroundings give it.
type Options struct {
	Log    *slog.Logger
	Now    func() time.Time
	Redact func(s string, n int) string // takes the secrets out of s and then cuts it to n bytes
	Login  *auth.BasicAuthCredentials   // of the gateway, nil: none
}

// New opens spool and dead letters. It connects to nothing yet.
func New(c Config, o Options) (*Bridge, error) {
	b := &Bridge{config: c, log: o.Log, now: o.Now, redact: func(s string) string { return o.Redact(s, reasonBytes) }, hide: o.Redact, stats: &stats{}, life: context.Background(),
		consumers: map[string]*running{}, gone: map[string]time.Time{}, kept: map[string]Function{}, lost: map[string]uint64{}, backlogs: map[string]backlog{}}
	b.gateway = &gateway{url: strings.TrimSuffix(c.Gateway, "/"), login: o.Login, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // followed, a POST becomes an empty GET
	policy, ok := map[string]spool.Policy{"refuse": spool.RefuseNewest, "drop": spool.DropOldest}[c.SpoolPolicy]
	if !ok {
		return nil, fmt.Errorf("configuration: SPOOL_POLICY is %q: write refuse or drop", c.SpoolPolicy)
	}
	if c.SpoolMiB < 1 {
		return nil, fmt.Errorf("configuration: SPOOL_MAX_MIB is %d: write 1 or more", c.SpoolMiB)
	}
	l, report, err := spool.Open(filepath.Join(c.Dir, "spool"), spool.Options{MaxBytes: c.SpoolMiB << 20, Policy: policy, Sync: c.SpoolSync})
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	b.spool = l
	if len(report.Problems) > 0 {
		b.log.Warn("the spool was repaired", "cut_bytes", report.Cut, "problems", report.Problems)
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return b, nil
}

func (b *Bridge) open() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if b.intake, err = newIntake(ctx, b.spool, b.config.SpoolMiB<<20/8, b.now, b.log, b.stats); err != nil {
		return err
	}
	// The broker's session may deliver before the gateway has named anyone.
	if b.hold, err = b.spool.ReaderAt(holdReader, b.spool.Next()); err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	b.first = b.spool.Next() - spool.Seq(b.hold.Lag().Records)
	if b.dead, err = openGraveyard(filepath.Join(b.config.Dir, "dead"), b.config.DeadMax, b.now, b.hide); err != nil {
		return err
	}
	b.dead.news, b.dead.waits = b.intake.put, b.waits
	b.intake.bury = b.dead.addCut
	b.dead.sent(b.intake.replayed)
	b.intake.replayed = nil
	publish := func(topic string, payload []byte, retained bool) bool {
		return b.broker.publish(topic, payload, retained)
	}
	b.acks = &acks{pending: map[string]wire.Place{}, publish: publish}
	b.canary = &canary{topic: canaryTopic + b.config.ClientID, every: b.config.Canary, now: b.now, publish: publish}
	if b.broker, err = newBroker(b); err != nil {
		return err
	}
	b.broker.topics = b.filters
	return nil
}

// Run works until ctx ends; then it takes nothing more, finishes the calls under
// way and leaves the broker cleanly. What is in the spool waits for the next
// start.
func (b *Bridge) Run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	b.life = life
	var wg sync.WaitGroup
	taking, stopTaking := context.WithCancel(life)
	var intake sync.WaitGroup
	intake.Go(func() { b.intake.run(taking) })
	b.broker.client.Connect() // retried for ever
	wg.Go(func() { b.dead.announce(ctx) })
	wg.Go(func() { b.dead.grant(ctx, b.log) })
	wg.Go(func() { b.look(ctx) })
	wg.Go(func() { b.acks.run(ctx) })
	wg.Go(func() { b.canary.run(ctx) })
	<-ctx.Done()
	stopTaking() // what has come is written and acknowledged
	intake.Wait()
	defer time.AfterFunc(grace, end).Stop() // for the calls under way
	b.broker.client.Disconnect(250)
	wg.Wait()
	b.stopAll()
	return b.spool.Close()
}

// look keeps the consumers what the gateway's functions want. A gateway that is
// away is waited for.
func (b *Bridge) look(ctx context.Context) {
	var said, was string
	for {
		fs, mistakes, err := b.gateway.list(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if s := err.Error(); s != said {
				said = s
				b.log.Warn("the gateway does not answer, waiting for it", "err", s)
			}
		default:
			said = ""
			b.apply(ctx, fs)
			b.broker.subscribe()
		}
		if s := fmt.Sprint(mistakes); len(mistakes) > 0 && s != was {
			was = s
			b.log.Error("mistakes in annotations", "err", errors.Join(mistakes...))
		}
		if !pause(ctx, b.config.Rebuild) {
			return
		}
	}
}

// reply publishes a function's answer, unless that would call it again or is not
// the whole of it.
func (b *Bridge) reply(f Function, m *Message, body []byte) {
	if len(body) > maxAnswer {
		b.stats.repliesLost.Add(1)
		b.log.Error("an answer is too long: not published", "function", f.Name, "topic", f.Reply, "message", m.ID(), "most", maxAnswer)
		return
	}
	if matchAny(f.Filters, f.Reply) {
		b.log.Error("mqtt-reply would call the function again: not published", "function", f.Name, "topic", f.Reply)
		return
	}
	if !b.broker.publish(f.Reply, body, false) {
		b.stats.repliesLost.Add(1)
	}
}
