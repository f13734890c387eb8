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
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	queueLength = 2048            // messages read ahead for each worker and lane
	maxLag      = 5 * time.Second // a function whose oldest message is older gets a second lane, for new messages
	checkEvery  = time.Second     // interval of checkLanes
)

// consumer delivers messages to one function. Lanes read the spool and hand each
// message to the worker of its partition key; the workers call the function.
type consumer struct {
	f       subscriber
	workers int
	byLoad  bool // see Options.ByLoad
	gateway *gateway
	outputs *outputs
	spool   *spool.Log
	now     func() time.Time
	calls   *calls // a call in flight may outlive the ctx of run
	log     *slog.Logger
	live    []chan *item // by worker: the messages of the newest lane
	backlog []chan *item // by worker: the messages of the backlog's lane, if there are two lanes

	mu    sync.Mutex
	lanes []*lane // oldest first: one, or the backlog's and the live one

	lastSuccess atomic.Int64 // when the function last stored a message, unix nanoseconds
	failure     atomic.Value // string: why calls fail at present; "" while they succeed
	stored      atomic.Uint64
	dead        atomic.Uint64
	called      atomic.Uint64
	failures    atomic.Uint64
}

// open opens the lanes that the function has in the spool. A function without any
// gets one that begins at begin.
func (c *consumer) open(begin spool.Seq) error {
	c.failure.Store("")
	for range c.workers {
		c.live = append(c.live, make(chan *item, queueLength))
		c.backlog = append(c.backlog, make(chan *item, queueLength))
	}
	starts := message.Lanes(c.spool, c.f.Name)
	if len(starts) == 0 {
		starts = []spool.Seq{begin}
	}
	for i, start := range starts {
		out := c.live
		if i < len(starts)-1 {
			out = c.backlog
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

// run delivers messages until ctx ends and the calls in flight are done.
func (c *consumer) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range c.workers {
		wg.Go(func() { c.work(ctx, i) })
	}
	for _, la := range c.all() {
		wg.Go(func() { la.feed(ctx, c.byLoad, c.f.matcher(), c.log) })
	}
	for pause.For(ctx, checkEvery) {
		c.checkLanes(ctx, &wg)
	}
	wg.Wait()
	for _, la := range c.all() {
		la.commit()
		_ = la.reader.Close() // the spool keeps the cursor
	}
}

// checkLanes removes the backlog's lane once that is delivered. It opens a second
// lane, for new messages, when the function is far behind and its calls succeed again.
func (c *consumer) checkLanes(ctx context.Context, wg *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.lanes[0]; len(c.lanes) > 1 && first.finished() {
		if err := first.reader.Close(); err == nil {
			err = c.spool.RemoveReader(first.name)
			c.log.Info("the backlog is delivered", "err", err)
		}
		c.lanes = c.lanes[1:]
	}
	if len(c.lanes) > 1 || c.failure.Load() != "" {
		return
	}
	lag := c.lanes[0].reader.Lag()
	ended := c.lanes[0].until.Load() > 0 // an earlier check ended it and could not open the next lane
	if !ended && (lag.Records < uint64(4*queueLength) || c.now().Sub(lag.Oldest) < maxLag) {
		return
	}
	start := c.lanes[0].end(c.spool.Next())
	la, err := openLane(c.spool, c.f.Name, start, c.live)
	if err != nil {
		c.log.Error("open a lane for new messages", "err", err)
		return
	}
	c.lanes[0].out.Store(&c.backlog)
	c.lanes = append(c.lanes, la)
	c.log.Info("new messages are delivered in parallel with the backlog", "backlog", lag.Records, "oldest", lag.Oldest)
	wg.Go(func() { la.feed(ctx, c.byLoad, c.f.matcher(), c.log) })
}

// all returns a copy of the list of lanes.
func (c *consumer) all() []*lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lanes)
}

// lag returns, over all lanes, the number of messages that are not yet done, the
// arrival of the oldest, and how many the spool dropped before they were read.
func (c *consumer) lag() (records uint64, oldest time.Time, lost uint64) {
	for _, la := range c.all() {
		n, at, gone := la.pending()
		records, lost = records+n, lost+gone
		if n > 0 && !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return records, oldest, lost
}

// spoolBytes is how many bytes of the spool are kept for the function.
func (c *consumer) spoolBytes() (bytes int64) {
	for _, la := range c.all() {
		bytes = max(bytes, la.reader.Lag().Bytes)
	}
	return bytes
}
