// Package intake is the connector's input. It receives messages from the broker,
// writes them to the spool and only then acknowledges them. It never waits for a
// function.
//
// Of the connector's packages it imports only message. A message that is too large
// for the spool goes to Options.TooLarge.
package intake

import (
	"context"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/spool"
)

// Options configures an Intake.
type Options struct {
	Broker   mqttclient.Access
	ReadOnly bool   // publish nothing
	Topic    string // an MQTT filter that is always subscribed, in addition to those of Subscribe
	Spool    *spool.Log
	Recent   *Recent // of the same spool
	// AckLater is for a spool that does not sync by itself (spool.Options.Sync < 0). A
	// message is acknowledged once all its functions have stored it. If they have not
	// within a second, the spool is synced and the message is acknowledged then.
	AckLater bool
	// TooLarge keeps a message whose payload of size bytes is too large for the spool.
	// m has only the beginning of the payload. After an error, TooLarge is called again
	// a few times.
	TooLarge func(m *message.Message, size int, reason string) error
	Refused  func(err error) // called each time that the spool has not taken messages, which are then tried again
	Now      func() time.Time
	Log      *slog.Logger
}

// Intake is a session at the broker and the writer of its messages to the spool.
type Intake struct {
	writer  *writer
	session *session
}

// New returns an Intake that is not connected yet. It reports errors in o.Broker.
func New(o Options) (*Intake, error) {
	w := newWriter(o)
	s, err := newSession(o, w.enqueue)
	if err != nil {
		return nil, err
	}
	return &Intake{writer: w, session: s}, nil
}

// Run receives messages until ctx ends. It then writes and acknowledges the messages
// that it has received and disconnects. From then on the broker queues messages for
// the session. While the broker cannot be reached, Run tries again without end.
func (in *Intake) Run(ctx context.Context) {
	in.session.client.Connect()
	in.writer.run(ctx)
	in.session.leave()
}

// Subscribe replaces the broker's subscriptions by these filters. If that fails, it is
// tried again at the next call and at the next connection. Subscribe blocks while it
// waits for the broker.
func (in *Intake) Subscribe(filters []string) { in.session.setFilters(filters) }

// Publish publishes at QoS 1 and reports whether the broker has acknowledged it, within
// 5 s. It always returns false with Options.ReadOnly.
func (in *Intake) Publish(topic string, payload []byte, retained bool) bool {
	return in.session.publish(topic, payload, retained)
}

// Connected reports whether the broker is connected.
func (in *Intake) Connected() bool { return in.session.up.Load() }

// Ready reports whether the broker is connected and has all subscriptions of the last
// call of Subscribe: from now on no message is missed.
func (in *Intake) Ready() bool {
	return in.session.up.Load() && in.session.complete.Load() && in.Problem().Kind == ""
}

// Problem returns why the broker cannot be used at present.
func (in *Intake) Problem() mqttclient.Problem { return in.session.reporter.Problem() }

// Stats counts messages since the start.
type Stats struct {
	Taken       uint64 // acknowledged to the broker
	Redelivered uint64 // redeliveries that were recognised and not stored again
	Refused     uint64 // that had to wait because the spool could not take them
	TooLarge    uint64 // too large for the spool
	Lost        uint64 // of these, those of which not even the beginning could be kept
	Dropped     int64  // the broker's own count of messages that it dropped; -1: it reports none
}

// Stats returns the counts since the start.
func (in *Intake) Stats() Stats {
	c := &in.writer.counts
	return Stats{c.taken.Load(), c.redelivered.Load(), c.refused.Load(), c.tooLarge.Load(), c.lost.Load(), in.session.dropped.Load()}
}
