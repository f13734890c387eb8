package bridge

import (
	"bytes"
	"context"
	"slices"
	"time"
)

const (
	gather     = 5 * time.Millisecond // a batch waits for more at most this long
	batchBytes = 1 << 20
	maxTries   = 5               // of a message that fails alone while others succeed
	maxAsks    = 365             // of a message that a 207 wants again, which is about an hour: it holds up what is behind it
	wholeTries = 3               // of a batch before it is halved
	maxWait    = 5 * time.Second // a call this often costs nothing, and what is back is soon noticed
	minWait    = 20 * time.Millisecond
	searchWait = 30 * time.Millisecond
	lately     = 5 * time.Second
)

// worker delivers the messages of its share of the topics, one call at a time.
type worker struct {
	*consumer
	live, late chan *item
	turn       bool // the backlog's
	sent       time.Time
	buf        bytes.Buffer
	asked      []*item // to come again alone, at their time
	over       *item   // did not fit into the batch before
	again      bool    // the last batch was of those asked
}

func (c *consumer) work(ctx context.Context, i int) {
	w := &worker{consumer: c, live: c.live[i], late: c.late[i]}
	for ctx.Err() == nil { // what is queued comes again at the next start
		batch := w.collect(ctx)
		if batch == nil {
			return
		}
		w.deliver(ctx, batch)
	}
}

// collect waits for messages and gathers what comes until the last call began
// gather ago: alone, a message leaves at once.
func (w *worker) collect(ctx context.Context) []*item {
	first := w.over
	w.over = nil
	queue := w.live
	if first == nil && w.again {
		first, queue = w.ready() // what is slow to fail leaves turns to others
	}
	w.again = false
	if first == nil {
		if due := w.due(); len(due) > 0 {
			w.again = true
			return due
		}
		if first, queue = w.first(ctx); first == nil {
			if ctx.Err() == nil {
				return w.collect(ctx) // an asked one is due
			}
			return nil
		}
	}
	batch, size := []*item{first}, first.Message.size()
	most := max(w.f.Batch, 1)
	for left := gather - time.Since(w.sent); len(batch) < most && size < batchBytes; {
		it := next(ctx, queue, left)
		if it == nil {
			break
		}
		if size += it.Message.size(); size > batchBytes {
			w.over = it
			break
		}
		batch = append(batch, it)
		left = gather - time.Since(w.sent)
	}
	return batch
}

// ready returns a message that waits, of the lane whose turn it is where both
// have one; nil if there is none.
func (w *worker) ready() (*item, chan *item) {
	w.turn = !w.turn
	prefer, other := w.live, w.late
	if w.turn {
		prefer, other = w.late, w.live
	}
	for _, queue := range []chan *item{prefer, other} {
		select {
		case it := <-queue:
			return it, queue
		default:
		}
	}
	return nil, nil
}

// first waits for the next message; nil when ctx ends or an asked message is due.
func (w *worker) first(ctx context.Context) (*item, chan *item) {
	if it, queue := w.ready(); it != nil {
		return it, queue
	}
	var due <-chan time.Time
	if len(w.asked) > 0 {
		t := time.NewTimer(time.Until(w.asked[0].due))
		defer t.Stop()
		due = t.C
	}
	select {
	case it := <-w.live:
		return it, w.live
	case it := <-w.late:
		return it, w.late
	case <-due:
		return nil, nil
	case <-ctx.Done():
		return nil, nil
	}
}

// next takes one more, if there is one within d.
func next(ctx context.Context, queue chan *item, d time.Duration) *item {
	select {
	case it := <-queue:
		return it
	default:
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case it := <-queue:
		return it
	case <-t.C:
		return nil
	case <-ctx.Done():
		return nil
	}
}

// due takes what is to be tried again now: together what a 207 asked for, one
// by one what failed.
func (w *worker) due() (batch []*item) {
	now := time.Now()
	most := max(w.f.Batch, 1)
	rest := w.asked[:0]
	for _, it := range w.asked {
		if it.due.After(now) || len(batch) >= most || len(batch) > 0 && (it.fails > 0 || batch[0].fails > 0) {
			rest = append(rest, it)
			continue
		}
		batch = append(batch, it)
	}
	clear(w.asked[len(rest):])
	w.asked = rest
	return batch
}

