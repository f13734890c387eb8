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
	pending map[string]*ackDue
	publish func(topic string, payload []byte, retained bool) bool
	looks   int // a node whose number goes on rising waits for so many
}

// ackDue is a number that is not yet published.
type ackDue struct {
	wire.Place
	rose  bool // since the last look
	looks int  // it was passed over
}

const (
	maxNodes  = 1000        // whose numbers wait to be published
	maxNode   = 200         // bytes of a name
	ackLook   = time.Second // from one look at what is to be published to the next
	ackByLoad = 5           // looks. An agent that ends waits 4 s for its last number, which rises no more and is published at the second
)

func (a *acks) set(node string, p wire.Place) {
	if node == "" || len(node) > maxNode || strings.ContainsAny(node, "/+#\x00") {
		return // a broker ends the connection of a client that publishes there
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch old := a.pending[node]; {
	case old != nil && old.Boot == p.Boot && old.Seq > p.Seq: // an answer that was overtaken
	case old != nil:
		old.Place, old.rose = p, true
	case len(a.pending) < maxNodes:
		a.pending[node] = &ackDue{Place: p, rose: true}
	}
}

// run publishes what changed, at most once a second for each node.
func (a *acks) run(ctx context.Context) {
	for pause(ctx, ackLook) {
		for node, p := range a.due() {
			b, err := json.Marshal(p)
			if err == nil && !a.publish(wire.StoredTopic(node), b, true) {
				a.putBack(node, p)
			}
		}
	}
}

// due takes out what is to be published now.
func (a *acks) due() map[string]wire.Place {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]wire.Place{}
	for node, d := range a.pending {
		if d.looks++; !d.rose || d.looks >= a.looks {
			out[node] = d.Place
			delete(a.pending, node)
		}
		d.rose = false
	}
	return out
}

// putBack keeps a number that could not be published, unless a newer one came.
func (a *acks) putBack(node string, p wire.Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending[node] == nil {
		a.pending[node] = &ackDue{Place: p}
	}
}
