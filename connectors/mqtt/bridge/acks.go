package bridge

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// acks tells edge nodes up to where all of theirs is stored: a broker's PUBACK
// only means that the broker has it.
type acks struct {
	mu      sync.Mutex
	pending map[string]wire.Place
	publish func(topic string, payload []byte, retained bool) bool
}

const (
	maxNodes  = 1000 // that wait to be told
	maxNode   = 200  // bytes of a name
	ackPrefix = "hearth/"
	ackSuffix = "/stored"
)

// isAck reports whether a topic is hearth/<node>/stored.
func isAck(topic string) bool {
	return strings.HasPrefix(topic, ackPrefix) && strings.HasSuffix(topic, ackSuffix) && strings.Count(topic, "/") == 2
}

func (a *acks) set(node string, p wire.Place) {
	if node == "" || len(node) > maxNode || strings.ContainsAny(node, "/+#\x00") {
		return // a broker hangs up on who publishes there
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := a.pending[node]; ok && old.Boot == p.Boot && old.Seq > p.Seq {
		return // an answer that was overtaken
	}
	if len(a.pending) < maxNodes {
		a.pending[node] = p
	}
}

// run publishes what changed, at most once a second.
func (a *acks) run(ctx context.Context) {
	for pause(ctx, time.Second) {
		a.mu.Lock()
		pending := a.pending
		a.pending = map[string]wire.Place{}
		a.mu.Unlock()
		for node, p := range pending {
			b, err := json.Marshal(p)
			if err == nil && !a.publish(ackPrefix+node+ackSuffix, b, true) {
				a.again(node, p)
			}
		}
	}
}

// again keeps a place that could not be published, unless a newer one came.
func (a *acks) again(node string, p wire.Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, newer := a.pending[node]; !newer {
		a.pending[node] = p
	}
}
