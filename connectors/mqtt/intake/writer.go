package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	waitingCount = 2000 // messages between the broker and the spool, at most
	waitingBytes = 8 << 20
	maxPayload   = 8 << 20  // of a message; of a larger one
	cutPayload   = 64 << 10 // is kept, as a dead letter
	maxWrite     = 4 << 20  // to the spool at once
	fullWait     = time.Second / 4
	maxStep      = time.Hour // a clock that is further behind than this was wrong before
)

// incoming is a message whose acknowledgement waits for the disk.
type incoming struct {
	message.Message
	dup  bool
	ack  func() // nil: the broker expects none
	size int    // of a payload that was cut, else 0
}

// writer writes messages to the spool and then acknowledges them.
type writer struct {
	spool    *spool.Log
	recent   *Recent // of the one goroutine that writes
	tooLarge func(m *message.Message, size int, reason string) error
	now      func() time.Time
	log      *slog.Logger
	later    *later // nil: what Append returned for is safe
	counts   struct{ taken, redelivered, refused, tooLarge atomic.Uint64 }

	mu      sync.Mutex
	space   *sync.Cond
	waiting []incoming
	bytes   int
	closed  bool
	wake    chan struct{}
}

func newWriter(o Options) *writer {
	w := &writer{spool: o.Spool, recent: o.Recent, tooLarge: o.TooLarge, now: o.Now, log: o.Log, wake: make(chan struct{}, 1)}
	w.space = sync.NewCond(&w.mu)
	if o.AckLater {
		w.later = newLater(o.Spool, o.Log, &w.counts.taken)
	}
	return w
}

// take queues a message for the spool. It waits while too much is queued: then
// the disk is the limit, and the broker sends no more. What is too large for the
// spool is cut, so that it does not hold up the messages behind it.
func (w *writer) take(m incoming) {
	if int64(len(m.Payload)) > w.most(maxPayload) {
		m.size, m.Payload = len(m.Payload), bytes.Clone(m.Payload[:cutPayload])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && (len(w.waiting) >= waitingCount || w.bytes > waitingBytes) {
		w.space.Wait()
	}
	if w.closed {
		return // not acknowledged: the broker keeps it
	}
	w.waiting = append(w.waiting, m)
	w.bytes += len(m.Payload)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx ends, and then what is queued.
func (w *writer) run(ctx context.Context) {
	if w.later != nil {
		done := make(chan struct{})
		go func() { defer close(done); w.later.run(ctx) }()
		defer func() { <-done; w.later.finish() }()
	}
	var spare []incoming
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			w.mu.Lock()
			w.closed = true
			w.mu.Unlock()
			w.space.Broadcast()
			w.writeAll(ctx, w.grab(nil))
			return
		}
		batch := w.grab(spare)
		w.writeAll(ctx, batch)
		clear(batch)
		spare = batch[:0]
	}
}

func (w *writer) grab(spare []incoming) []incoming {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := w.waiting
	w.waiting, w.bytes = spare, 0
	w.space.Broadcast()
	return batch
}

// most is n, or less where the spool is small: what is written at once must fit.
func (w *writer) most(n int64) int64 { return min(n, w.recent.maxBytes) }

// writeAll writes a batch in parts that find room even in a spool that is nearly full.
func (w *writer) writeAll(ctx context.Context, batch []incoming) {
	most := int(w.most(maxWrite))
	for len(batch) > 0 {
		n, size := 1, len(batch[0].Payload)
		for ; n < len(batch) && size+len(batch[n].Payload) <= most; n++ {
			size += len(batch[n].Payload)
		}
		w.write(ctx, batch[:n])
		batch = batch[n:]
	}
}

