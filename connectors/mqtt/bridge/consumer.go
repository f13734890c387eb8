package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	queueLength = 2048            // messages read ahead, a worker and lane
	behind      = 5 * time.Second // a function that is further behind gets a lane of its own for what is new
	checkEvery  = time.Second
	maxTopics   = 8192 // whose matches are remembered
)

// consumer delivers to one function. Whatever happens to it holds up only it.
type consumer struct {
	f    Function
	b    *Bridge
	log  *slog.Logger
	live []chan *item // one a worker: what comes now
	late []chan *item // the backlog of an outage, beside it

	mu    sync.Mutex
	lanes []*lane // oldest first: one, or the backlog and the live one

	good   atomic.Int64 // when it last took something, unix nanoseconds
	state  atomic.Value // string: what is wrong, "" for nothing
	stored atomic.Uint64
	dead   atomic.Uint64
	calls  atomic.Uint64
	fails  atomic.Uint64
}

func newConsumer(b *Bridge, f Function) (*consumer, error) {
	c := &consumer{f: f, b: b, log: b.log.With("function", f.Name)}
	c.state.Store("")
	for range f.Concurrency {
		c.live = append(c.live, make(chan *item, queueLength))
		c.late = append(c.late, make(chan *item, queueLength))
	}
	starts := lanesOf(b.spool, f.Name)
	if len(starts) == 0 {
		starts = []spool.Seq{b.first}
		if b.looked {
			starts[0] = b.spool.Next()
		}
	}
	for i, start := range starts {
		out := c.live
		if i < len(starts)-1 {
			out = c.late
		}
		la, err := openLane(b.spool, f.Name, start, out)
		if err != nil {
			return nil, fmt.Errorf("deliver to %s: %w", f.Name, err)
		}
		if i > 0 {
			c.lanes[i-1].until.Store(uint64(start))
		}
		c.lanes = append(c.lanes, la)
	}
	return c, nil
}

// lanesOf returns where the lanes of a function began, oldest first.
func lanesOf(l *spool.Log, function string) (starts []spool.Seq) {
	for _, name := range l.Readers() {
		if f, start, ok := parseLane(name); ok && f == function {
			starts = append(starts, start)
		}
	}
	slices.Sort(starts)
	return starts
}

// run delivers until ctx ends.
func (c *consumer) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range c.f.Concurrency {
		wg.Go(func() { c.work(ctx, i) })
	}
	for _, la := range c.all() {
		wg.Go(func() { la.feed(ctx, c.f.wants(), c.log) })
	}
	for pause(ctx, checkEvery) {
		c.turn(ctx, &wg)
	}
	wg.Wait()
	for _, la := range c.all() {
		la.commit()
		_ = la.reader.Close() // its place is in the spool
	}
}

// turn opens a lane for what is new when the function takes messages again
// after it fell behind, and closes the backlog's when it is through.
func (c *consumer) turn(ctx context.Context, wg *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.lanes[0]; len(c.lanes) > 1 && first.over() {
		if err := first.reader.Close(); err == nil {
			err = c.b.spool.RemoveReader(first.name)
			c.log.Info("the backlog is through", "err", err)
		}
		c.lanes = c.lanes[1:]
	}
	if len(c.lanes) > 1 || c.state.Load() != "" {
		return
	}
	lag := c.lanes[0].reader.Lag()
	ended := c.lanes[0].until.Load() > 0 // and the next could not be opened
	if !ended && (lag.Records < uint64(4*queueLength) || c.b.now().Sub(lag.Oldest) < behind) {
		return
	}
	start := c.lanes[0].end(c.b.spool.Next())
	la, err := openLane(c.b.spool, c.f.Name, start, c.live)
	if err != nil {
		c.log.Error("open a lane for new messages", "err", err)
		return
	}
	c.lanes[0].out.Store(&c.late)
	c.lanes = append(c.lanes, la)
	c.log.Info("new messages go beside the backlog", "backlog", lag.Records, "oldest", lag.Oldest)
	wg.Go(func() { la.feed(ctx, c.f.wants(), c.log) })
}

func (c *consumer) all() []*lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lanes)
}

// wants returns what tells whether the function gets a message, for one lane.
func (f Function) wants() func(*Message) bool {
	known := map[string]bool{} // by topic
	return func(m *Message) bool {
		if m.Only != "" {
			return m.Only == f.Name
		}
		yes, ok := known[m.Topic]
		if !ok {
			if len(known) >= maxTopics {
				clear(known)
			}
			yes = matchAny(f.Filters, m.Topic) && !matchAny(f.Except, m.Topic)
			known[m.Topic] = yes
		}
		return yes
	}
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
