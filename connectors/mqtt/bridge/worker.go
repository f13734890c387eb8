package bridge

import (
	"bytes"
	"context"
	"time"
)

const (
	gather     = 20 * time.Millisecond // a batch waits for more at most this long
	batchBytes = 1 << 20
	maxTries   = 5 // of a message that fails alone while others succeed
	wholeTries = 3 // of a batch before it is halved
	maxWait    = 30 * time.Second
	minWait    = 50 * time.Millisecond
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
}

func (c *consumer) work(ctx context.Context, i int) {
	w := &worker{consumer: c, live: c.live[i], late: c.late[i]}
	for {
		batch := w.collect(ctx)
		if batch == nil {
			return
		}
		w.deliver(ctx, batch)
	}
}

// collect waits for messages and gathers what comes until the last call is
// gather ago: alone, a message leaves at once.
func (w *worker) collect(ctx context.Context) []*item {
	if due := w.due(); len(due) > 0 {
		return due
	}
	first := w.over
	w.over = nil
	queue := w.live
	if first == nil {
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

// first returns the next message, of the lane whose turn it is where both have
// one; nil when ctx ends or an asked message is due.
func (w *worker) first(ctx context.Context) (*item, chan *item) {
	w.turn = !w.turn
	prefer := w.live
	if w.turn {
		prefer = w.late
	}
	select {
	case it := <-prefer:
		return it, prefer
	default:
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

// due takes what a 207 asked for again and whose time has come.
func (w *worker) due() (batch []*item) {
	now := time.Now()
	most := max(w.f.Batch, 1)
	rest := w.asked[:0]
	for _, it := range w.asked {
		if len(batch) < most && !it.due.After(now) {
			batch = append(batch, it)
			continue
		}
		rest = append(rest, it)
	}
	w.asked = rest
	return batch
}

// group is messages that are sent together, and how that went.
type group struct {
	ms    []*item
	fails int
	since time.Time // of the first failure
}

// deliver sends a batch until every message of it is stored, asked for again,
// or a dead letter. Where the function is down it waits; where only some
// messages fail it finds them by halving.
func (w *worker) deliver(ctx context.Context, batch []*item) {
	queue := []*group{{ms: batch}}
	wait := minWait
	for len(queue) > 0 && ctx.Err() == nil {
		g := queue[0]
		code, body, err := w.b.gateway.call(ctx, w.f, g.ms, &w.buf, w.b.config.CallTimeout)
		w.sent = time.Now()
		w.calls.Add(1)
		if ctx.Err() != nil && err != nil {
			return
		}
		v, answer, reason := judge(code, body, err)
		switch v {
		case stored:
			w.took(g.ms, body)
			w.told(answer.Stored)
			queue, wait = queue[1:], minWait
			continue
		case parted:
			w.part(g.ms, answer)
			queue, wait = queue[1:], minWait
			continue
		case never:
			w.bury(g.ms, reason)
			queue, wait = queue[1:], minWait
			continue
		case tooLarge:
			queue = w.halve(queue, reason)
			continue
		case away:
			w.trouble(reason)
		case failed:
			queue = w.failed(queue, reason)
		}
		if len(queue) > 0 && !pause(ctx, wait) {
			return
		}
		if v == failed && w.goodSince(g.since) {
			wait = minWait // the function is up: it is these messages
		} else {
			wait = min(wait*2, maxWait)
		}
	}
	if ctx.Err() == nil {
		w.state.Store("")
	}
}

// failed counts a failure of the first group and says what comes next: the same
// again, its halves, the others, or the dead letters.
func (w *worker) failed(queue []*group, reason string) []*group {
	g := queue[0]
	if g.fails++; g.since.IsZero() {
		g.since = time.Now()
	}
	w.trouble(reason)
	up := w.goodSince(g.since)
	if len(g.ms) > 1 {
		if g.fails >= wholeTries || g.fails >= 1 && up {
			return w.halve(queue, reason)
		}
		return queue
	}
	if g.fails >= maxTries && up {
		w.bury(g.ms, reason)
		return queue[1:]
	}
	queue = append(queue[1:], g) // the others show whether it is the function
	if len(queue) == 1 && g.fails >= wholeTries {
		if probe := w.probe(); probe != nil {
			return []*group{{ms: probe, since: g.since}, g}
		}
	}
	return queue
}

// probe takes a message that waits, to see whether the function takes that.
func (w *worker) probe() []*item {
	for _, q := range []chan *item{w.live, w.late} {
		select {
		case it := <-q:
			return []*item{it}
		default:
		}
	}
	return nil
}

// halve replaces the first group by its halves. One message that is too large
// on its own is a dead letter.
func (w *worker) halve(queue []*group, reason string) []*group {
	g := queue[0]
	if len(g.ms) == 1 {
		w.bury(g.ms, reason)
		return queue[1:]
	}
	half := len(g.ms) / 2
	return append([]*group{{ms: g.ms[:half], since: g.since}, {ms: g.ms[half:], since: g.since}}, queue[1:]...)
}

func (w *worker) goodSince(t time.Time) bool { return !t.IsZero() && w.good.Load() > t.UnixNano() }

func (w *worker) trouble(reason string) {
	w.fails.Add(1)
	if old := w.state.Swap(reason); old == "" {
		w.log.Warn("not delivered, trying again", "err", reason)
	}
}
