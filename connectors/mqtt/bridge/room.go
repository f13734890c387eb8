package bridge

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

// A function that is down for long would fill the spool for all others. So, under
// the policy "refuse", once the spool is nearly full and others go on, what is
// stuck gives up its oldest messages, down to its share, and they are counted.
// Where none goes on (the database is away) all wait, and the newest messages
// stay with the broker.
const (
	nearlyFull   = 80               // percent of the spool
	share        = 60               // percent of it that a stuck function keeps
	stuckDown    = time.Minute      // it answers nothing good, and its backlog did not shrink for so long
	stuckWorking = time.Hour        // it takes messages, and its backlog did not shrink for so long
	giveUpWithin = 20 * time.Second // reading what is given up; the rest at the next look
)

// backlog is how small the one of a function was since the spool is nearly full,
// and since when.
type backlog struct {
	least int64
	since time.Time
}

// percent of the spool's cap, 0 where it has none.
func (b *Bridge) percent(n int64) int64 { return b.config.SpoolMiB << 20 / 100 * n }

// stuck names the functions that are in the way of others. Only look calls it.
func (b *Bridge) stuck() map[string]bool {
	if most := b.percent(nearlyFull); b.config.SpoolPolicy != "refuse" || most <= 0 || b.spool.Stats().Bytes <= most {
		clear(b.backlogs)
		return nil
	}
	stuck, goesOn := map[string]bool{}, false
	see := func(name string, bytes int64, working bool) {
		old, known := b.backlogs[name]
		if !known || bytes < old.least {
			old = backlog{bytes, b.now()}
			b.backlogs[name] = old
		}
		patience := stuckDown
		if working {
			patience = stuckWorking
		}
		switch {
		case bytes > b.percent(share):
			stuck[name] = stuck[name] || b.now().Sub(old.since) >= patience
		case working:
			goesOn = true
		}
	}
	running := map[string]bool{}
	for _, c := range b.all() {
		running[c.f.Name] = true
		see(c.f.Name, c.behind(), c.state.Load() == "")
	}
	for name, bytes := range b.waiting(running) {
		see(name, bytes, false)
	}
	if !goesOn {
		return nil
	}
	return stuck
}

// behind is how much of the spool is not done with.
func (c *consumer) behind() (bytes int64) {
	for _, la := range c.all() {
		bytes = max(bytes, la.reader.Lag().Bytes)
	}
	return bytes
}

// waiting is how much of the spool is kept for functions that do not run now.
func (b *Bridge) waiting(running map[string]bool) map[string]int64 {
	out := map[string]int64{}
	for _, name := range b.spool.Readers() {
		f, _, ok := parseLane(name)
		if !ok || running[f] {
			continue
		}
		if r, err := b.spool.Reader(name); err == nil {
			out[f] = max(out[f], r.Lag().Bytes)
			_ = r.Close() // its place is in the spool
		}
	}
	return out
}

// giveUp skips the oldest messages of a function that has no consumer now, down
// to its share. What cannot be asked for its wishes had wanted them all.
func (b *Bridge) giveUp(ctx context.Context, name string, wants func(*Message) bool) {
	ctx, cancel := context.WithTimeout(ctx, giveUpWithin)
	defer cancel()
	var lost uint64
	var errs []error
	starts := lanesOf(b.spool, name)
	for i, start := range starts {
		end := spool.Seq(math.MaxUint64)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		n, err := b.shorten(ctx, laneName(name, start), end, wants)
		lost += n
		errs = append(errs, err)
	}
	b.mu.Lock()
	b.lost[name] += lost
	b.mu.Unlock()
	b.log.Error("the spool is nearly full: a function that takes nothing gives up its oldest messages, so that the others go on",
		"function", name, "messages", lost, "err", errors.Join(errs...))
}

// shorten moves the cursor of a lane that nobody reads, to its end at most, and
// returns how many messages it passed.
func (b *Bridge) shorten(ctx context.Context, lane string, end spool.Seq, wants func(*Message) bool) (lost uint64, err error) {
	r, err := b.spool.Reader(lane)
	if err != nil {
		return 0, err
	}
	defer r.Close() // its place is in the spool
	for over := r.Lag().Bytes - b.percent(share); over > 0; {
		recs, err := r.Next(ctx, feedCount, feedBytes)
		if err != nil {
			return lost, err
		}
		for _, rec := range recs {
			if over <= 0 || rec.Seq >= end {
				return lost, nil
			}
			if m, err := decode(rec.Data); err == nil && wants(&m) {
				lost++
			}
			over -= int64(len(rec.Data))
			r.Commit(rec.Seq)
		}
	}
	return lost, nil
}
