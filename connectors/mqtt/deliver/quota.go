package deliver

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// A function that is down for long would fill the spool, which then refuses messages
// for all functions. So, when the spool is nearly full and other functions store
// their messages, the oldest messages of the stuck function are evicted and counted,
// until its backlog is down to its quota. While no function stores any (the database
// is down), nothing is evicted: the newest messages stay with the broker.
const (
	nearlyFullPercent = 80               // of the spool's cap
	quotaPercent      = 60               // of the spool's cap: what a stuck function keeps
	stuckIfDown       = time.Minute      // a function whose calls fail is stuck if its backlog has not shrunk for so long
	stuckIfWorking    = time.Hour        // the same for a function whose calls succeed
	evictTimeout      = 20 * time.Second // of one eviction; the next one continues
)

// quota watches how much of the spool is kept for each function, and evicts. It is
// for one goroutine only.
type quota struct {
	spool  *spool.Log
	cap    int64 // of the spool, bytes; 0: never evict
	now    func() time.Time
	minima map[string]minimum
}

// minimum is the smallest backlog that a function has had, and when it reached that.
// It counts from the moment when the spool was nearly full and other functions worked.
type minimum struct {
	bytes int64
	since time.Time
}

// usage is how many bytes of the spool are kept for a function, and whether its calls
// succeed.
type usage struct {
	function string
	bytes    int64
	working  bool
}

// percent returns n percent of the spool's cap, in bytes.
func (s *quota) percent(n int64) int64 { return s.cap / 100 * n }

// stuck returns the functions whose backlog keeps the spool full for the others.
// running is the usage of the functions that have a consumer.
func (s *quota) stuck(running []usage) map[string]bool {
	if most := s.percent(nearlyFullPercent); most <= 0 || s.spool.Stats().Bytes <= most {
		clear(s.minima)
		return nil
	}
	stuck, othersWork := map[string]bool{}, false
	for _, u := range append(running, s.idleUsage(running)...) {
		low, known := s.minima[u.function]
		if !known || u.bytes < low.bytes {
			low = minimum{u.bytes, s.now()}
			s.minima[u.function] = low
		}
		patience := stuckIfDown
		if u.working {
			patience = stuckIfWorking
		}
		switch {
		case u.bytes > s.percent(quotaPercent):
			stuck[u.function] = stuck[u.function] || s.now().Sub(low.since) >= patience
		case u.working:
			othersWork = true
		}
	}
	if !othersWork {
		clear(s.minima) // when the database is back, one function may recover a little before the others
		return nil
	}
	return stuck
}

// idleUsage returns the usage of the functions that have no consumer now.
func (s *quota) idleUsage(running []usage) (out []usage) {
	runs := map[string]bool{}
	for _, u := range running {
		runs[u.function] = true
	}
	bytes := map[string]int64{} // by function: of the lane that is furthest behind
	for _, name := range s.spool.Readers() {
		f, _, ok := message.ParseLane(name)
		if !ok || runs[f] {
			continue
		}
		r, err := s.spool.Reader(name)
		if err != nil {
			continue
		}
		bytes[f] = max(bytes[f], r.Lag().Bytes)
		_ = r.Close() // the spool keeps the cursor
	}
	for f, n := range bytes {
		out = append(out, usage{function: f, bytes: n})
	}
	return out
}

// evict skips the oldest messages of a function that has no consumer now, until its
// backlog is down to its quota. It returns how many of the skipped messages were for
// the function.
func (s *quota) evict(ctx context.Context, function string, wants func(*message.Message) bool) (lost uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, evictTimeout)
	defer cancel()
	var errs []error
	starts := message.Lanes(s.spool, function)
	for i, start := range starts {
		end := spool.Seq(math.MaxUint64)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		n, err := s.evictLane(ctx, message.LaneName(function, start), end, wants)
		lost += n
		errs = append(errs, err)
	}
	return lost, errors.Join(errs...)
}

// evictLane moves the cursor of a lane until its backlog is down to the quota, or to
// end, where the next lane begins. It returns how many of the skipped messages were
// for the function. No consumer may read the lane at the same time.
func (s *quota) evictLane(ctx context.Context, lane string, end spool.Seq, wants func(*message.Message) bool) (lost uint64, err error) {
	r, err := s.spool.Reader(lane)
	if err != nil {
		return 0, err
	}
	defer r.Close() // the spool keeps the cursor
	for over := r.Lag().Bytes - s.percent(quotaPercent); over > 0 && ctx.Err() == nil; {
		recs, err := r.Poll(feedCount, feedBytes)
		if err != nil || len(recs) == 0 {
			return lost, err
		}
		for _, rec := range recs {
			if over <= 0 || rec.Seq >= end {
				return lost, nil
			}
			if m, err := message.Decode(rec.Data); err == nil && wants(&m) {
				lost++
			}
			over -= int64(len(rec.Data))
			r.Commit(rec.Seq)
		}
	}
	return lost, ctx.Err()
}
