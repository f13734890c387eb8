package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	remembered   = 60_000 // messages that a redelivery is recognised among: beyond, a new one may have the same packet id
	waitingCount = 2000   // messages between the broker and the spool, at most
	waitingBytes = 8 << 20
	maxPayload   = 8 << 20  // of a message; of a larger one
	cutPayload   = 64 << 10 // is kept, as a dead letter
	maxWrite     = 4 << 20  // to the spool at once
	fullWait     = time.Second / 4
	maxStep      = time.Hour // a clock that is further behind than this was wrong before
	seenReader   = "seen"    // holds the remembered messages back in the spool
)

// incoming is a message whose acknowledgement waits for the disk.
type incoming struct {
	Message
	dup  bool
	ack  func()
	size int // of a payload that was cut, else 0
}

// intake takes messages from the broker, writes them to the spool and then
// acknowledges them. Nothing here waits for a function.
type intake struct {
	log   *spool.Log
	seen  *spool.Reader
	now   func() time.Time
	slog  *slog.Logger
	stats *stats
	bury  func(m *Message, size int, reason string) error // what is too large

	mu      sync.Mutex
	space   *sync.Cond
	waiting []incoming
	bytes   int
	closed  bool
	wake    chan struct{}

	// Of the one goroutine that writes.
	last  int64 // the newest arrival
	ring  []uint64
	next  int
	known map[uint64]struct{}
	keep  spool.Seq // records held back to be remembered
	hold  int64     // and their bytes, at most

	replayed map[string]spool.Seq // letters that are among the remembered, of the start alone
}

// newIntake reads the remembered messages back from the spool.
func newIntake(ctx context.Context, l *spool.Log, hold int64, now func() time.Time, log *slog.Logger, st *stats) (*intake, error) {
	in := &intake{log: l, now: now, slog: log, stats: st, wake: make(chan struct{}, 1),
		ring: make([]uint64, remembered), known: make(map[uint64]struct{}, 1024), keep: remembered, hold: hold, replayed: map[string]spool.Seq{}}
	in.space = sync.NewCond(&in.mu)
	var err error
	if in.seen, err = l.Reader(seenReader); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	for end := l.Next(); ; {
		if lag := in.seen.Lag(); lag.Records == 0 {
			return in, nil
		}
		recs, err := in.seen.Next(ctx, 4096, 4<<20)
		if err != nil {
			return nil, fmt.Errorf("read the spool: %w", err)
		}
		for _, r := range recs {
			if m, err := decode(r.Data); err == nil {
				in.remember(&m, r.Seq)
				if m.Replayed {
					in.replayed[fileName(m.Only, m.ID())] = r.Seq
				}
			}
		}
		if recs[len(recs)-1].Seq+1 >= end {
			return in, nil
		}
	}
}

