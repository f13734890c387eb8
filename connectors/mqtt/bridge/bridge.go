// Package bridge connects the connector's packages: MQTT messages go to OpenFaaS
// functions, and none is lost.
//
//	broker -> intake -> spool on disk -> deliver -> functions
//	                                       |  ^
//	                                       v  | replays, through the spool
//	                                    deadletter
//
// intake receives messages from the broker. deliver calls the functions. It imports
// deadletter, which keeps the messages that a function rejects. All three import
// message, which defines the spool's records. What else a package needs of another one
// is a func in its Options, which is set here: intake passes messages that are too
// large to deadletter, and deliver publishes and subscribes by intake.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/openfaas/faas-provider/auth"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/deliver"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/folder"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	reasonBytes  = 300  // of a text from a function that is kept or logged
	problemBytes = 1000 // of the text in the answer of /readyz
)

// Bridge is the connector.
type Bridge struct {
	config  Config
	now     func() time.Time
	redact  func(s string, n int) string
	report  bool // see Options.Report
	spool   *spool.Log
	letters *deadletter.Letters
	intake  *intake.Intake
	deliver *deliver.Deliverer
}

// Options are the connector's dependencies.
type Options struct {
	Log       *slog.Logger
	Now       func() time.Time
	Redact    func(s string, n int) string // removes the secrets from s and then cuts it to n bytes
	RedactCut func(s string) string        // the same for the beginning of a longer text; nil: Redact
	Report    bool                         // report to the store that the broker cannot be used, for a page in another process
	Login     *auth.BasicAuthCredentials   // for the gateway; nil: none
}

// New opens the spool and the dead letters. It makes no network connection. It reports
// errors in c, and an error of the spool or the folder. If ctx ends first, it returns
// ctx's error.
func New(ctx context.Context, c Config, o Options) (*Bridge, error) {
	if err := c.checkGateway(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the connector's folder: %w", err)
	}
	if size, _, err := folder.Disk(c.Dir); err == nil {
		c = c.fit(size, o.Log)
	}
	l, report, err := spool.Open(filepath.Join(c.Dir, "spool"), c.spoolOptions())
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if len(report.Problems) > 0 {
		o.Log.Warn("the spool was repaired", "cut_bytes", report.Cut, "problems", report.Problems)
	}
	if report.CursorsLost {
		o.Log.Warn("a file of the spool's cursors is lost: functions may get messages again")
	}
	b := &Bridge{config: c, now: o.Now, redact: o.Redact, report: o.Report, spool: l}
	if err := b.build(ctx, o, report.CursorsLost); err != nil {
		_ = l.Close() // err says why
		return nil, err
	}
	return b, nil
}

// build makes the parts of the connector, in the order in which they depend on each
// other. cursorsLost is of the spool's report.
func (b *Bridge) build(ctx context.Context, o Options, cursorsLost bool) error {
	c := b.config
	recent, err := intake.ReadRecent(ctx, b.spool, c.SpoolMiB<<20/8, o.Log)
	if err != nil {
		return err
	}
	pending := func(function string, seq spool.Seq) bool { return message.Pending(b.spool, function, seq) }
	b.letters, err = deadletter.Open(ctx, deadletter.Options{Dir: filepath.Join(c.Dir, "dead"), Max: c.DeadMax, MaxBytes: c.DeadMiB << 20,
		Room: b.room, Append: b.append, Pending: pending, Replayed: recent.Replayed(), Now: o.Now, Redact: o.Redact, RedactCut: o.RedactCut, Log: o.Log})
	if err != nil {
		return err
	}
	b.intake, err = intake.New(intake.Options{Broker: c.Access(), ReadOnly: c.ReadOnly, Topic: wire.CanaryPrefix + c.ClientID,
		Spool: b.spool, Recent: recent, AckLater: c.ackLater(), TooLarge: b.letters.AddCut, Refused: yield(b.letters), Now: o.Now, Log: o.Log})
	if err != nil {
		return err
	}
	authorities, err := c.gatewayAuthorities()
	if err != nil {
		return err
	}
	b.deliver, err = deliver.New(deliver.Options{Gateway: c.Gateway, Authorities: authorities, Login: o.Login, Rebuild: c.Rebuild, CallTimeout: c.CallTimeout,
		ByLoad: c.ByLoad, Spool: b.spool, FromOldest: cursorsLost, SpoolCap: c.evictCap(), Letters: b.letters, Publish: b.intake.Publish, Subscribe: b.intake.Subscribe,
		CanaryTopic: wire.CanaryPrefix + c.ClientID, CanaryEvery: c.Canary, Now: o.Now,
		Redact: func(s string) string { return o.Redact(s, reasonBytes) }, Log: o.Log})
	return err
}

// append appends records to the spool. When it returns nil, they are on the disk, also
// if the spool does not sync by itself (Config.ackLater).
func (b *Bridge) append(ctx context.Context, records ...[]byte) (first spool.Seq, err error) {
	first, err = b.spool.Append(ctx, records...)
	if err != nil || !b.config.ackLater() {
		return first, err
	}
	safe, _, err := b.spool.SyncRecords()
	if err == nil && first < safe {
		err = errors.New("sync the spool: an earlier sync failed, and the records may be lost")
	}
	return first, err
}

// Run runs the connector until ctx ends. It then receives no more messages, finishes
// the calls in flight, disconnects from the broker and closes the spool. The messages
// in the spool are delivered after the next start.
func (b *Bridge) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { b.letters.Run(ctx) })
	wg.Go(func() { b.deliver.Run(ctx) })
	if b.report {
		wg.Go(func() { (&reporter{Bridge: b}).run(ctx) })
	}
	b.intake.Run(ctx)
	wg.Wait()
	return b.spool.Close()
}

// Ready reports whether the broker is connected and has the subscriptions of all
// functions.
func (b *Bridge) Ready() bool { return b.intake.Ready() }

// Connected reports whether the broker is connected.
func (b *Bridge) Connected() bool { return b.intake.Connected() }

// Problem returns why the broker cannot be used at present; zero: it can, or it was not
// tried yet.
func (b *Bridge) Problem() mqttclient.Problem { return b.intake.Problem() }

// DroppedLetters returns how many dead letters were dropped since the start, at their
// caps or for the spool's room.
func (b *Bridge) DroppedLetters() uint64 { return b.letters.Stats().Dropped }
