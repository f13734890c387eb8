package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	waitingCount = 2000 // messages between the broker and the spool, at most
	waitingBytes = 4 << 20
	maxWrite     = 4 << 20         // payload bytes of one write to the spool
	fullWait     = time.Second / 4 // between two attempts to write
	keepTries    = 4               // to keep the beginning of a message that is too large
	maxStep      = time.Hour       // arrival times may run ahead of the clock so far; further ahead, the clock was wrong before
)

// incoming is a message that is not acknowledged yet.
type incoming struct {
	message.Message
	dup  bool   // the DUP flag
	ack  func() // nil: the broker expects no acknowledgement
	size int    // of the original payload if that was too large and cut, else 0
}

// writer writes messages to the spool and then acknowledges them. enqueue is called by
// the MQTT client's goroutine, everything else by the one in run.
type writer struct {
	spool    *spool.Log
	recent   *Recent
	tooLarge func(m *message.Message, size int, reason string) error
	refused  func(error)
	now      func() time.Time
	log      *slog.Logger
	acks     *ackQueue // nil: the spool syncs each write, so that it is acknowledged at once
	counts   struct{ taken, redelivered, refused, tooLarge, lost atomic.Uint64 }

	mu      sync.Mutex
	space   *sync.Cond // waiting got shorter, or closed
	waiting []incoming // to be written
	bytes   int        // of the payloads in waiting
	closed  bool
	wake    chan struct{} // waiting is no longer empty
}

func newWriter(o Options) *writer {
	w := &writer{spool: o.Spool, recent: o.Recent, tooLarge: o.TooLarge, refused: o.Refused, now: o.Now, log: o.Log, wake: make(chan struct{}, 1)}
	w.space = sync.NewCond(&w.mu)
	if o.AckLater {
		w.acks = newAckQueue(o.Spool, o.Log, &w.counts.taken)
	}
	return w
}

// enqueue queues a message to be written. It blocks while the queue is full: then the
// disk is the limit, and the broker sends no more.
func (w *writer) enqueue(m incoming) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && (len(w.waiting) >= waitingCount || w.bytes > waitingBytes) {
		w.space.Wait()
	}
	if w.closed {
		return // not acknowledged: the broker sends it again after the next start
	}
	w.waiting = append(w.waiting, m)
	w.bytes += len(m.Payload)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes messages until ctx ends, and then those in the queue.
func (w *writer) run(ctx context.Context) {
	if w.acks != nil {
		done := make(chan struct{})
		go func() { defer close(done); w.acks.run(ctx) }()
		defer func() { <-done; w.acks.finish() }()
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
			w.writeAll(ctx, w.takeAll(nil))
			return
		}
		batch := w.takeAll(spare)
		w.writeAll(ctx, batch)
		clear(batch)
		spare = batch[:0]
	}
}

// takeAll empties the queue and returns its messages. spare is the memory of the new
// queue.
func (w *writer) takeAll(spare []incoming) []incoming {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := w.waiting
	w.waiting, w.bytes = spare, 0
	w.space.Broadcast()
	return batch
}

// writeAll writes a batch in parts of at most maxWrite bytes, which fit even into a
// spool that is nearly full.
func (w *writer) writeAll(ctx context.Context, batch []incoming) {
	limit := int(w.recent.limit(maxWrite))
	for len(batch) > 0 {
		n, size := 1, len(batch[0].Payload)
		for ; n < len(batch) && size+len(batch[n].Payload) <= limit; n++ {
			size += len(batch[n].Payload)
		}
		w.write(ctx, batch[:n])
		batch = batch[n:]
	}
}

// write stores the new messages of a batch. It then acknowledges the whole batch, at
// once or by way of acks. Messages that cannot be stored before ctx ends are not
// acknowledged: the broker sends them again.
func (w *writer) write(ctx context.Context, batch []incoming) {
	fresh, redelivered, ok := w.newMessages(ctx, batch)
	if !ok {
		return
	}
	first, ok := w.store(ctx, fresh)
	if !ok {
		return
	}
	if w.acks != nil {
		if redelivered {
			first = 0 // the record of a redelivery may be anywhere in the spool
		}
		w.acks.add(first, w.spool.Next(), batch)
		return
	}
	for i := range batch {
		if batch[i].ack != nil {
			batch[i].ack()
		}
	}
	w.counts.taken.Add(uint64(len(batch)))
}

