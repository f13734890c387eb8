package intake

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	ackLook    = 250 * time.Millisecond // between two looks at what waits for its acknowledgement
	ackQuick   = 5 * time.Millisecond   // the least between two, where the broker may be waiting
	ackWait    = time.Second            // so old, it is worth a sync
	answerWait = 50 * time.Millisecond  // a broker that waited for acknowledgements sends more within this
	maxWindow  = 16                     // messages: with so many unacknowledged, any broker may be waiting. Mosquitto's default is 20
	stallGaps  = 4                      // times the usual time between two messages is a stall
)

// later acknowledges messages once they are safe, in the order in which they came:
// stored by every function that wants them, or else, after a second, on the disk.
// So a message that is soon stored costs no sync of the spool.
//
// A broker sends only so many messages before it waits for their acknowledgements.
// How many shows in what it does: it had sent as many as were ever unacknowledged at
// once, and no more than those whose acknowledgement, after a silence, brought more.
type later struct {
	spool *spool.Log
	log   *slog.Logger
	acked *atomic.Uint64
	wake  chan struct{}

	failing bool // of the one goroutine that syncs: a sync failed, and what it was for waits

	mu     sync.Mutex
	queue  []unacked
	unsure spool.Seq     // what begins before this may not be on the disk: a sync failed
	bytes  int           // of the payloads in queue
	count  int           // messages in queue that the broker counts: QoS 1 and 2
	window int           // as many of these the broker sends before it waits, or more
	came   time.Time     // when the last of these came
	gap    time.Duration // between two, lately
	freed  time.Time     // when an acknowledgement ended a silence
	held   int           // messages that were unacknowledged until then, 0: none ended one
}

// unacked is messages that were written to the spool at once.
type unacked struct {
	first, end spool.Seq // they are in the spool from first to before end
	since      time.Time
	acks       []func()
	bytes      int
	counted    int // of them the broker counts
}

func newLater(l *spool.Log, log *slog.Logger, acked *atomic.Uint64) *later {
	return &later{spool: l, log: log, acked: acked, wake: make(chan struct{}, 1)}
}

// add takes over messages that are in the spool from first, 0 where that is not
// known, to before end.
func (a *later) add(first, end spool.Seq, ms []incoming) {
	now := time.Now()
	u := unacked{first: first, end: end, since: now, acks: make([]func(), 0, len(ms))}
	for i := range ms {
		if ms[i].ack != nil {
			u.acks = append(u.acks, ms[i].ack)
		}
		if ms[i].QoS > 0 {
			u.counted++
		}
		u.bytes += len(ms[i].Payload)
	}
	a.mu.Lock()
	a.queue = append(a.queue, u)
	a.bytes += u.bytes
	full := u.counted > 0 && a.learn(u.counted, now)
	look := full || len(a.queue) == 1
	a.mu.Unlock()
	if look {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// learn takes in that n messages came which the broker counts, and reports whether
// with them it may have sent all that it will. With a.mu.
func (a *later) learn(n int, now time.Time) (full bool) {
	gap := min(now.Sub(a.came), ackWait)
	if a.held > 0 && now.Sub(a.freed) < answerWait {
		a.window, gap = a.held, 0 // it had them, and waited
	}
	a.held = 0
	a.gap += (gap/time.Duration(n) - a.gap) / 8
	a.came = now
	a.count += n
	full = a.count >= a.window && a.count-n < a.window
	a.window = min(max(a.window, a.count), maxWindow)
	return full
}

// quiet is a silence after which the broker sends no more by itself. With a.mu.
func (a *later) quiet() time.Duration { return min(max(stallGaps*a.gap, ackQuick), ackLook) }

// run acknowledges until ctx ends.
func (a *later) run(ctx context.Context) {
	t := time.NewTimer(ackLook)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-a.wake:
		case <-ctx.Done():
			return
		}
		a.releaseStored()
		wait, sync := a.due(time.Now())
		if sync {
			a.sync()
		}
		if wait > 0 {
			t.Reset(wait)
		}
	}
}

// due returns when to look again, 0 where nothing waits, and whether to sync now:
// something has waited for long, or takes much memory, or the broker sends nothing
// more, perhaps until it is acknowledged what it sent.
func (a *later) due(now time.Time) (wait time.Duration, sync bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		return 0, false
	}
	wait = ackLook
	stalled := false
	if a.count > 0 && a.count >= a.window {
		wait = a.quiet() - now.Sub(a.came)
		if stalled = wait <= 0; stalled {
			wait = ackLook
		}
	}
	first := a.queue[0]
	return wait, first.first >= a.unsure && (stalled || a.bytes > waitingBytes || now.Sub(first.since) >= ackWait)
}

// finish acknowledges what is safe when no more comes.
func (a *later) finish() {
	a.releaseStored()
	a.sync()
}

// releaseStored acknowledges what every function has stored.
func (a *later) releaseStored() {
	stored := a.spool.LowestCursor(seenReader)
	a.release(stored, false)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unsure <= stored {
		a.unsure = 0
	}
}

// sync makes the spool durable and acknowledges all that it has. Messages of which
// the disk says that it failed, and those behind them, wait for their functions.
func (a *later) sync() {
	safe, end, err := a.spool.SyncRecords()
	if safe <= a.spool.LowestCursor(seenReader) {
		safe = 0 // stored, all of it
	}
	a.mu.Lock()
	a.unsure = safe
	a.mu.Unlock()
	a.release(end, true)
	a.mu.Lock()
	n := a.count
	failing := err != nil || len(a.queue) > 0 && a.queue[0].first < a.unsure
	a.mu.Unlock()
	if failing && !a.failing {
		a.log.Error("the spool cannot be made durable: messages stay with the broker until a function has stored them", "messages", n, "err", err)
	}
	a.failing = failing
}

// release acknowledges what is safe: what is in the spool before end. With sure,
// only as far as no sync failed.
func (a *later) release(end spool.Seq, sure bool) {
	var acks []func()
	a.mu.Lock()
	held, now := a.count, time.Now()
	k := 0
	for ; k < len(a.queue) && a.queue[k].end <= end && (!sure || a.queue[k].first >= a.unsure); k++ {
		acks = append(acks, a.queue[k].acks...)
		a.count -= a.queue[k].counted
		a.bytes -= a.queue[k].bytes
	}
	a.queue = slices.Delete(a.queue, 0, k)
	if a.count < held && now.Sub(a.came) >= a.quiet() {
		a.freed, a.held = now, held
	}
	a.mu.Unlock()
	for _, ack := range acks {
		ack()
	}
	a.acked.Add(uint64(len(acks)))
}