// take queues a message for the spool. It waits while too much is queued: then
// the disk is the limit, and the broker feels it. What no spool takes is cut, and
// must not stand in the way of all others.
func (in *intake) take(m incoming) {
	if int64(len(m.Payload)) > in.most(maxPayload) {
		m.size, m.Payload = len(m.Payload), bytes.Clone(m.Payload[:cutPayload])
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.closed && (len(in.waiting) >= waitingCount || in.bytes > waitingBytes) {
		in.space.Wait()
	}
	if in.closed {
		return // not acknowledged: the broker keeps it
	}
	in.waiting = append(in.waiting, m)
	in.bytes += len(m.Payload)
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx ends, and then what is queued.
func (in *intake) run(ctx context.Context) {
	var spare []incoming
	for {
		select {
		case <-in.wake:
		case <-ctx.Done():
			in.mu.Lock()
			in.closed = true
			in.mu.Unlock()
			in.space.Broadcast()
			in.writeAll(ctx, in.grab(nil))
			return
		}
		batch := in.grab(spare)
		in.writeAll(ctx, batch)
		clear(batch)
		spare = batch[:0]
	}
}

func (in *intake) grab(spare []incoming) []incoming {
	in.mu.Lock()
	defer in.mu.Unlock()
	batch := in.waiting
	in.waiting, in.bytes = spare, 0
	in.space.Broadcast()
	return batch
}

// most is n, or less where the spool is small: what is written at once must fit.
func (in *intake) most(n int64) int64 { return min(n, in.hold) }

// writeAll writes a batch in parts that find room even in a spool that is nearly full.
func (in *intake) writeAll(ctx context.Context, batch []incoming) {
	most := int(in.most(maxWrite))
	for len(batch) > 0 {
		n, size := 1, len(batch[0].Payload)
		for ; n < len(batch) && size+len(batch[n].Payload) <= most; n++ {
			size += len(batch[n].Payload)
		}
		in.write(ctx, batch[:n])
		batch = batch[n:]
	}
}

// write stores what is new of a batch and acknowledges all of it. What cannot
// be stored when ctx ends is not acknowledged; the broker sends it again.
func (in *intake) write(ctx context.Context, batch []incoming) {
	records := make([][]byte, 0, len(batch))
	fresh := make([]*incoming, 0, len(batch))
	var beside map[uint64]struct{} // the fingerprints of fresh, once there is a redelivery
	for i := range batch {
		m := &batch[i]
		if m.dup && m.QoS > 0 {
			print := fingerprint(&m.Message)
			_, again := in.known[print]
			if !again {
				if beside == nil {
					beside = prints(fresh)
				}
				_, again = beside[print]
			}
			if again {
				in.stats.redelivered.Add(1)
				continue // it is in the spool or will be, with its first id and arrival time
			}
		}
		m.Arrival = in.stamp()
		if m.size > 0 {
			if !in.keepCut(ctx, m) {
				return
			}
			continue
		}
		records = append(records, m.append(make([]byte, 0, headerLen+1+len(m.Topic)+len(m.Payload))))
		fresh = append(fresh, m)
		if beside != nil {
			beside[fingerprint(&m.Message)] = struct{}{}
		}
	}
	if len(records) > 0 {
		first, ok := in.append(ctx, records)
		if !ok {
			return
		}
		for i, m := range fresh {
			in.remember(&m.Message, first+spool.Seq(i))
		}
		in.bound()
	}
	for i := range batch {
		if batch[i].ack != nil {
			batch[i].ack()
		}
	}
	in.stats.taken.Add(uint64(len(batch)))
}

// append waits for a slow disk, and for a full one: what is not acknowledged the
// broker sends again only after a reconnect, and meanwhile it sends no more than
// its window has room for.
func (in *intake) append(ctx context.Context, records [][]byte) (first spool.Seq, ok bool) {
	for waited := false; ; waited = true {
		first, err := in.log.Append(context.Background(), records...)
		if err == nil {
			if waited {
				in.slog.Info("the spool takes messages again", "messages", len(records))
			}
			return first, true
		}
		if !waited {
			in.refuse(len(records), err)
			in.bound()
		}
		if !pause(ctx, fullWait) {
			return 0, false
		}
	}
}

func (in *intake) refuse(n int, err error) {
	in.stats.refused.Add(uint64(n))
	what := "the spool cannot be written: messages wait, and then stay with the broker"
	if errors.Is(err, spool.ErrFull) {
		what = "the spool is full: the newest messages wait, and then stay with the broker"
	}
	in.slog.Error(what, "messages", n, "err", err)
}

// keepCut makes a dead letter of what is too large for the spool. Not
// acknowledged, the broker would send it for ever.
func (in *intake) keepCut(ctx context.Context, m *incoming) bool {
	in.stats.tooLarge.Add(1)
	reason := fmt.Sprintf("larger than the connector takes (%d bytes): only the beginning is kept", in.most(maxPayload))
	in.slog.Error("a message is "+reason, "topic", m.Topic, "bytes", m.size)
	for {
		err := in.bury(&m.Message, m.size, reason)
		if err == nil {
			in.know(&m.Message)
			return true
		}
		in.slog.Error("a dead letter cannot be written, trying again", "err", err)
		if !pause(ctx, fullWait) {
			return false
		}
	}
}

// stamp returns an arrival time that no message has yet.
func (in *intake) stamp() int64 {
	now := in.now().UnixNano()
	if now <= in.last && in.last-now < int64(maxStep) {
		now = in.last + 1
	}
	in.last = now
	return now
}

// put stores messages of our own: replayed dead letters and news of them.
func (in *intake) put(ctx context.Context, ms ...Message) (first spool.Seq, err error) {
	records := make([][]byte, len(ms))
	for i := range ms {
		records[i] = ms[i].append(nil)
	}
	return in.log.Append(ctx, records...)
}
