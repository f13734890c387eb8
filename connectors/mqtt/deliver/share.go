package deliver

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// A function that is down for long would fill the spool for all others. So, where
// the spool refuses messages at its cap, once it is nearly full and other
// functions take theirs, a stuck one gives up its oldest messages, down to its
// share, and they are counted. Where no function takes any (the database is away)
// all wait, and the newest messages stay with the broker.
const (
	nearlyFull   = 80               // percent of the spool
	keepShare    = 60               // percent of it that a stuck function keeps
	stuckDown    = time.Minute      // it takes nothing, and its backlog did not shrink for so long while others took theirs
	stuckWorking = time.Hour        // the same where it takes messages
	giveUpWithin = 20 * time.Second // reading what is given up; the rest at the next look
)

// share watches how much of the spool each function keeps. One goroutine uses it.
type share struct {
	spool    *spool.Log
	cap      int64 // of the spool, bytes; 0: nothing is given up
	now      func() time.Time
	backlogs map[string]backlog
}

// backlog is how small the one of a function was since the spool is nearly full
// and other functions take messages, and since when.
type backlog struct {
	least int64
	since time.Time
}

// behindBy is how many bytes of the spool are kept for a function, and whether it
// takes messages.
type behindBy struct {
	function string
	bytes    int64
	working  bool
}

func (s *share) percent(n int64) int64 { return s.cap / 100 * n }

// stuck names the functions that are in the way of others, given those that run.
func (s *share) stuck(running []behindBy) map[string]bool {
	if most := s.percent(nearlyFull); most <= 0 || s.spool.Stats().Bytes <= most {
		clear(s.backlogs)
		return nil
	}
	stuck, othersWork := map[string]bool{}, false
	for _, b := range append(running, s.waiting(running)...) {
		old, known := s.backlogs[b.function]
		if !known || b.bytes < old.least {
			old = backlog{b.bytes, s.now()}
			s.backlogs[b.function] = old
		}
		patience := stuckDown
		if b.working {
			patience = stuckWorking
		}
		switch {
		case b.bytes > s.percent(keepShare):
			stuck[b.function] = stuck[b.function] || s.now().Sub(old.since) >= patience
		case b.working:
			othersWork = true
		}
	}
	if !othersWork {
		clear(s.backlogs) // when the database is back, one function may take messages before the others
		return nil
	}
	return stuck
}

// waiting is how much of the spool is kept for functions that do not run now.
func (s *share) waiting(running []behindBy) (out []behindBy) {
	at := map[string]int{}
	for i, b := range running {
		at[b.function] = -1 - i
	}
	for _, name := range s.spool.Readers() {
		f, _, ok := message.ParseLane(name)
		if !ok || at[f] < 0 {
			continue
		}
		r, err := s.spool.Reader(name)
		if err != nil {
			continue
		}
		bytes := r.Lag().Bytes
		_ = r.Close() // its place is in the spool
		if at[f] == 0 {
			out = append(out, behindBy{function: f})
			at[f] = len(out)
		}
		out[at[f]-1].bytes = max(out[at[f]-1].bytes, bytes)
	}
	return out
}

// giveUp skips the oldest messages of a function that has no consumer now, down
// to its share, and returns how many it wanted.
func (s *share) giveUp(ctx context.Context, function string, wants func(*message.Message) bool) (lost uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, giveUpWithin)
	defer cancel()
	var errs []error
	starts := message.Lanes(s.spool, function)
	for i, start := range starts {
		end := spool.Seq(math.MaxUint64)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		n, err := s.shorten(ctx, message.LaneName(function, start), end, wants)
		lost += n
		errs = append(errs, err)
	}
	return lost, errors.Join(errs...)
}

// shorten moves the cursor of a lane that nobody reads, to its end at most, and
// returns how many messages it passed.
func (s *share) shorten(ctx context.Context, lane string, end spool.Seq, wants func(*message.Message) bool) (lost uint64, err error) {
	r, err := s.spool.Reader(lane)
	if err != nil {
		return 0, err
	}
	defer r.Close() // its place is in the spool
	for over := r.Lag().Bytes - s.percent(keepShare); over > 0; {
		recs, err := r.Next(ctx, feedCount, feedBytes)
		if err != nil {
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
	return lost, nil
}
