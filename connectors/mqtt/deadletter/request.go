package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
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
	if _, known := l.pending[r]; !known && len(l.pending) >= maxRequests {
		if r.Drop || !r.Before.IsZero() {
			return errTooMany
		}
		r = Request{Query: Query{Function: r.Function}} // all letters of the function, instead of one more request
	}
	l.pending[r]++
	select {
	case l.wake <- struct{}{}:
	default:
	}
	if l.pending[r] > 1 {
		return nil // written before
	}
	return l.writeRequests()
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

// carryOut carries out requests until ctx ends.
func (l *Letters) carryOut(ctx context.Context) {
	for wait := retryWait; ; {
		failed := false
		for r, times := range l.requested() {
			err := l.carryOutOne(ctx, r, times)
			failed = failed || err != nil
		}
		if !failed {
			wait = retryWait
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, maxRetryWait)
	}
}

func (l *Letters) carryOutOne(ctx context.Context, r Request, times int) (err error) {
	var n int
	if r.Drop {
		n, err = l.drop(r.Query)
	} else {
		var done Replay
		done, err = l.Replay(ctx, r.Query)
		n = done.Replayed
	}
	if err == nil {
		err = l.carriedOut(r, times)
	}
	if ctx.Err() == nil && (n > 0 || err != nil) {
		l.o.Log.Info("a request for dead letters", "drop", r.Drop, "function", r.Function, "id", r.ID, "topic", r.Topic, "reason", r.Reason, "cause", r.Cause, "letters", n, "err", err)
	}
	return err
}

func (l *Letters) requested() map[Request]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.pending)
}

// carriedOut removes a request, unless it was made again meanwhile.
func (l *Letters) carriedOut(r Request, times int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[r] != times {
		return nil // there is a wake
	}
	delete(l.pending, r)
	return l.writeRequests()
}

func (l *Letters) writeRequests() error {
	return writeDurably(filepath.Join(l.o.Dir, requestsFile), slices.Collect(maps.Keys(l.pending)))
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
		l.pending[r] = 1
	}
}
