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
	checkEvery   = 250 * time.Millisecond // between two checks of the queue
	checkSoonest = 5 * time.Millisecond   // the same, at least, while the broker may be waiting
	maxAckDelay  = time.Second            // for a message that has waited so long, the spool is synced
	resumeWait   = 50 * time.Millisecond  // a broker that was waiting sends the next message so soon after an acknowledgement
	maxWindow    = 16                     // messages in flight at which any broker may be waiting. Mosquitto's default is 20
	stallGaps    = 4                      // a pause of so many times the usual gap between two messages is a stall
)

// ackQueue acknowledges messages once they are safe, in the order in which they came.
// A message is safe when all its functions have stored it, or when it is on the disk.
// The spool is synced only when a message has waited for a second, when the broker may
// wait for acknowledgements, or when many bytes wait. So a message that is stored soon
// costs no sync.
//
// A broker has a window: it sends only so many messages before it waits for their
// acknowledgements. A backlog that comes at one window a second would be slow. So
// ackQueue learns the window. It is the largest number of messages that were ever in
// flight, but at most maxWindow. If the broker sends more at once when messages are
// acknowledged after a stall, it was waiting: then the window is the number that were
// in flight during the stall.
type ackQueue struct {
	spool *spool.Log
	log   *slog.Logger
	acked *atomic.Uint64 // messages
	wake  chan struct{}  // run should check the queue

	failing bool // the failure of a sync is logged; only for the goroutine that syncs

	mu          sync.Mutex
	queue       []unacked
	safeFrom    spool.Seq     // a sync failed: records before this one may not be on the disk
	bytes       int           // of the payloads in queue
	inFlight    int           // messages in queue of QoS 1 and 2: the broker counts only these
	window      int           // messages in flight at which the broker may be waiting, as learned
	lastArrival time.Time     // of a message of QoS 1 or 2
	meanGap     time.Duration // between two such messages: a moving average
	ackedAt     time.Time     // when messages were last acknowledged after a stall
	stalledAt   int           // messages in flight during that stall; 0: nothing to learn from
}

// unacked is the messages of one write to the spool.
type unacked struct {
	first, end spool.Seq // their records are in the spool from first to before end
	since      time.Time // when they were written
	acks       []func()
	bytes      int // of the payloads
	inFlight   int // messages of QoS 1 and 2
}

func newAckQueue(l *spool.Log, log *slog.Logger, acked *atomic.Uint64) *ackQueue {
	return &ackQueue{spool: l, log: log, acked: acked, wake: make(chan struct{}, 1)}
}

// add queues messages whose records are in the spool from first to before end. first
// is 0 if one of them is a redelivery, whose record may be anywhere before end.
func (a *ackQueue) add(first, end spool.Seq, ms []incoming) {
	now := time.Now()
	u := unacked{first: first, end: end, since: now, acks: make([]func(), 0, len(ms))}
	for i := range ms {
		if ms[i].ack != nil {
			u.acks = append(u.acks, ms[i].ack)
		}
		if ms[i].QoS > 0 {
			u.inFlight++
		}
		u.bytes += len(ms[i].Payload)
	}
	a.mu.Lock()
	a.queue = append(a.queue, u)
	a.bytes += u.bytes
	full := u.inFlight > 0 && a.learn(u.inFlight, now)
	check := full || len(a.queue) == 1
	a.mu.Unlock()
	if check {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// learn updates the window and the mean gap after n messages of QoS 1 or 2 have come.
// It reports whether the window became full with them. The caller holds a.mu.
func (a *ackQueue) learn(n int, now time.Time) (full bool) {
	gap := min(now.Sub(a.lastArrival), maxAckDelay)
	if a.stalledAt > 0 && now.Sub(a.ackedAt) < resumeWait {
		a.window, gap = a.stalledAt, 0 // the broker was waiting
	}
	a.stalledAt = 0
	a.meanGap += (gap/time.Duration(n) - a.meanGap) / 8
	a.lastArrival = now
	a.inFlight += n
	full = a.inFlight >= a.window && a.inFlight-n < a.window
	a.window = min(max(a.window, a.inFlight), maxWindow)
	return full
}

// stallTime is the time without a message after which the broker has probably
// stalled: it waits, or there are no messages. The caller holds a.mu.
func (a *ackQueue) stallTime() time.Duration {
	return min(max(stallGaps*a.meanGap, checkSoonest), checkEvery)
}

// run acknowledges messages until ctx ends.
func (a *ackQueue) run(ctx context.Context) {
	t := time.NewTimer(checkEvery)
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

// due returns how long to wait before the next check, 0 if the queue is empty, and
// whether to sync the spool now. A sync is due when the oldest messages have waited
// for maxAckDelay, when the payloads take much memory, or when the window is full and
// the broker has stalled. After a failed sync, none is due for records that it may
// have lost.
func (a *ackQueue) due(now time.Time) (wait time.Duration, sync bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		return 0, false
	}
	wait = checkEvery
	stalled := false
	if a.inFlight > 0 && a.inFlight >= a.window {
		left := a.stallTime() - now.Sub(a.lastArrival)
		if stalled = left <= 0; !stalled {
			wait = left
		}
	}
	oldest := a.queue[0]
	old := now.Sub(oldest.since) >= maxAckDelay
	large := a.bytes > waitingBytes
	mayBeLost := oldest.first < a.safeFrom
	return wait, !mayBeLost && (stalled || large || old)
}

// finish syncs the spool and acknowledges all messages that are safe. It is called
// after run has returned and no more messages are added.
func (a *ackQueue) finish() {
	a.releaseStored()
	a.sync()
}

// releaseStored acknowledges the messages that all functions have stored.
func (a *ackQueue) releaseStored() {
	stored := a.spool.LowestCursor(seenReader)
	a.release(stored, false)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.safeFrom <= stored {
		a.safeFrom = 0
	}
}

// sync syncs the spool and acknowledges the messages that are on the disk. If a sync
// has failed, the messages that it may have lost, and all behind them in the queue,
// wait until their functions have stored them.
func (a *ackQueue) sync() {
	safe, end, err := a.spool.SyncRecords()
	if safe <= a.spool.LowestCursor(seenReader) {
		safe = 0 // all that may be lost is stored by the functions
	}
	a.mu.Lock()
	a.safeFrom = safe
	a.mu.Unlock()
	a.release(end, true)
	a.mu.Lock()
	n := a.inFlight
	failing := err != nil || len(a.queue) > 0 && a.queue[0].first < a.safeFrom
	a.mu.Unlock()
	if failing && !a.failing {
		a.log.Error("a sync of the spool failed: the broker keeps the messages until the functions have stored them", "messages", n, "err", err)
	}
	a.failing = failing
}

// release acknowledges the messages at the head of the queue whose records are before
// end. With synced, it stops at the first one that a failed sync may have lost.
func (a *ackQueue) release(end spool.Seq, synced bool) {
	var acks []func()
	a.mu.Lock()
	before, now := a.inFlight, time.Now()
	k := 0
	for ; k < len(a.queue) && a.queue[k].end <= end && (!synced || a.queue[k].first >= a.safeFrom); k++ {
		acks = append(acks, a.queue[k].acks...)
		a.inFlight -= a.queue[k].inFlight
		a.bytes -= a.queue[k].bytes
	}
	a.queue = slices.Delete(a.queue, 0, k)
	if a.inFlight < before && now.Sub(a.lastArrival) >= a.stallTime() {
		a.ackedAt, a.stalledAt = now, before
	}
	a.mu.Unlock()
	for _, ack := range acks {
		ack()
	}
	a.acked.Add(uint64(len(acks)))
}
