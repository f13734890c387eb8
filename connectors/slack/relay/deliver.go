package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	maxWaiting  = 100              // clicks in memory
	replyLife   = 30 * time.Minute // of a response_url
	giveUpAfter = 24 * time.Hour   // of a click at which the function itself fails
	tellAfter   = 3 * time.Second  // the user is told that a click waits
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// item is a click that is not done.
type item struct {
	click
	seq    spool.Seq
	tries  int
	due    time.Time
	told   bool    // that it waits
	answer *answer // for the user: only that is left to do
	done   bool
}

// queue holds the clicks that are not done, in the order in which they came.
type queue struct {
	items     []*item
	last      spool.Seq // read
	committed spool.Seq // up to which all are done
	awayUntil time.Time // until then nothing is called: the function cannot be reached
	awayTries int
}

// deliver carries out what is in the spool until ctx ends.
func (r *Relay) deliver(ctx context.Context) {
	q := &queue{}
	for ctx.Err() == nil {
		if err := r.fill(ctx, q); err != nil && ctx.Err() == nil {
			r.Log.Error("the spool cannot be read", "err", err)
			pause.For(ctx, longestWait)
			continue
		}
		it, wait := q.next(r.Now())
		if it == nil {
			more, cancel := context.WithTimeout(ctx, wait)
			_ = r.more(more, q) // ends at the latest when a click is due
			cancel()
			continue
		}
		r.do(context.WithoutCancel(ctx), q, it)
		r.commit(q)
	}
}

// fill reads what the spool has, and waits for a click if none is in memory.
func (r *Relay) fill(ctx context.Context, q *queue) error {
	if len(q.items) == 0 {
		return r.more(ctx, q)
	}
	if len(q.items) >= maxWaiting {
		return nil
	}
	records, err := r.reader.Poll(maxWaiting-len(q.items), 0)
	r.add(q, records)
	return err
}

// more waits for clicks.
func (r *Relay) more(ctx context.Context, q *queue) error {
	if len(q.items) >= maxWaiting {
		<-ctx.Done()
		return nil
	}
	records, err := r.reader.Next(ctx, maxWaiting-len(q.items), 0)
	r.add(q, records)
	return err
}

func (r *Relay) add(q *queue, records []spool.Record) {
	for _, rec := range records {
		c, err := decode(rec.Data)
		if err != nil {
			r.Log.Error("a click in the spool cannot be read and is left out", "err", err)
		}
		q.items, q.last = append(q.items, &item{click: c, seq: rec.Seq, done: err != nil}), rec.Seq
	}
	r.commit(q)
}

// next returns the click to work on, or nil and how long to wait.
func (q *queue) next(now time.Time) (*item, time.Duration) {
	wait := time.Hour
	for _, it := range q.items {
		due := it.due
		if it.answer == nil && q.awayUntil.After(due) {
			due = q.awayUntil
		}
		if !due.After(now) {
			return it, 0
		}
		wait = min(wait, due.Sub(now))
	}
	return nil, wait
}

// do takes the next step of a click: the call of the function, or the answer to Slack.
func (r *Relay) do(ctx context.Context, q *queue, it *item) {
	if it.answer == nil && !r.call(ctx, q, it) {
		return
	}
	switch err := r.tell(ctx, it, *it.answer); {
	case err == nil || errors.Is(err, errGone):
		it.done = true
	default:
		it.due = r.Now().Add(backoff(it.tries))
		it.tries++
	}
}

// call calls the function, and reports whether there is an answer for the user.
func (r *Relay) call(ctx context.Context, q *queue, it *item) bool {
	v, a, err := r.caller.call(ctx, it.click)
	r.stats.calls.Add(1)
	if err != nil {
		r.stats.failed.Add(1)
		r.Log.Warn("a click", "id", it.ID, "tries", it.tries+1, "err", r.Redact(err.Error(), reasonBytes))
	}
	now := r.Now()
	switch {
	case v == done:
		q.awayTries = 0
		it.answer, it.tries = &a, 0
		return true
	case v == refused:
		it.answer, it.tries = &answer{Text: "hearth could not do this: " + r.Redact(err.Error(), reasonBytes)}, 0
		return true
	case v == failed && now.Sub(it.At) > giveUpAfter:
		r.Log.Error("a click is given up after a day: the function fails at it", "id", it.ID, "action", it.ActionID+it.Command)
		r.stats.lost.Add(1)
		it.done = true
		return false
	case v == away:
		q.awayUntil = now.Add(backoff(q.awayTries))
		q.awayTries++
	default:
		it.due = now.Add(backoff(it.tries))
	}
	it.tries++
	if !it.told && now.Sub(it.At) > tellAfter {
		it.told = r.tell(ctx, it, answer{Text: "hearth does not answer at the moment. This is kept, and done as soon as it does."}) == nil
	}
	return false
}

// tell answers the user, if Slack still takes an answer.
func (r *Relay) tell(ctx context.Context, it *item, a answer) error {
	if it.Reply == "" || r.Now().Sub(it.At) > replyLife || a.Text == "" && len(a.Blocks) == 0 {
		return nil
	}
	err := r.caller.answer(ctx, it.Reply, a)
	switch {
	case errors.Is(err, errGone):
		r.stats.unanswered.Add(1)
		r.Log.Warn("the answer to a click is lost", "id", it.ID, "err", r.Redact(err.Error(), reasonBytes))
	case err != nil:
		r.Log.Warn("the answer to a click waits", "id", it.ID, "err", r.Redact(err.Error(), reasonBytes))
	}
	return err
}

// commit removes the clicks that are done, and from the spool those before the first that is
// not.
func (r *Relay) commit(q *queue) {
	q.items = slices.DeleteFunc(q.items, func(it *item) bool { return it.done })
	upTo := q.last
	if len(q.items) > 0 {
		upTo = q.items[0].seq - 1
	}
	if upTo <= q.committed {
		return
	}
	q.committed = upTo
	r.reader.Commit(upTo)
	if err := r.spool.Sync(); err != nil { // else a kill within the next second would have them done again
		r.Log.Warn("sync the spool", "err", fmt.Errorf("a click may be carried out again: %w", err))
	}
}

func backoff(tries int) time.Duration {
	return min(firstWait<<min(tries, 10), longestWait)
}
