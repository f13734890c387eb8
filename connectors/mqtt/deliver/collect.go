package deliver

import (
	"context"
	"slices"
	"time"
)

const (
	gather     = 5 * time.Millisecond // how long a batch waits for more messages, at most
	batchBytes = 1 << 20              // of one batch; a larger message is sent alone
)

// collect returns the next batch, or nil when ctx ends. It takes the message that did
// not fit into the last batch; else the delayed messages that are due; else it waits
// for a queued message. After a batch of delayed messages, a queued message has
// preference, so that retries take every second call at most.
func (w *worker) collect(ctx context.Context) []*item {
	for ctx.Err() == nil {
		first, queue := w.carried, w.live
		w.carried = nil
		if first == nil && w.retried {
			first, queue = w.ready()
		}
		w.retried = false
		if first == nil {
			if due := w.due(); len(due) > 0 {
				w.retried = true
				return due
			}
			first, queue = w.waitFirst(ctx)
		}
		if first != nil {
			return w.fill(ctx, first, queue)
		}
	}
	return nil
}

// fill makes a batch of first and the messages of queue. It waits for more until
// gather after the last call began. So a message that comes alone, long after the last
// call, is sent at once.
func (w *worker) fill(ctx context.Context, first *item, queue chan *item) []*item {
	batch, bytes := []*item{first}, size(&first.Message)
	since := w.sent
	if w.byLoad { // the other messages of the same read reach the queue within gather
		since = time.Now()
	}
	for most := max(w.f.Batch, 1); len(batch) < most && bytes < batchBytes; {
		it := next(ctx, queue, gather-time.Since(since))
		if it == nil {
			break
		}
		if bytes += size(&it.Message); bytes > batchBytes {
			w.carried = it
			break
		}
		batch = append(batch, it)
	}
	return batch
}

// ready returns a queued message and its queue, or nil if both queues are empty. If
// both have messages, it takes them in turn.
func (w *worker) ready() (*item, chan *item) {
	w.backlogNext = !w.backlogNext
	prefer, other := w.live, w.backlog
	if w.backlogNext {
		prefer, other = w.backlog, w.live
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

// waitFirst waits for a queued message and returns it with its queue. It returns nil
// when ctx ends or a delayed message is due.
func (w *worker) waitFirst(ctx context.Context) (*item, chan *item) {
	if it, queue := w.ready(); it != nil {
		return it, queue
	}
	var due <-chan time.Time
	if len(w.delayed) > 0 {
		t := time.NewTimer(time.Until(w.delayed[0].due))
		defer t.Stop()
		due = t.C
	}
	select {
	case it := <-w.live:
		return it, w.live
	case it := <-w.backlog:
		return it, w.backlog
	case <-due:
		return nil, nil
	case <-ctx.Done():
		return nil, nil
	}
}

// next returns the next message of the queue, or nil if none comes within d.
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

// due removes from delayed a batch that is to be sent again now: several messages that
// a 207 asked to retry, or a single one that failed.
func (w *worker) due() (batch []*item) {
	now := time.Now()
	most := max(w.f.Batch, 1)
	rest := w.delayed[:0]
	for _, it := range w.delayed {
		if it.due.After(now) || len(batch) >= most || len(batch) > 0 && (it.fails > 0 || batch[0].fails > 0) {
			rest = append(rest, it)
			continue
		}
		batch = append(batch, it)
	}
	clear(w.delayed[len(rest):])
	w.delayed = rest
	return batch
}

// delay puts a message aside, to be sent again after d.
func (w *worker) delay(it *item, d time.Duration) {
	it.due = time.Now().Add(d)
	i, _ := slices.BinarySearchFunc(w.delayed, it, func(a, b *item) int { return a.due.Compare(b.due) })
	w.delayed = slices.Insert(w.delayed, i, it)
}