// later puts a message aside, to be tried again after d.
func (w *worker) later(it *item, d time.Duration) {
	it.due = time.Now().Add(d)
	i, _ := slices.BinarySearchFunc(w.asked, it, func(a, b *item) int { return a.due.Compare(b.due) })
	w.asked = slices.Insert(w.asked, i, it)
}

// group is messages that are sent together, and how that went.
type group struct {
	ms    []*item
	fails int
	since time.Time // of the first failure
}

// deliver sends a batch until every message of it is stored, put aside, or a
// dead letter. Where the function is down it waits; where only some messages
// fail it finds them by halving.
func (w *worker) deliver(ctx context.Context, batch []*item) {
	queue := []*group{{ms: batch}}
	wait := minWait
	for len(queue) > 0 {
		g := queue[0]
		w.sent = time.Now()
		code, body, err := w.b.gateway.call(w.b.life, w.f, g.ms, &w.buf, w.b.config.CallTimeout)
		w.calls.Add(1)
		v, answer, reason := judge(code, body, err)
		before := wait
		wait = minWait
		switch v {
		case stored:
			w.told(answer)
			w.took(g.ms, body)
			queue = queue[1:]
		case parted:
			w.part(g.ms, answer)
			queue = queue[1:]
		case never:
			w.bury(g.ms, reason)
			queue = queue[1:]
		case tooLarge:
			queue = w.halve(queue, reason)
		case away:
			w.trouble(reason)
			wait = min(before*2, maxWait)
			if !pause(ctx, before) {
				return
			}
		case failed:
			w.trouble(reason)
			if queue = w.failed(queue, reason); len(queue) == 0 || g.fails == 0 && w.up(g.since) {
				break
			}
			if wait = min(before*2, maxWait); len(g.ms) > 1 {
				before, wait = searchWait, before // halving is quick, or nothing is learnt
			}
			if !pause(ctx, before) {
				return
			}
		}
		if ctx.Err() != nil {
			return // what is left comes again at the next start
		}
	}
}

// failed counts a failure of the first group and says what comes next: the same
// again, its halves, or the others.
func (w *worker) failed(queue []*group, reason string) []*group {
	g := queue[0]
	if g.fails++; g.since.IsZero() {
		g.since = time.Now()
	}
	if len(g.ms) > 1 {
		if g.fails >= wholeTries || w.goodSince(g.since) {
			return w.halve(queue, reason)
		}
		return queue
	}
	it := g.ms[0]
	if it.fails++; it.since.IsZero() {
		it.since = g.since
	}
	up := w.goodSince(it.since)
	switch {
	case up && it.fails >= maxTries:
		w.bury(g.ms, reason)
	case up || len(queue) == 1:
		w.later(it, min(minWait<<min(it.fails, 10), maxWait)) // the others go on
	default:
		return append(queue[1:], g) // the others show whether it is the function
	}
	g.fails = 0
	return queue[1:]
}

// halve replaces the first group by its halves. One message that is too large
// on its own is a dead letter.
func (w *worker) halve(queue []*group, reason string) []*group {
	g := queue[0]
	if len(g.ms) == 1 {
		w.bury(g.ms, reason)
		return queue[1:]
	}
	g.fails = 0
	half := len(g.ms) / 2
	return append([]*group{{ms: g.ms[:half], since: g.since}, {ms: g.ms[half:], since: g.since}}, queue[1:]...)
}

// goodSince reports that the function took something after t: it is up.
func (w *worker) goodSince(t time.Time) bool { return !t.IsZero() && w.good.Load() > t.UnixNano() }

// up reports that it took something shortly before t, or since: there is no
// need to wait before looking for the message that it fails on.
func (w *worker) up(t time.Time) bool { return w.goodSince(t.Add(-lately)) }

func (w *worker) trouble(reason string) {
	w.fails.Add(1)
	if old := w.state.Swap(w.b.redact(reason)); old == "" {
		w.log.Warn("not delivered, trying again", "err", reason)
	}
}
