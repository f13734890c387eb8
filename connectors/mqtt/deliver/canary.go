package deliver

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/wire"
)

// canary sends a message through the whole chain (broker, spool, gateway,
// function, store) at intervals. It counts only once it is stored: connected does
// not yet mean working.
type canary struct {
	topic   string
	every   time.Duration
	now     func() time.Time
	publish func(topic string, payload []byte, retained bool) bool
	n       uint64
	stored  atomic.Int64 // when the last one was stored, unix nanoseconds
	took    atomic.Int64 // from its arrival to the store's answer, nanoseconds
}

func (c *canary) run(ctx context.Context) {
	if c.every <= 0 {
		return
	}
	for pause(ctx, c.every) {
		c.n++
		b, err := json.Marshal(wire.CanaryNote{N: c.n, Sent: c.now().UTC()})
		if err == nil {
			c.publish(c.topic, b, false)
		}
	}
}

// storedMessage takes note of a message that a function stored.
func (c *canary) storedMessage(m *message.Message) {
	if m.Topic != c.topic || m.Replayed {
		return
	}
	now := c.now()
	c.stored.Store(now.UnixNano())
	c.took.Store(int64(now.Sub(m.Time())))
}
