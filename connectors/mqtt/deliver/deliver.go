// Package deliver is the connector's output. It reads messages from the spool and
// sends them, in batches, to the functions whose annotations subscribe to their
// topics. A function's answer decides what becomes of each message: stored, sent
// again, or a dead letter. A function that fails delays only its own messages.
//
// Of the connector's packages it imports only deadletter and message. Options holds
// the funcs by which it publishes and subscribes at the broker.
//
// OpenFaaS's connector-sdk does not fit here: it matches topics as plain strings,
// returns no result per call, ends the process when the gateway cannot be reached,
// calls one function after the other, and closes idle connections after 120 ms.
package deliver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/openfaas/faas-provider/auth"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/certificate"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/spool"
)

// unclaimedReader names the spool reader that keeps the messages which arrive before
// the gateway has listed its functions. The spool stores the reader's cursor, so the
// next start after a kill begins at the same message.
const unclaimedReader = "hold"

// grace is how long the calls in flight may still take after Run's ctx has ended. Docker
// kills a container 10 s after SIGTERM; before that the spool is closed.
const grace = 8 * time.Second

// dialTimeout is for a connection to the gateway. Its error counts as an unavailable
// function.
const dialTimeout = 5 * time.Second

// alive ends a connection to a gateway that was replaced while a call waits for its
// answer, after 11 s: faasd takes the network of a container away before it stops that.
var alive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// Options configures a Deliverer.
type Options struct {
	Gateway     string                     // URL of the OpenFaaS gateway
	Authorities *x509.CertPool             // that may have signed the gateway's certificate; nil: the system's
	Login       *auth.BasicAuthCredentials // for the gateway; nil: none
	Rebuild     time.Duration              // interval between two requests for the list of functions
	CallTimeout time.Duration              // of one call
	ByLoad      bool                       // the higher the load, the larger the batches, with one call at a time for each function: few commits
	Spool       *spool.Log
	FromOldest  bool  // a function of the first list that has no cursor in the spool gets all messages there: its cursor may be lost
	SpoolCap    int64 // bytes; when the spool has nearly reached it, the oldest messages of a stuck function are evicted. 0: never
	Letters     *deadletter.Letters
	Publish     func(topic string, payload []byte, retained bool) bool // reports whether the broker acknowledged the message
	Subscribe   func(filters []string)                                 // replaces the broker's subscriptions
	CanaryTopic string
	CanaryEvery time.Duration // 0: no canary is sent
	Now         func() time.Time
	Redact      func(s string) string // removes the secrets from a text and shortens it
	Log         *slog.Logger
}

// Deliverer delivers messages to the functions of one gateway.
type Deliverer struct {
	o       Options
	gateway *gateway
	outputs *outputs
	quota   *quota

	mu          sync.Mutex
	consumers   map[string]*running
	absentSince map[string]time.Time  // when a function that has a cursor in the spool was first missing from the gateway's list
	ended       map[string]subscriber // functions whose consumer has ended: they keep their subscriptions, so that messages queue
	evicted     map[string]uint64     // messages, by function
	listed      bool                  // the gateway has listed its functions at least once
	firstStart  spool.Seq             // a function of the first list that has no cursor yet begins here
	unclaimed   *spool.Reader         // keeps the messages from firstStart on until the first list has come
}

// New opens the spool reader of a Deliverer. It makes no network call.
func New(o Options) (*Deliverer, error) {
	d := &Deliverer{o: o, consumers: map[string]*running{}, absentSince: map[string]time.Time{}, ended: map[string]subscriber{}, evicted: map[string]uint64{}}
	d.gateway = &gateway{url: strings.TrimSuffix(o.Gateway, "/"), login: o.Login, timeout: o.CallTimeout, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		DialContext:     (&net.Dialer{Timeout: dialTimeout, KeepAliveConfig: alive}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: o.Authorities, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // a client that follows a redirect turns the POST into an empty GET
	d.gateway.tls = certificate.Server{Address: "GATEWAY_URL", Authority: "GATEWAY_CA_FILE", Own: o.Authorities != nil}
	if u, err := url.Parse(o.Gateway); err == nil {
		d.gateway.tls.Host = u.Host
	}
	d.outputs = &outputs{letters: o.Letters, publish: o.Publish, redact: o.Redact,
		acks:   &acks{pending: map[string]*pendingAck{}, publish: o.Publish, maxRounds: 1},
		alerts: newAlerts(o.Publish),
		canary: &canary{topic: o.CanaryTopic, every: o.CanaryEvery, now: o.Now, publish: o.Publish}}
	if o.ByLoad {
		d.outputs.acks.maxRounds = ackRoundsByLoad
	}
	d.quota = &quota{spool: o.Spool, cap: o.SpoolCap, now: o.Now, minima: map[string]minimum{}}
	// The broker's session may deliver messages before the gateway has listed any function.
	begin := o.Spool.Next()
	if o.FromOldest {
		begin = 0
	}
	var err error
	if d.unclaimed, err = o.Spool.ReaderAt(unclaimedReader, begin); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	d.firstStart = o.Spool.Next() - spool.Seq(d.unclaimed.Lag().Records)
	return d, nil
}

// Run delivers messages until ctx ends. It then waits for the calls in flight, at
// most 8 s, and returns. The messages left in the spool are delivered after the
// next start.
func (d *Deliverer) Run(ctx context.Context) {
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var wg sync.WaitGroup
	wg.Go(func() { d.outputs.acks.run(ctx) })
	wg.Go(func() { d.outputs.alerts.run(ctx) })
	wg.Go(func() { d.outputs.canary.run(ctx) })
	d.watchFunctions(ctx, calls)
	defer time.AfterFunc(grace, cut).Stop()
	d.stopAll()
	wg.Wait()
}

// watchFunctions asks the gateway for its functions at each interval and adjusts the
// consumers and subscriptions to them, until ctx ends. While the gateway cannot be
// reached, nothing changes. A call in flight is cancelled when calls ends.
func (d *Deliverer) watchFunctions(ctx, calls context.Context) {
	var loggedErr, loggedMistakes string // the same text is logged once
	for {
		fs, mistakes, err := d.gateway.list(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if s := err.Error(); s != loggedErr {
				loggedErr = s
				d.o.Log.Warn("the gateway does not list its functions, trying again", "err", s)
			}
		default:
			loggedErr = ""
			d.apply(ctx, calls, fs)
			d.o.Subscribe(d.filters())
		}
		if s := fmt.Sprint(mistakes); len(mistakes) > 0 && s != loggedMistakes {
			loggedMistakes = s
			d.o.Log.Error("functions have invalid annotations", "err", errors.Join(mistakes...))
		}
		if !pause.For(ctx, d.o.Rebuild) {
			return
		}
	}
}

// Listed reports whether the gateway has listed its functions since the start.
func (d *Deliverer) Listed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listed
}
