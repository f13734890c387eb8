package deliver

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/wire"
)

// acks publishes to each edge node the number up to which all its readings are
// stored. A PUBACK does not tell a node that: it only means that the broker has the
// message.
type acks struct {
	mu        sync.Mutex
	pending   map[string]*pendingAck
	publish   func(topic string, payload []byte, retained bool) bool
	maxRounds int // after so many, a number is published even if it still rises
}

// pendingAck is a number that is not yet published.
type pendingAck struct {
	wire.StoredUpTo
	changed bool // since the last round
	rounds  int  // that it was pending in
}

const (
	maxNodes        = 1000        // that have a pending number
	maxNodeName     = 200         // bytes
	ackInterval     = time.Second // between two rounds
	ackRoundsByLoad = 5           // an edge agent that ends waits 4 s for its last number, which no longer rises and is published in the second round
)

// set makes p the number that is to be published to a node. It ignores a number below
// the pending one of the same boot, and a node whose name cannot be part of a topic.
func (a *acks) set(node string, p wire.StoredUpTo) {
	if node == "" || len(node) > maxNodeName || strings.ContainsAny(node, "/+#\x00") {
		return // a broker disconnects a client that publishes to such a topic
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch old := a.pending[node]; {
	case old != nil && old.Boot == p.Boot && old.Seq > p.Seq: // a later answer came first
	case old != nil:
		old.StoredUpTo, old.changed = p, true
	case len(a.pending) < maxNodes:
		a.pending[node] = &pendingAck{StoredUpTo: p, changed: true}
	}
}

// run publishes the pending numbers, at most once a second for each node, until ctx
// ends. A number that cannot be published stays pending.
func (a *acks) run(ctx context.Context) {
	for pause.For(ctx, ackInterval) {
		for node, p := range a.due() {
			b, err := json.Marshal(p)
			if err == nil && !a.publish(wire.StoredTopic(node), b, true) {
				a.putBack(node, p)
			}
		}
	}
}

// due begins a round: it removes and returns the numbers that are to be published now.
func (a *acks) due() map[string]wire.StoredUpTo {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]wire.StoredUpTo{}
	for node, d := range a.pending {
		if d.rounds++; !d.changed || d.rounds >= a.maxRounds {
			out[node] = d.StoredUpTo
			delete(a.pending, node)
		}
		d.changed = false
	}
	return out
}

// putBack makes a number pending again, unless a newer one is pending by now.
func (a *acks) putBack(node string, p wire.StoredUpTo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending[node] == nil {
		a.pending[node] = &pendingAck{StoredUpTo: p}
	}
}
