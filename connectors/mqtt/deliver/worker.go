package deliver

import (
	"bytes"
	"context"
	"time"
)

const (
	maxTries   = 5               // of a message that fails alone while others succeed
	maxAsks    = 365             // of a message that a 207 asks for again, which is about an hour: it holds up what is behind it
	wholeTries = 3               // of a batch before it is halved
	maxWait    = 5 * time.Second // between two calls of a function that is away: it is soon noticed when it is back
	minWait    = 20 * time.Millisecond
	searchWait = 30 * time.Millisecond // between two calls that look for the message at fault
	lately     = 5 * time.Second
)

// worker delivers the messages of its share of the topics, one call at a time.
type worker struct {
	*consumer
	live, late chan *item
	lateFirst  bool // the backlog's message is taken before a live one
	sent       time.Time
	buf        bytes.Buffer
	asked      []*item // to be sent again alone, at their time
	over       *item   // did not fit into the batch before
	again      bool    // the last batch was of those asked for again
}

func (c *consumer) work(ctx context.Context, i int) {
	w := &worker{consumer: c, live: c.live[i], late: c.late[i]}
	for ctx.Err() == nil { // what is queued is read again at the next start
		batch := w.collect(ctx)
		if batch == nil {
			return
		}
		w.deliver(ctx, batch)
	}
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
	queue, backoff, wait := []*group{{ms: batch}}, minWait, time.Duration(0)
	for len(queue) > 0 {
		queue, wait = w.send(queue, &backoff)
		if wait > 0 && !pause(ctx, wait) || ctx.Err() != nil {
			return // what is left is read again at the next start
		}
	}
}

// send sends the first group once, and returns what is still to be sent and how
// long to wait before that. backoff is the wait after another failure.
func (w *worker) send(queue []*group, backoff *time.Duration) ([]*group, time.Duration) {
	g := queue[0]
	w.sent = time.Now()
	code, body, err := w.gateway.call(w.calling, w.f, g.ms, &w.buf)
	w.calls.Add(1)
	v, answer, reason := judge(code, body, err)
	wait := *backoff
	*backoff = minWait
	switch v {
	case stored:
		w.outlet.pass(w.consumer, answer)
		w.took(g.ms, body)
		return queue[1:], 0
	case parted:
		w.part(g.ms, answer)
		return queue[1:], 0
	case never:
		w.addDead(g.ms, reason)
		return queue[1:], 0
	case tooLarge:
		return w.halve(queue, reason), 0
	case away:
		w.trouble(reason)
		*backoff = min(wait*2, maxWait)
		return queue, wait
	}
	w.trouble(reason)
	if queue = w.failed(queue, reason); len(queue) == 0 || g.fails == 0 && w.goodSince(g.since.Add(-lately)) {
		return queue, 0 // the function is up: there is no need to wait before looking for the message at fault
	}
	if len(g.ms) > 1 {
		*backoff = wait
		return queue, searchWait
	}
	*backoff = min(wait*2, maxWait)
	return queue, wait
}

// failed counts a failure of the first group and returns what comes next: the
// same again, its halves, or the others.
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
		w.addDead(g.ms, reason)
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
		w.addDead(g.ms, reason)
		return queue[1:]
	}
	g.fails = 0
	half := len(g.ms) / 2
	return append([]*group{{ms: g.ms[:half], since: g.since}, {ms: g.ms[half:], since: g.since}}, queue[1:]...)
}

// goodSince reports that the function took something after t.
func (w *worker) goodSince(t time.Time) bool { return !t.IsZero() && w.good.Load() > t.UnixNano() }

// trouble counts a failed call, and logs the first of a row.
func (w *worker) trouble(reason string) {
	w.fails.Add(1)
	if old := w.state.Swap(w.outlet.redact(reason)); old == "" {
		w.log.Warn("not delivered, trying again", "err", reason)
	}
}

// recovered logs the end of a row of failed calls.
func (w *worker) recovered() {
	if old := w.state.Swap(""); old != "" {
		w.log.Info("delivered again", "after", old)
	}
}
