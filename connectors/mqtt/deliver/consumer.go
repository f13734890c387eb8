package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	queueLength = 2048            // messages read ahead, a worker and lane
	behind      = 5 * time.Second // a function that is further behind gets a lane of its own for what is new
	checkEvery  = time.Second
)

// consumer delivers to one function, by several workers.
type consumer struct {
	f       listener
	workers int
	byLoad  bool // messages are read in groups
	gateway *gateway
	outlet  *outlet
	spool   *spool.Log
	now     func() time.Time
	calling context.Context // of calls: one under way outlives the consumer's end
	log     *slog.Logger
	live    []chan *item // one a worker: what comes now
	late    []chan *item // the backlog of an outage, beside it

	mu    sync.Mutex
	lanes []*lane // oldest first: one, or the backlog and the live one

	good   atomic.Int64 // when it last took something, unix nanoseconds
	state  atomic.Value // string: what is wrong, "" for nothing
	stored atomic.Uint64
	dead   atomic.Uint64
	calls  atomic.Uint64
	fails  atomic.Uint64
}

// open opens the function's lanes. One that has none yet begins at begin.
func (c *consumer) open(begin spool.Seq) error {
	c.state.Store("")
	for range c.workers {
		c.live = append(c.live, make(chan *item, queueLength))
		c.late = append(c.late, make(chan *item, queueLength))
	}
	starts := message.Lanes(c.spool, c.f.Name)
	if len(starts) == 0 {
		starts = []spool.Seq{begin}
	}
	for i, start := range starts {
		out := c.live
		if i < len(starts)-1 {
			out = c.late
		}
		la, err := openLane(c.spool, c.f.Name, start, out)
		if err != nil {
			return fmt.Errorf("deliver to %s: %w", c.f.Name, err)
		}
		if i > 0 {
			c.lanes[i-1].until.Store(uint64(start))
		}
		c.lanes = append(c.lanes, la)
	}
	return nil
}

// run delivers until ctx ends.
func (c *consumer) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range c.workers {
		wg.Go(func() { c.work(ctx, i) })
	}
	for _, la := range c.all() {
		wg.Go(func() { la.feed(ctx, c.byLoad, c.f.wants(), c.log) })
	}
	for pause(ctx, checkEvery) {
		c.checkLanes(ctx, &wg)
	}
	wg.Wait()
	for _, la := range c.all() {
		la.commit()
		_ = la.reader.Close() // its place is in the spool
	}
}

// checkLanes opens a lane for what is new when the function takes messages again
// after it fell behind, and removes the backlog's lane when it is empty.
func (c *consumer) checkLanes(ctx context.Context, wg *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.lanes[0]; len(c.lanes) > 1 && first.over() {
		if err := first.reader.Close(); err == nil {
			err = c.spool.RemoveReader(first.name)
			c.log.Info("the backlog is delivered", "err", err)
		}
		c.lanes = c.lanes[1:]
	}
	if len(c.lanes) > 1 || c.state.Load() != "" {
		return
	}
	lag := c.lanes[0].reader.Lag()
	ended := c.lanes[0].until.Load() > 0 // and the next could not be opened
	if !ended && (lag.Records < uint64(4*queueLength) || c.now().Sub(lag.Oldest) < behind) {
		return
	}
	start := c.lanes[0].end(c.spool.Next())
	la, err := openLane(c.spool, c.f.Name, start, c.live)
	if err != nil {
		c.log.Error("open a lane for new messages", "err", err)
		return
	}
	c.lanes[0].out.Store(&c.late)
	c.lanes = append(c.lanes, la)
	c.log.Info("new messages go beside the backlog", "backlog", lag.Records, "oldest", lag.Oldest)
	wg.Go(func() { la.feed(ctx, c.byLoad, c.f.wants(), c.log) })
}

func (c *consumer) all() []*lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lanes)
}

// lag is how far the function is behind, over its lanes.
func (c *consumer) lag() (records uint64, oldest time.Time, lost uint64) {
	for _, la := range c.all() {
		n, at, gone := la.left()
		records, lost = records+n, lost+gone
		if n > 0 && !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return records, oldest, lost
}

// behind is how many bytes of the spool the function keeps.
func (c *consumer) behind() (bytes int64) {
	for _, la := range c.all() {
		bytes = max(bytes, la.reader.Lag().Bytes)
	}
	return bytes
}
