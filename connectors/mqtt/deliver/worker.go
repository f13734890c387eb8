package deliver

import (
	"bytes"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
)

const (
	maxTries   = 5               // failures of a message that is sent alone, while others succeed, before it is a dead letter
	maxRetries = 365             // how often a 207 may ask to retry a message, about an hour; the spool keeps all messages behind it so long
	wholeTries = 3               // failures of a batch before it is halved
	maxWait    = 5 * time.Second // cap of the backoff: delivery soon continues after an outage
	minWait    = 20 * time.Millisecond
	searchWait = 30 * time.Millisecond // between two calls that search for the message at fault
	recently   = 5 * time.Second       // a function that stored a message so lately is up
)

// worker delivers the messages of its partition keys, with one call at a time.
type worker struct {
	*consumer
	live, backlog chan *item
	backlogNext   bool      // the backlog's queue has preference at the moment
	sent          time.Time // when the last call began
	buf           bytes.Buffer
	delayed       []*item // to be sent again, ordered by the time when they are due
	carried       *item   // did not fit into the last batch
	retried       bool    // the last batch came from delayed
}

// work runs worker i until ctx ends.
func (c *consumer) work(ctx context.Context, i int) {
	w := &worker{consumer: c, live: c.live[i], backlog: c.backlog[i]}
	for ctx.Err() == nil { // messages left in the queues are read from the spool again at the next start
		batch := w.collect(ctx)
		if batch == nil {
			return
		}
		w.deliver(ctx, batch)
	}
}

// group is a batch, or a part of one, that is sent as a whole.
type group struct {
	ms    []*item
	fails int       // how often it failed
	since time.Time // when it, or the batch that it is a half of, first failed
}

// deliver sends a batch until each message is stored, delayed, or a dead letter.
// While the function is down, it waits between the calls. If only some messages fail,
// it halves the batch until it has found them.
func (w *worker) deliver(ctx context.Context, batch []*item) {
	queue, backoff, wait := []*group{{ms: batch}}, minWait, time.Duration(0)
	for len(queue) > 0 {
		queue, wait = w.send(queue, &backoff)
		if wait > 0 && !pause.For(ctx, wait) || ctx.Err() != nil {
			return // the rest is read from the spool again at the next start
		}
	}
}

// send sends the first group once. It returns the groups that are still to be sent
// and how long to wait before that. backoff is the wait after the next failure; send
// doubles or resets it.
func (w *worker) send(queue []*group, backoff *time.Duration) ([]*group, time.Duration) {
	g := queue[0]
	w.sent = time.Now()
	code, body, err := w.gateway.call(w.calls.context(), w.f, g.ms, &w.buf)
	w.called.Add(1)
	v, answer, reason := judge(code, body, err)
	wait := *backoff
	*backoff = minWait
	switch v {
	case stored:
		w.outputs.forward(w.consumer, answer)
		w.succeeded(g.ms, body)
		return queue[1:], 0
	case partial:
		w.applyPartial(g.ms, answer)
		return queue[1:], 0
	case refused:
		w.addDead(g.ms, reason)
		return queue[1:], 0
	case tooLarge:
		return w.halve(queue, reason), 0
	case unavailable:
		w.noteFailure(reason)
		*backoff = min(wait*2, maxWait)
		return queue, wait
	}
	return w.resend(queue, reason, wait, backoff)
}

// resend decides how to go on after the first group has failed. It returns the groups
// that are still to be sent and how long to wait before that: not at all if the
// function is up, so that the message at fault is found quickly; shortly if a batch
// failed; else for wait, and backoff doubles.
func (w *worker) resend(queue []*group, reason string, wait time.Duration, backoff *time.Duration) ([]*group, time.Duration) {
	g := queue[0]
	w.noteFailure(reason)
	queue = w.handleFailure(queue, reason)
	settled := g.fails == 0 // it was halved, or its message is delayed or a dead letter
	switch {
	case len(queue) == 0, settled && w.succeededSince(g.since.Add(-recently)):
		return queue, 0
	case len(g.ms) > 1:
		*backoff = wait
		return queue, searchWait
	}
	*backoff = min(wait*2, maxWait)
	return queue, wait
}

// handleFailure counts a failure of the first group and returns the groups that are
// still to be sent. A batch is halved after wholeTries, or once the function has stored
// other messages since the first failure. A single message becomes a dead letter after
// maxTries if the function has stored others since. It is delayed if the function has
// stored others or no other group is left. Otherwise it goes to the end of the queue:
// the other groups show whether the function is down.
func (w *worker) handleFailure(queue []*group, reason string) []*group {
	g := queue[0]
	if g.fails++; g.since.IsZero() {
		g.since = time.Now()
	}
	if len(g.ms) > 1 {
		if g.fails >= wholeTries || w.succeededSince(g.since) {
			return w.halve(queue, reason)
		}
		return queue
	}
	it := g.ms[0]
	if it.fails++; it.since.IsZero() {
		it.since = g.since
	}
	up := w.succeededSince(it.since)
	switch {
	case up && it.fails >= maxTries:
		w.addDead(g.ms, reason)
	case up || len(queue) == 1:
		w.delay(it, min(minWait<<min(it.fails, 10), maxWait))
	default:
		return append(queue[1:], g)
	}
	g.fails = 0
	return queue[1:]
}

// halve replaces the first group by its two halves. A single message cannot be
// halved: it becomes a dead letter.
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

// succeededSince reports whether the function has stored a message after t. The zero
// t means never.
func (w *worker) succeededSince(t time.Time) bool {
	return !t.IsZero() && w.lastSuccess.Load() > t.UnixNano()
}

// noteFailure counts a failed call, and logs the first of several in a row.
func (w *worker) noteFailure(reason string) {
	w.failures.Add(1)
	if old := w.failure.Swap(w.outputs.redact(reason)); old == "" {
		w.log.Warn("a call failed, trying again", "err", reason)
	}
}

// noteRecovery logs the first call that did not fail after failed ones.
func (w *worker) noteRecovery() {
	if old := w.failure.Swap(""); old != "" {
		w.log.Info("calls succeed again", "after", old)
	}
}
