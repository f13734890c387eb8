package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	remembered   = 100_000 // messages that a redelivery is recognised among
	waitingCount = 10_000  // messages between the broker and the spool, at most
	waitingBytes = 16 << 20
	maxStep      = time.Hour // a clock that is further behind than this was wrong before
	seenReader   = "seen"    // holds the remembered messages back in the spool
)

// incoming is a message whose acknowledgement waits for the disk.
type incoming struct {
	Message
	dup bool
	ack func()
}

// intake takes messages from the broker, writes them to the spool and then
// acknowledges them. Nothing here waits for a function.
type intake struct {
	log   *spool.Log
	seen  *spool.Reader
	now   func() time.Time
	slog  *slog.Logger
	stats *stats

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
}

// newIntake reads the remembered messages back from the spool.
func newIntake(ctx context.Context, l *spool.Log, hold int64, now func() time.Time, log *slog.Logger, st *stats) (*intake, error) {
	in := &intake{log: l, now: now, slog: log, stats: st, wake: make(chan struct{}, 1),
		ring: make([]uint64, remembered), known: make(map[uint64]struct{}, 1024), keep: remembered, hold: hold}
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
			}
		}
		if recs[len(recs)-1].Seq+1 >= end {
			return in, nil
		}
	}
}

// fingerprint tells messages apart the way a redelivery can be recognised: the
// same packet id, topic and payload.
func fingerprint(m *Message) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{byte(m.Packet), byte(m.Packet >> 8)})
	_, _ = d.WriteString(m.Topic)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(m.Payload)
	return d.Sum64()
}

func (in *intake) remember(m *Message, seq spool.Seq) {
	in.last = max(in.last, m.Arrival)
	if m.QoS == 0 || m.Only != "" {
		return
	}
	delete(in.known, in.ring[in.next])
	in.ring[in.next] = fingerprint(m)
	in.known[in.ring[in.next]] = struct{}{}
	in.next = (in.next + 1) % remembered
	if seq > in.keep {
		in.seen.Commit(seq - in.keep)
	}
}

// bound holds back fewer records where they are large: what is remembered must
// not fill the spool.
func (in *intake) bound() {
	if in.seen.Lag().Bytes > in.hold && in.keep > 1 {
		in.keep /= 2
		in.slog.Info("messages are large: a restart remembers fewer of them", "messages", uint64(in.keep))
		if next := in.log.Next(); next > in.keep {
			in.seen.Commit(next - in.keep)
		}
	}
}

// take queues a message for the spool. It waits while too much is queued: then
// the disk is the limit, and the broker feels it.
func (in *intake) take(m incoming) {
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
			in.write(in.grab(nil))
			return
		}
		batch := in.grab(spare)
		in.write(batch)
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

// write stores what is new of a batch and acknowledges all of it. What cannot
// be stored is not acknowledged; the broker sends it again.
func (in *intake) write(batch []incoming) {
	records := make([][]byte, 0, len(batch))
	fresh := make([]*incoming, 0, len(batch))
	for i := range batch {
		m := &batch[i]
		if m.dup && m.QoS > 0 {
			if _, again := in.known[fingerprint(&m.Message)]; again {
				in.stats.redelivered.Add(1)
				continue // it is in the spool, with its first id and arrival time
			}
		}
		m.Arrival = in.stamp()
		records = append(records, m.append(make([]byte, 0, headerLen+1+len(m.Topic)+len(m.Payload))))
		fresh = append(fresh, m)
	}
	if len(records) > 0 {
		first, err := in.append(records)
		if err != nil {
			in.refuse(len(batch), err)
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

// append has no deadline: a slow disk is waited for, with the broker.
func (in *intake) append(records [][]byte) (spool.Seq, error) {
	return in.log.Append(context.Background(), records...)
}

func (in *intake) refuse(n int, err error) {
	in.stats.refused.Add(uint64(n))
	what := "the spool cannot be written: messages are left to the broker"
	if errors.Is(err, spool.ErrFull) {
		what = "the spool is full: the newest messages are left to the broker"
	}
	in.slog.Error(what, "messages", n, "err", err)
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
func (in *intake) put(ctx context.Context, ms ...Message) error {
	records := make([][]byte, len(ms))
	for i := range ms {
		records[i] = ms[i].append(nil)
	}
	_, err := in.log.Append(ctx, records...)
	return err
}
