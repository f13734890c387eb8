package bridge

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
)

// canaryTopic begins the topics of messages that the connector sends itself
// through the whole chain: broker, spool, gateway, function, store.
const canaryTopic = "hearth/canary/"

// canary counts only on a 2xx: connected is not yet working.
type canary struct {
	topic   string
	every   time.Duration
	now     func() time.Time
	publish func(topic string, payload []byte, retained bool) bool
	n       uint64
	stored  atomic.Int64 // when the last one was stored, unix nanoseconds
	took    atomic.Int64 // from publishing to the store's answer, nanoseconds
}

func (c *canary) run(ctx context.Context) {
	if c.every <= 0 {
		return
	}
	for pause(ctx, c.every) {
		c.n++
		b, err := json.Marshal(map[string]any{"sent": c.now().UTC(), "n": c.n})
		if err == nil {
			c.publish(c.topic, b, false)
		}
	}
}

func (c *canary) arrived(m *Message) {
	if m.Topic != c.topic || m.Replayed {
		return
	}
	now := c.now()
	c.stored.Store(now.UnixNano())
	c.took.Store(int64(now.Sub(m.Time())))
}
