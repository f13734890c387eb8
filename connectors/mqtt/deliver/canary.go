package deliver

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/wire"
)

// canary publishes a message at intervals. That goes through the whole chain of
// broker, spool, gateway, function and store, and counts once it is stored: being
// connected does not yet mean working.
type canary struct {
	topic   string
	every   time.Duration
	now     func() time.Time
	publish func(topic string, payload []byte, retained bool) bool
	n       uint64       // canaries published
	stored  atomic.Int64 // when the last canary was stored, unix nanoseconds
	took    atomic.Int64 // its latency: from its arrival to the function's answer, nanoseconds
}

// run publishes canaries until ctx ends.
func (c *canary) run(ctx context.Context) {
	if c.every <= 0 {
		return
	}
	for pause.For(ctx, c.every) {
		c.n++
		b, err := json.Marshal(wire.CanaryNote{N: c.n, Sent: c.now().UTC()})
		if err == nil {
			c.publish(c.topic, b, false)
		}
	}
}

// noteStored is called with each message that a function has stored.
func (c *canary) noteStored(m *message.Message) {
	if m.Topic != c.topic || m.Replayed {
		return
	}
	now := c.now()
	c.stored.Store(now.UnixNano())
	c.took.Store(int64(now.Sub(m.Time())))
}