// newMessages returns the messages of a batch that are to be stored, with their
// arrival times. It leaves out redeliveries, and messages that are too large, which
// are dead letters when it returns. redelivered reports whether the batch has a
// redelivery. ok is false if ctx ended.
func (w *writer) newMessages(ctx context.Context, batch []incoming) (fresh []*incoming, redelivered, ok bool) {
	fresh = make([]*incoming, 0, len(batch))
	var inBatch map[uint64]struct{} // the fingerprints of fresh; nil until a message has DUP set
	for i := range batch {
		m := &batch[i]
		if m.dup && m.QoS > 0 {
			if inBatch == nil {
				inBatch = fingerprints(fresh)
			}
			if w.isRedelivery(m, inBatch) {
				w.counts.redelivered.Add(1)
				redelivered = true
				continue // its first delivery keeps its id and arrival time
			}
		}
		m.Arrival = w.nextArrival()
		if m.size > 0 {
			if !w.keepBeginning(ctx, m) {
				return nil, false, false
			}
			continue
		}
		fresh = append(fresh, m)
		if inBatch != nil {
			inBatch[fingerprint(&m.Message)] = struct{}{}
		}
	}
	return fresh, redelivered, true
}

// isRedelivery reports whether a message with DUP set repeats one that is in the spool
// or in the batch that is about to be written. DUP alone proves nothing: the first
// delivery may never have arrived.
func (w *writer) isRedelivery(m *incoming, inBatch map[uint64]struct{}) bool {
	print := fingerprint(&m.Message)
	_, ok := inBatch[print]
	return ok || w.recent.has(print)
}

// store writes messages to the spool, adds them to recent, and returns where the
// first one is. ok is false if ctx ended before they were written.
func (w *writer) store(ctx context.Context, ms []*incoming) (first spool.Seq, ok bool) {
	if len(ms) == 0 {
		return w.spool.Next(), true
	}
	records := make([][]byte, len(ms))
	for i, m := range ms {
		records[i] = m.Encode()
	}
	if first, ok = w.append(ctx, records); !ok {
		return 0, false
	}
	for i, m := range ms {
		w.recent.add(&m.Message, first+spool.Seq(i))
	}
	w.recent.shrink()
	return first, true
}

// append appends records to the spool and returns where the first one is. While the
// spool is full or cannot be written, it tries again until ctx ends. Giving up would
// not help: the broker sends an unacknowledged message again only after a reconnect,
// and until then the message keeps its place in the broker's window.
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
			w.noteRefusal(len(records), err)
			w.recent.shrink()
		}
		w.refused(err)
		if !pause.For(ctx, fullWait) {
			return 0, false
		}
	}
}

// noteRefusal counts and logs n messages that the spool did not take.
func (w *writer) noteRefusal(n int, err error) {
	w.counts.refused.Add(uint64(n))
	text := "the spool cannot be written: new messages stay with the broker"
	if errors.Is(err, spool.ErrFull) {
		text = "the spool is full: new messages stay with the broker"
	}
	w.log.Error(text, "messages", n, "err", err)
}

// keepBeginning passes a message that is too large for the spool to tooLarge, which
// makes it a dead letter. Then it can be acknowledged; else the broker would send it
// again after each reconnect. If its beginning cannot be kept either, it is lost and
// counted: it must not hold up the messages behind it. False: ctx has ended.
func (w *writer) keepBeginning(ctx context.Context, m *incoming) bool {
	w.counts.tooLarge.Add(1)
	reason := fmt.Sprintf("larger than the connector takes (%d bytes): only the beginning is kept", w.recent.limit(mqttclient.MaxPayload))
	w.log.Error("a message is "+reason, "topic", m.Topic, "bytes", m.size)
	err := w.tooLarge(&m.Message, m.size, reason)
	for try := 1; err != nil && try < keepTries; try++ {
		if !pause.For(ctx, fullWait) {
			return false
		}
		err = w.tooLarge(&m.Message, m.size, reason)
	}
	if err != nil {
		w.counts.lost.Add(1)
		w.log.Error("the beginning of a message that is too large cannot be kept: it is lost", "topic", m.Topic, "err", err)
	}
	w.recent.remember(&m.Message)
	return true
}

// nextArrival returns the time now, or a little later, so that arrival times increase
// strictly.
func (w *writer) nextArrival() int64 {
	now := w.now().UnixNano()
	if last := w.recent.last; now <= last && last-now < int64(maxStep) {
		now = last + 1
	}
	w.recent.last = now
	return now
}
