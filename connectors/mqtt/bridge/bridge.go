// Package bridge wires the connector's rooms: MQTT messages go to OpenFaaS
// functions, and none is lost.
//
//	broker -> intake -> spool on disk -> deliver -> functions
//	                                       |  ^
//	                                       v  | replayed, through the spool
//	                                    deadletter
//
// intake and deadletter import no other room; deliver imports deadletter, which
// keeps what a function will not take. All three know package message, which is
// what the spool holds. Whatever else one room needs of another is a func that its
// constructor is given here: intake hands on what is too large for the spool, and
// deliver publishes and subscribes at the broker.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/openfaas/faas-provider/auth"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/deliver"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	reasonBytes = 300         // of a text of others that is kept or logged
	startWait   = time.Minute // for what is read from the spool at the start
)

// Bridge is a running connector.
type Bridge struct {
	config  Config
	now     func() time.Time
	spool   *spool.Log
	letters *deadletter.Letters
	intake  *intake.Intake
	deliver *deliver.Deliverer
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
	if err := c.checkGateway(); err != nil {
		return nil, err
	}
	so, err := c.spoolOptions()
	if err != nil {
		return nil, err
	}
	l, report, err := spool.Open(filepath.Join(c.Dir, "spool"), so)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if len(report.Problems) > 0 {
		o.Log.Warn("the spool was repaired", "cut_bytes", report.Cut, "problems", report.Problems)
	}
	b := &Bridge{config: c, now: o.Now, spool: l}
	if err := b.build(o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return b, nil
}

// build makes the rooms, each of what was made before it.
func (b *Bridge) build(o Options) error {
	c := b.config
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	recent, err := intake.ReadRecent(ctx, b.spool, c.SpoolMiB<<20/8, o.Log)
	if err != nil {
		return err
	}
	waits := func(function string, seq spool.Seq) bool { return message.Pending(b.spool, function, seq) }
	b.letters, err = deadletter.Open(deadletter.Options{Dir: filepath.Join(c.Dir, "dead"), Max: c.DeadMax, MaxBytes: c.DeadMiB << 20,
		Append: b.append, Pending: waits, Replayed: recent.Replayed(), Now: o.Now, Redact: o.Redact, Log: o.Log})
	if err != nil {
		return err
	}
	b.intake, err = intake.New(intake.Options{Broker: c.Access(), ReadOnly: c.ReadOnly, Topic: wire.CanaryPrefix + c.ClientID,
		Spool: b.spool, Recent: recent, AckLater: c.ackLater(), TooLarge: b.letters.AddCut, Now: o.Now, Log: o.Log})
	if err != nil {
		return err
	}
	b.deliver, err = deliver.New(deliver.Options{Gateway: c.Gateway, Login: o.Login, Rebuild: c.Rebuild, CallTimeout: c.CallTimeout,
		ByLoad: c.ByLoad, Spool: b.spool, SpoolCap: c.giveUpFrom(), Letters: b.letters, Publish: b.intake.Publish, Subscribe: b.intake.Subscribe,
		CanaryTopic: wire.CanaryPrefix + c.ClientID, CanaryEvery: c.Canary, Now: o.Now,
		Redact: func(s string) string { return o.Redact(s, reasonBytes) }, Log: o.Log})
	return err
}

// append stores records durably, whoever syncs the spool.
func (b *Bridge) append(ctx context.Context, records ...[]byte) (first spool.Seq, err error) {
	first, err = b.spool.Append(ctx, records...)
	if err != nil || !b.config.ackLater() {
		return first, err
	}
	safe, _, err := b.spool.SyncRecords()
	if err == nil && first < safe {
		err = errors.New("sync the spool: it failed meanwhile")
	}
	return first, err
}

// Run works until ctx ends; then it takes nothing more, finishes the calls under
// way and leaves the broker cleanly. What is in the spool waits for the next
// start.
func (b *Bridge) Run(ctx context.Context) error {
	var rooms sync.WaitGroup
	rooms.Go(func() { b.letters.Run(ctx) })
	rooms.Go(func() { b.deliver.Run(ctx) })
	b.intake.Run(ctx)
	rooms.Wait()
	return b.spool.Close()
}

// Ready reports whether the broker is connected and subscribed to what the
// functions want.
func (b *Bridge) Ready() bool { return b.intake.Ready() }
