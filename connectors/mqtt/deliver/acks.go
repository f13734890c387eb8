package deliver

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// acks publishes, for each edge node, up to which number all its readings are
// stored: a broker's PUBACK only means that the broker has them.
type acks struct {
	mu      sync.Mutex
	pending map[string]wire.Place
	publish func(topic string, payload []byte, retained bool) bool
	every   time.Duration
}

const (
	maxNodes = 1000 // whose numbers wait to be published
	maxNode  = 200  // bytes of a name
	ackEvery = time.Second
	ackSlow  = 5 * time.Second // by load: an agent keeps readings for a minute before it sends them again
)

func (a *acks) set(node string, p wire.Place) {
	if node == "" || len(node) > maxNode || strings.ContainsAny(node, "/+#\x00") {
		return // a broker ends the connection of a client that publishes there
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

// run publishes what changed, at most once in a.every.
func (a *acks) run(ctx context.Context) {
	for pause(ctx, a.every) {
		a.mu.Lock()
		pending := a.pending
		a.pending = map[string]wire.Place{}
		a.mu.Unlock()
		for node, p := range pending {
			b, err := json.Marshal(p)
			if err == nil && !a.publish(wire.StoredTopic(node), b, true) {
				a.putBack(node, p)
			}
		}
	}
}

// putBack keeps a number that could not be published, unless a newer one came.
func (a *acks) putBack(node string, p wire.Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, newer := a.pending[node]; !newer {
		a.pending[node] = p
	}
}
