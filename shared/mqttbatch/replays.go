package mqttbatch

import (
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

const (
	replayFor   = time.Minute
	replayEvery = 20 * time.Second
)

// Replays are the dead letters that a function wants to have again. An answer may
// be lost on its way, and one of a batch that is not stored is: they are asked for
// again for a minute after the first answer. The zero value is ready to be used, and
// safe for concurrent use.
type Replays struct {
	mu          sync.Mutex
	picks       []wire.Pick
	first, last time.Time // when they were put into an answer
}

// Add asks for more, and begins anew.
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

// Answer puts what is due into the answer of a batch that is stored. It returns
// whether nothing is to be asked for any more.
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