// write stores what is new of a batch and acknowledges all of it, or has it
// acknowledged once it is safe. What cannot be stored when ctx ends is not
// acknowledged; the broker sends it again.
func (w *writer) write(ctx context.Context, batch []incoming) {
	records := make([][]byte, 0, len(batch))
	fresh := make([]*incoming, 0, len(batch))
	repeated := false
	var beside map[uint64]struct{} // the fingerprints of fresh, made at the first message marked as a redelivery
	for i := range batch {
		m := &batch[i]
		if m.dup && m.QoS > 0 {
			if beside == nil {
				beside = fingerprints(fresh)
			}
			if w.again(m, beside) {
				w.counts.redelivered.Add(1)
				repeated = true
				continue // it is in the spool or will be, with its first id and arrival time
			}
		}
		m.Arrival = w.stamp()
		if m.size > 0 {
			if !w.keepCut(ctx, m) {
				return
			}
			continue
		}
		records = append(records, m.Encode())
		fresh = append(fresh, m)
		if beside != nil {
			beside[fingerprint(&m.Message)] = struct{}{}
		}
	}
	first, ok := w.store(ctx, records, fresh)
	if !ok {
		return
	}
	if w.later != nil {
		if repeated {
			first = 0 // somewhere in the spool
		}
		w.later.add(first, w.spool.Next(), batch)
		return
	}
	for i := range batch {
		if batch[i].ack != nil {
			batch[i].ack()
		}
	}
	w.counts.taken.Add(uint64(len(batch)))
}

// again reports whether a message marked as a redelivery is one, of a message
// that is in the spool or among those that are about to be written.
func (w *writer) again(m *incoming, beside map[uint64]struct{}) bool {
	print := fingerprint(&m.Message)
	_, ok := beside[print]
	return ok || w.recent.has(print)
}

// store writes records, which are ms encoded, remembers ms, and returns where the
// first one is.
func (w *writer) store(ctx context.Context, records [][]byte, ms []*incoming) (first spool.Seq, ok bool) {
	if len(records) == 0 {
		return w.spool.Next(), true
	}
	if first, ok = w.append(ctx, records); !ok {
		return 0, false
	}
	for i, m := range ms {
		w.recent.add(&m.Message, first+spool.Seq(i))
	}
	w.recent.bound()
	return first, true
}

// append waits for a slow disk, and for a full one: a message that is not
// acknowledged comes again only after a reconnect, and until then the broker
// sends no more than its window has room for.
func (w *writer) append(ctx context.Context, records [][]byte) (first spool.Seq, ok bool) {
	for waited := false; ; waited = true {
		first, err := w.spool.Append(context.Background(), records...)
		if err == nil {
			if waited {
				w.log.Info("the spool takes messages again", "messages", len(records))
			}
			return first, true
		}
		if !waited {
			w.refuse(len(records), err)
			w.recent.bound()
		}
		if !pause(ctx, fullWait) {
			return 0, false
		}
	}
}

func (w *writer) refuse(n int, err error) {
	w.counts.refused.Add(uint64(n))
	what := "the spool cannot be written: messages wait, and then stay with the broker"
	if errors.Is(err, spool.ErrFull) {
		what = "the spool is full: the newest messages wait, and then stay with the broker"
	}
	w.log.Error(what, "messages", n, "err", err)
}

// keepCut makes a dead letter of what is too large for the spool. Left without
// acknowledgement, the broker would send it for ever.
func (w *writer) keepCut(ctx context.Context, m *incoming) bool {
	w.counts.tooLarge.Add(1)
	reason := fmt.Sprintf("larger than the connector takes (%d bytes): only the beginning is kept", w.most(maxPayload))
	w.log.Error("a message is "+reason, "topic", m.Topic, "bytes", m.size)
	for {
		err := w.tooLarge(&m.Message, m.size, reason)
		if err == nil {
			w.recent.remember(&m.Message)
			return true
		}
		w.log.Error("a dead letter cannot be written, trying again", "err", err)
		if !pause(ctx, fullWait) {
			return false
		}
	}
}

// stamp returns an arrival time that no message has yet.
func (w *writer) stamp() int64 {
	now := w.now().UnixNano()
	if last := w.recent.last; now <= last && last-now < int64(maxStep) {
		now = last + 1
	}
	w.recent.last = now
	return now
}
