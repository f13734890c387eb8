// Package intake is the way in: it takes messages from the broker, writes them to
// the spool and only then acknowledges them. Nothing here waits for a function.
//
// It imports none of the connector's other rooms. What is too large for the spool
// goes to a func that New is given.
package intake

import (
	"context"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/spool"
)

// Options are what an Intake works with.
type Options struct {
	Broker   mqttclient.Access
	ReadOnly bool   // nothing is published
	Topic    string // subscribed from the first connection on, beside what Subscribe names
	Spool    *spool.Log
	Recent   *Recent // of the same spool
	AckLater bool    // the spool leaves its syncs to us (spool.Options.Sync < 0): a message is acknowledged once all its functions stored it, or a second later once it is on the disk
	// TooLarge keeps the beginning of a message of size bytes that the spool does
	// not take. It is called again until it returns nil.
	TooLarge func(m *message.Message, size int, reason string) error
	Now      func() time.Time
	Log      *slog.Logger
}

// Intake is a session at the broker, and what writes its messages to the spool.
type Intake struct {
	writer  *writer
	session *session
}

// New connects to nothing yet.
func New(o Options) (*Intake, error) {
	w := newWriter(o)
	s, err := newSession(o, w.take)
	if err != nil {
		return nil, err
	}
	return &Intake{writer: w, session: s}, nil
}

// Run takes messages until ctx ends. Then it writes and acknowledges what has
// come, and leaves the broker, which keeps what comes from now on. A broker that
// is away is tried again for ever.
func (in *Intake) Run(ctx context.Context) {
	in.session.client.Connect()
	in.writer.run(ctx)
	in.session.leave()
}

// Subscribe makes the broker's subscriptions these filters. What cannot be
// subscribed now is tried at the next call and at the next connection.
func (in *Intake) Subscribe(filters []string) { in.session.want(filters) }

// Publish sends at QoS 1 and reports whether the broker has it.
func (in *Intake) Publish(topic string, payload []byte, retained bool) bool {
	return in.session.publish(topic, payload, retained)
}

// Connected reports whether the broker is connected.
func (in *Intake) Connected() bool { return in.session.up.Load() }

// Ready reports whether the broker is connected and has every subscription that
// the last Subscribe named: no message is missed from now on.
func (in *Intake) Ready() bool { return in.session.up.Load() && in.session.complete.Load() }

// Stats counts messages since the start.
type Stats struct {
	Taken       uint64 // acknowledged to the broker
	Redelivered uint64 // recognised and not stored again
	Refused     uint64 // kept waiting since the spool could not take them
	TooLarge    uint64 // larger than the spool takes
	Dropped     int64  // the broker's own count of what it dropped, -1 where it does not say
}

// Stats returns what was counted.
func (in *Intake) Stats() Stats {
	c := &in.writer.counts
	return Stats{c.taken.Load(), c.redelivered.Load(), c.refused.Load(), c.tooLarge.Load(), in.session.dropped.Load()}
}

// pause waits for d, and reports false where ctx ends before that.
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
