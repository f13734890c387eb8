package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/maphash"
	"sync"

	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/wire"
)

// alerts publishes the states of alerts that functions answer with, retained, each once.
type alerts struct {
	mu      sync.Mutex
	pending map[string][]byte // payloads by topic; empty: it removes the state
	known   map[string]uint64 // hashes of what was published last, by topic
	seed    maphash.Seed
	publish func(topic string, payload []byte, retained bool) bool
}

const (
	maxAlerts    = 5000 // that are pending
	maxKnown     = 20_000
	maxAlertKey  = 1000 // bytes
	maxAlertSize = 16 << 10
)

func newAlerts(publish func(topic string, payload []byte, retained bool) bool) *alerts {
	return &alerts{pending: map[string][]byte{}, known: map[string]uint64{}, seed: maphash.MakeSeed(), publish: publish}
}

// set makes a state the one that is to be published for the alert. It ignores what is
// published already, and what is no JSON object.
func (a *alerts) set(key string, state json.RawMessage) {
	payload := bytes.TrimSpace(state)
	switch {
	case key == "" || len(key) > maxAlertKey || len(payload) > maxAlertSize:
		return
	case string(payload) == "null":
		payload = nil
	case len(payload) == 0 || payload[0] != '{':
		return
	}
	topic := wire.AlertTopic(key)
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waits := a.pending[topic]
	if last, ok := a.known[topic]; ok && !waits && last == maphash.Bytes(a.seed, payload) || !waits && len(a.pending) >= maxAlerts {
		return
	}
	a.pending[topic] = payload
}

// run publishes the pending states each second until ctx ends. What cannot be published
// stays pending.
func (a *alerts) run(ctx context.Context) {
	for pause.For(ctx, ackInterval) {
		for topic, payload := range a.take() {
			a.done(topic, payload, a.publish(topic, payload, true))
		}
	}
}

// take removes and returns the pending states.
func (a *alerts) take() map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.pending
	a.pending = map[string][]byte{}
	return out
}

// done notes what was published, or makes it pending again unless there is a newer state.
func (a *alerts) done(topic string, payload []byte, published bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch _, newer := a.pending[topic]; {
	case published && len(a.known) >= maxKnown:
		a.known = map[string]uint64{} // some are then published again
		fallthrough
	case published:
		a.known[topic] = maphash.Bytes(a.seed, payload)
	case !newer:
		a.pending[topic] = payload
	}
}
