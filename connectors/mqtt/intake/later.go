package intake

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	ackLook   = 250 * time.Millisecond // between two looks at what waits for its acknowledgement
	ackQuick  = 5 * time.Millisecond   // the least between two, where the broker may be waiting
	ackWait   = time.Second            // so old, it is worth a sync
	sentAhead = 16                     // messages that any broker sends before it waits; Mosquitto's default is 20
	stallGaps = 4                      // times the usual time between two messages is a stall
)

// later acknowledges messages once they are safe, in the order in which they came:
// stored by every function that wants them, or else, after a second, on the disk.
// So a message that is soon stored costs no sync of the spool.
type later struct {
	spool *spool.Log
	log   *slog.Logger
	acked *atomic.Uint64
	wake  chan struct{}

	failing bool // the last sync failed; of the one goroutine that syncs

	mu    sync.Mutex
	queue []unacked
	count int           // messages in queue
	bytes int           // of their payloads
	came  time.Time     // when the last came
	gap   time.Duration // between two, lately
}

// unacked is messages that were written to the spool at once.
type unacked struct {
	end    spool.Seq // of them in the spool
	since  time.Time
	acks   []func()
	bytes  int
	unsure bool // a sync failed: they may not be on the disk, whatever later ones say
}

func newLater(l *spool.Log, log *slog.Logger, acked *atomic.Uint64) *later {
	return &later{spool: l, log: log, acked: acked, wake: make(chan struct{}, 1)}
}

// add takes over messages that are in the spool before end.
func (a *later) add(end spool.Seq, ms []incoming) {
	now := time.Now()
	u := unacked{end: end, since: now, acks: make([]func(), 0, len(ms))}
	for i := range ms {
		if ms[i].ack != nil {
			u.acks = append(u.acks, ms[i].ack)
		}
		u.bytes += len(ms[i].Payload)
	}
	a.mu.Lock()
	a.queue = append(a.queue, u)
	if len(ms) > 0 {
		a.gap += (min(now.Sub(a.came), ackWait)/time.Duration(len(ms)) - a.gap) / 8
	}
	a.count, a.bytes, a.came = a.count+len(u.acks), a.bytes+u.bytes, now
	look := len(a.queue) == 1 || a.count >= sentAhead && a.count-len(u.acks) < sentAhead
	a.mu.Unlock()
	if look {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

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
		a.release(a.spool.Passed(seenReader))
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
	if a.count >= sentAhead {
		quiet := min(max(stallGaps*a.gap, ackQuick), ackLook)
		wait = quiet - now.Sub(a.came)
		if stalled = wait <= 0; stalled {
			wait = ackLook
		}
	}
	first := a.queue[0]
	return wait, !first.unsure && (stalled || a.bytes > waitingBytes || now.Sub(first.since) >= ackWait)
}

// sync makes the spool durable and acknowledges all that it has. Messages of which
// the disk says that it failed wait for their functions.
func (a *later) sync() {
	end, err := a.spool.SyncRecords()
	if err == nil {
		a.failing = false
		a.release(end)
		return
	}
	a.mu.Lock()
	for i := range a.queue {
		a.queue[i].unsure = a.queue[i].unsure || a.queue[i].end <= end
	}
	n := a.count
	a.mu.Unlock()
	if !a.failing {
		a.log.Error("the spool cannot be made durable: messages stay with the broker until a function has stored them", "messages", n, "err", err)
	}
	a.failing = true
}

// release acknowledges what is safe: what is in the spool before end.
func (a *later) release(end spool.Seq) {
	var acks []func()
	a.mu.Lock()
	k := 0
	for ; k < len(a.queue) && a.queue[k].end <= end; k++ {
		acks = append(acks, a.queue[k].acks...)
		a.count -= len(a.queue[k].acks)
		a.bytes -= a.queue[k].bytes
	}
	n := copy(a.queue, a.queue[k:])
	clear(a.queue[n:])
	a.queue = a.queue[:n]
	a.mu.Unlock()
	for _, ack := range acks {
		ack()
	}
	a.acked.Add(uint64(len(acks)))
}
