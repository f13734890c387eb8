// Package deliver is the way out: it takes the messages of the spool to the
// functions whose annotations ask for them, in batches, and their answers decide
// what becomes of each. Whatever happens to one function holds up only that one.
//
// Of the connector's other rooms it imports deadletter alone. What goes back to
// the broker leaves by funcs that New is given.
//
// connector-sdk has its uses (credentials, types) but not here: it matches
// topics as plain strings, gives no result per call, ends the process when the
// gateway is away, calls one function after the other, and closes idle
// connections after 120 ms.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/openfaas/faas-provider/auth"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/spool"
)

// unclaimedReader is the spool's reader of what came before the functions were
// known. It survives a kill, so that the next start begins where this one did.
const unclaimedReader = "hold"

// grace is what calls under way get at the end.
const grace = 10 * time.Second

// Options are what a Deliverer works with.
type Options struct {
	Gateway     string                     // URL of the OpenFaaS gateway
	Login       *auth.BasicAuthCredentials // of the gateway, nil: none
	Rebuild     time.Duration              // how often it is asked for its functions
	CallTimeout time.Duration              // of one call
	ByLoad      bool                       // batches gather for long, all of a function's in one call: few commits
	Spool       *spool.Log
	GiveUpFrom  int64 // the spool's cap in bytes: when it is nearly reached, a stuck function gives up messages; 0: never
	Letters     *deadletter.Letters
	Publish     func(topic string, payload []byte, retained bool) bool // to the broker; reports whether it has it
	Subscribe   func(filters []string)                                 // at the broker, to these filters and no others
	CanaryTopic string
	CanaryEvery time.Duration // 0: no canary is sent
	Now         func() time.Time
	Redact      func(s string) string // takes the secrets out of a text, and cuts it
	Log         *slog.Logger
}

// Deliverer delivers to the functions of one gateway.
type Deliverer struct {
	o       Options
	gateway *gateway
	outlet  *outlet
	share   *share

	mu        sync.Mutex
	consumers map[string]*running
	gone      map[string]time.Time // since when a function with a place in the spool is away
	absent    map[string]listener  // what functions without a consumer wanted: they keep their subscriptions, so that messages queue
	lost      map[string]uint64    // messages that functions gave up
	known     bool                 // the gateway has named the functions
	first     spool.Seq            // where a function begins that the first listing names
	unclaimed *spool.Reader        // keeps what comes from there until then
}

// New opens its place in the spool. It calls nothing yet.
func New(o Options) (*Deliverer, error) {
	d := &Deliverer{o: o, consumers: map[string]*running{}, gone: map[string]time.Time{}, absent: map[string]listener{}, lost: map[string]uint64{}}
	d.gateway = &gateway{url: strings.TrimSuffix(o.Gateway, "/"), login: o.Login, timeout: o.CallTimeout, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // followed, a POST becomes an empty GET
	d.outlet = &outlet{letters: o.Letters, publish: o.Publish, redact: o.Redact,
		acks:   &acks{pending: map[string]*ackDue{}, publish: o.Publish, looks: 1},
		canary: &canary{topic: o.CanaryTopic, every: o.CanaryEvery, now: o.Now, publish: o.Publish}}
	if o.ByLoad {
		d.outlet.acks.looks = ackByLoad
	}
	d.share = &share{spool: o.Spool, cap: o.GiveUpFrom, now: o.Now, backlogs: map[string]backlog{}}
	// The broker's session may bring messages before the gateway has named any function.
	var err error
	if d.unclaimed, err = o.Spool.ReaderAt(unclaimedReader, o.Spool.Next()); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	d.first = o.Spool.Next() - spool.Seq(d.unclaimed.Lag().Records)
	return d, nil
}

// Run delivers until ctx ends; then it finishes the calls under way. What is in
// the spool waits for the next start.
func (d *Deliverer) Run(ctx context.Context) {
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var wg sync.WaitGroup
	wg.Go(func() { d.outlet.acks.run(ctx) })
	wg.Go(func() { d.outlet.canary.run(ctx) })
	d.look(ctx, calls)
	defer time.AfterFunc(grace, cut).Stop()
	d.stopAll()
	wg.Wait()
}

// look keeps the consumers what the gateway's functions want. A gateway that is
// away is waited for. Calls under way end with calls.
func (d *Deliverer) look(ctx, calls context.Context) {
	var said, was string
	for {
		fs, mistakes, err := d.gateway.list(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if s := err.Error(); s != said {
				said = s
				d.o.Log.Warn("the gateway does not answer, waiting for it", "err", s)
			}
		default:
			said = ""
			d.apply(ctx, calls, fs)
			d.o.Subscribe(d.filters())
		}
		if s := fmt.Sprint(mistakes); len(mistakes) > 0 && s != was {
			was = s
			d.o.Log.Error("mistakes in annotations", "err", errors.Join(mistakes...))
		}
		if !pause(ctx, d.o.Rebuild) {
			return
		}
	}
}

// Known reports whether the gateway has named the functions.
func (d *Deliverer) Known() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
