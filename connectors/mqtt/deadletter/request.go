package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	requestsFile = "requests"
	maxRequests  = 1000 // that wait
	retryWait    = time.Second / 4
	maxRetryWait = time.Minute
)

// Request asks for the letters that match to be replayed or dropped. One that
// comes again is carried out again; with Before, what became of the letters since
// is left as it is.
type Request struct {
	Drop bool `json:"drop,omitempty"` // else replay
	Query
}

// pendingRequest is one that is not yet carried out.
type pendingRequest struct {
	Request
	times int // how often it was made
}

// errTooMany is what a request gets that finds no place.
var errTooMany = errors.New("too many requests for dead letters wait")

// Request takes a request, to be carried out soon. On nil it is on disk, and is
// tried until it is carried out, also after a restart. Without a letter that
// matches there is nothing to do.
func (l *Letters) Request(r Request) error {
	if err := r.valid(); err != nil {
		return err
	}
	r.Before = r.Before.UTC() // equal times are the same request
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.holds(r.Query) {
		return nil
	}
	k := l.index(r)
	if k < 0 && len(l.pending) >= maxRequests {
		return errTooMany
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	if k >= 0 { // written before
		l.pending[k].times++
		return nil
	}
	l.pending = append(l.pending, pendingRequest{r, 1})
	return l.writeRequests()
}

// index is where a request is among those that wait, or -1. With l.mu.
func (l *Letters) index(r Request) int {
	return slices.IndexFunc(l.pending, func(p pendingRequest) bool { return p.Request == r })
}

func (r Request) valid() error {
	if r.Drop {
		return r.forDrop()
	}
	return r.check()
}

func (l *Letters) holds(q Query) bool {
	for _, d := range l.letters {
		if q.matches(d) {
			return true
		}
	}
	return false
}

// carryOut carries out requests until ctx ends, in the order in which they came. One
// that fails holds up no other: it is tried again later, and when another one comes.
func (l *Letters) carryOut(ctx context.Context) {
	for wait := l.retry; ; {
		failed := false
		for _, r := range l.requested() {
			failed = l.carryOutOne(ctx, r) != nil || failed
		}
		var again <-chan time.Time
		if failed {
			again = time.After(wait)
		} else {
			wait = l.retry
		}
		select {
		case <-l.wake:
		case <-again:
			wait = min(2*wait, maxRetryWait)
		case <-ctx.Done():
			return
		}
	}
}

func (l *Letters) carryOutOne(ctx context.Context, r pendingRequest) (err error) {
	var n int
	if r.Drop {
		n, err = l.drop(r.Query)
	} else {
		var done Replay
		done, err = l.Replay(ctx, r.Query)
		n = done.Replayed
	}
	if err == nil {
		err = l.carriedOut(r)
	}
	if ctx.Err() == nil && (n > 0 || err != nil) {
		l.o.Log.Info("a request for dead letters", "drop", r.Drop, "function", r.Function, "id", r.ID, "topic", r.Topic, "reason", r.Reason, "cause", r.Cause, "letters", n, "err", err)
	}
	return err
}

func (l *Letters) requested() []pendingRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.pending)
}

// carriedOut removes a request, unless it was made again meanwhile.
func (l *Letters) carriedOut(r pendingRequest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.index(r.Request)
	if l.pending[k].times != r.times {
		return nil // there is a wake
	}
	l.pending = slices.Delete(l.pending, k, k+1)
	return l.writeRequests()
}

func (l *Letters) writeRequests() error {
	rs := make([]Request, len(l.pending))
	for i, p := range l.pending {
		rs[i] = p.Request
	}
	return writeDurably(filepath.Join(l.o.Dir, requestsFile), rs)
}

// readRequests takes up what was not carried out before the connector ended. A
// damaged file is no reason not to start.
func (l *Letters) readRequests() {
	var rs []Request
	b, err := os.ReadFile(filepath.Join(l.o.Dir, requestsFile))
	if err != nil || json.Unmarshal(b, &rs) != nil {
		return
	}
	for _, r := range rs {
		l.pending = append(l.pending, pendingRequest{r, 1})
	}
}
