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
	requestsFile = "requests" // file of pending requests
	maxRequests  = 1000       // pending
	retryWait    = time.Second / 4
	maxRetryWait = time.Minute
)

// Request asks to replay or drop the letters that match. A request that is made twice
// is carried out twice. Set Before to the time of the request, so that the second time
// does not affect letters that were rejected again in between.
type Request struct {
	Drop bool `json:"drop,omitempty"` // else replay
	Query
}

// pendingRequest is a request that is not yet carried out.
type pendingRequest struct {
	Request
	times int // how often it was made
}

// errTooMany is returned for a request beyond maxRequests.
var errTooMany = errors.New("too many requests for dead letters are pending")

// Request accepts a request, which Run carries out soon. When Request returns nil, the
// request is on the disk and is tried until it succeeds, also after a restart. A
// request that matches no letter is ignored.
func (l *Letters) Request(r Request) error {
	if err := r.checkPicks(); err != nil {
		return err
	}
	r.Before = r.Before.UTC() // equal times are the same request
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.anyMatches(r.Query) {
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
	if k >= 0 { // it is on the disk
		l.pending[k].times++
		return nil
	}
	l.pending = append(l.pending, pendingRequest{r, 1})
	return l.writeRequests()
}

// index returns the index of a request in l.pending, or -1. The caller holds l.mu.
func (l *Letters) index(r Request) int {
	return slices.IndexFunc(l.pending, func(p pendingRequest) bool { return p.Request == r })
}

// anyMatches reports whether q matches a letter. The caller holds l.mu.
func (l *Letters) anyMatches(q Query) bool {
	for _, d := range l.letters {
		if q.matches(d) {
			return true
		}
	}
	return false
}

// carryOut carries out requests until ctx ends, in the order in which they came. A
// request that fails does not block the others. It is tried again later, with backoff,
// and when another request comes.
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

// carryOutOne carries out one request and removes it from l.pending if that succeeds.
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
		l.o.Log.Info("a request for dead letters was tried", "drop", r.Drop, "function", r.Function, "id", r.ID, "topic", r.Topic, "reason", r.Reason, "cause", r.Cause, "letters", n, "err", err)
	}
	return err
}

// requested returns a copy of the pending requests.
func (l *Letters) requested() []pendingRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.pending)
}

// carriedOut removes a request from l.pending, unless it was made again meanwhile.
func (l *Letters) carriedOut(r pendingRequest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.index(r.Request)
	if l.pending[k].times != r.times {
		return nil // l.wake is set: it is carried out once more
	}
	l.pending = slices.Delete(l.pending, k, k+1)
	return l.writeRequests()
}

// writeRequests writes l.pending to the disk. The caller holds l.mu.
func (l *Letters) writeRequests() error {
	rs := make([]Request, len(l.pending))
	for i, p := range l.pending {
		rs[i] = p.Request
	}
	return writeDurably(filepath.Join(l.o.Dir, requestsFile), rs)
}

// readRequests reads the requests that were pending when the connector ended. It
// ignores a damaged file.
func (l *Letters) readRequests() {
	var rs []Request
	b, err := os.ReadFile(filepath.Join(l.o.Dir, requestsFile))
	if err != nil || json.Unmarshal(b, &rs) != nil {
		return
	}
	for _, r := range rs {
		if r.checkPicks() == nil {
			l.pending = append(l.pending, pendingRequest{r, 1})
		}
	}
}
