package mqttbatch

import (
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

const (
	replayFor   = time.Minute      // how long a request is repeated
	replayEvery = 20 * time.Second // between two answers with the request
)

// Replays is a function's pending requests to replay dead letters. A request is put
// into several answers within a minute, since an answer may not reach the connector.
// The zero value is ready to use. Replays is safe for concurrent use.
type Replays struct {
	mu          sync.Mutex
	picks       []wire.Pick
	first, last time.Time // when the picks were first and last put into an answer
}

// Add adds requests, and starts the minute again for all of them.
func (r *Replays) Add(picks ...wire.Pick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range picks {
		if !slices.Contains(r.picks, p) {
			r.picks = append(r.picks, p)
		}
	}
	r.first, r.last = time.Time{}, time.Time{}
}

// Answer adds the requests to an answer if they are due. It returns whether no request
// is pending any more. Call it only for a batch that is stored.
func (r *Replays) Answer(a *wire.Answer, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() || now.Before(r.last) { // the clock was set back
		r.first, r.last = now, time.Time{}
	}
	switch {
	case len(r.picks) == 0:
		return true
	case now.Sub(r.first) >= replayFor:
		r.picks = nil
		return true
	case now.Sub(r.last) >= replayEvery:
		r.last = now
		a.Replay = append(a.Replay, r.picks...)
	}
	return false
}
