package deliver

import (
	"context"
	"slices"
	"time"
)

const (
	gather     = 5 * time.Millisecond // a batch waits for more at most this long
	batchBytes = 1 << 20
)

// collect waits for a message and adds those that come until gather after the
// begin of the last call. A message that comes alone, long after that, is not held
// up.
func (w *worker) collect(ctx context.Context) []*item {
	first := w.over
	w.over = nil
	queue := w.live
	if first == nil && w.again {
		first, queue = w.ready() // those asked for again take every second call at most
	}
	w.again = false
	if first == nil {
		if due := w.due(); len(due) > 0 {
			w.again = true
			return due
		}
		if first, queue = w.first(ctx); first == nil {
			if ctx.Err() == nil {
				return w.collect(ctx) // a message asked for again is due
			}
			return nil
		}
	}
	batch, bytes := []*item{first}, size(&first.Message)
	most := max(w.f.Batch, 1)
	since := w.sent
	if w.byLoad { // what was read at once is on its way here
		since = time.Now()
	}
	for left := gather - time.Since(since); len(batch) < most && bytes < batchBytes; {
		it := next(ctx, queue, left)
		if it == nil {
			break
		}
		if bytes += size(&it.Message); bytes > batchBytes {
			w.over = it
			break
		}
		batch = append(batch, it)
		left = gather - time.Since(since)
	}
	return batch
}

// ready returns a message that waits, of the two lanes in turn where both have
// one; nil if none waits.
func (w *worker) ready() (*item, chan *item) {
	w.lateFirst = !w.lateFirst
	prefer, other := w.live, w.late
	if w.lateFirst {
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

// first waits for the next message; nil when ctx ends or a message asked for again
// is due.
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

// next takes one more, if one comes within d.
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
