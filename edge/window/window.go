// Package window keeps what an agent publishes in memory until it is known to be
// stored. It is plain bookkeeping: it does no I/O and starts nothing, and now is
// passed in as time since some moment that never steps.
//
// An entry waits, is sent, is acknowledged by the broker, and leaves when hearth says
// at hearth/<node>/stored that everything up to its number is stored. The broker's
// acknowledgement alone is not enough: a broker that is killed may come back with an
// older snapshot. So an entry that the broker has acknowledged is sent again after
// Resend if the connection broke since, or if it is the first whose number is not
// stored. Where nobody says what is stored, an entry leaves with the broker's
// acknowledgement.
//
// Entries of the backlog are on disk already. When the connection breaks they are
// forgotten, to be read again.
package window

import "time"

// Key numbers a reading: never twice the same.
type Key struct {
	Boot string
	Seq  uint64
}

// Entry is one message.
type Entry[T any] struct {
	Key
	Item T
	Size int // bytes, for the bound

	pos    uint64 // its position on disk, 0 for a live one
	state  state
	born   time.Duration // sent first
	sent   time.Duration
	acked  time.Duration
	asked  time.Duration // sent again to learn what is stored
	shaken bool          // the connection broke after the acknowledgement
}

type state int

const (
	waiting state = iota
	sent
	acked
	left
)

// Limits of a window.
type Limits struct {
	Keep   time.Duration // how long an acknowledged live entry waits to be known as stored
	Bytes  int           // of live entries
	Resend time.Duration // after which an acknowledged entry that is missing is sent again
}

// Stats counts since New.
type Stats struct {
	Sent, Resent uint64 // publications, and those of them that were repeated
	Confirmed    uint64 // left because they are stored
	Unconfirmed  uint64 // left without being known as stored: too old, or too many
	Dropped      uint64 // left without the broker having them: too many
}

// Window is not safe for use by several goroutines.
type Window[T any] struct {
	limits  Limits
	live    list[T] // by Seq: all of one boot
	backlog list[T] // by position on disk
	index   map[Key]*Entry[T]
	bytes   int
	done    uint64 // position up to which all of the backlog has left

	known    bool          // somebody says what is stored
	heard    time.Duration // when it was said last
	upTo     map[string]at // by boot: the number up to which all is stored
	since    time.Duration // of the connection
	stats    Stats
	inFlight int
	row      int // live entries in a row that were published last
}

// list keeps entries in order. What has left goes when it comes to the front.
type list[T any] struct {
	all  []*Entry[T]
	wait []*Entry[T] // those that wait, and some that no longer do
	n    int         // that have not left
}

// at is a number and when it was said last.
type at struct {
	seq uint64
	at  time.Duration
}

const (
	maxBoots = 16 // of which it is remembered what is stored
	maxRow   = 2  // live entries in a row while some of the backlog wait
)

// New returns an empty window.
func New[T any](l Limits) *Window[T] {
	return &Window[T]{limits: l, index: map[Key]*Entry[T]{}, upTo: map[string]at{}}
}

// Add puts a live reading in. Its number must be higher than those before.
func (w *Window[T]) Add(k Key, item T, size int) {
	w.put(&Entry[T]{Key: k, Item: item, Size: size})
}

// AddBacklog puts a reading in that is on disk at position pos, from 1.
func (w *Window[T]) AddBacklog(pos uint64, k Key, item T, size int) {
	w.put(&Entry[T]{Key: k, Item: item, Size: size, pos: pos})
}

func (w *Window[T]) put(e *Entry[T]) {
	l := w.of(e)
	l.all, l.wait = append(l.all, e), append(l.wait, e)
	l.n++
	if e.pos != 0 {
		if w.index[e.Key] == nil { // the same reading may be on disk twice
			w.index[e.Key] = e
		}
		return
	}
	w.index[e.Key] = e
	for w.bytes += e.Size; w.bytes > w.limits.Bytes && w.live.n > 1; {
		w.dropOldest()
	}
}

func (w *Window[T]) of(e *Entry[T]) *list[T] {
	if e.pos != 0 {
		return &w.backlog
	}
	return &w.live
}

// dropOldest lets the oldest live entry go, if possible one that the broker has.
func (w *Window[T]) dropOldest() {
	var oldest *Entry[T]
	for _, e := range w.live.all {
		if e.state == acked {
			if w.known {
				w.stats.Unconfirmed++
			}
			w.remove(e)
			return
		}
		if oldest == nil && e.state != left {
			oldest = e
		}
	}
	w.stats.Dropped++
	w.remove(oldest)
}

// Next returns the next entry to publish and counts it as sent, nil if there is none.
// Live entries go first, but where backlog is allowed every third is of the backlog,
// and all are when no live one waits.
func (w *Window[T]) Next(now time.Duration, backlog bool) *Entry[T] {
	e := w.next(backlog)
	if e == nil {
		return nil
	}
	if w.row++; e.pos != 0 {
		w.row = 0
	}
	w.mark(e, sent)
	if e.born == 0 {
		e.born = now
	}
	e.sent, e.shaken = now, false
	w.stats.Sent++
	return e
}

func (w *Window[T]) next(backlog bool) *Entry[T] {
	if backlog && w.row >= maxRow {
		if e := w.backlog.first(); e != nil {
			return e
		}
	}
	e := w.live.first()
	if e == nil && backlog {
		e = w.backlog.first()
	}
	return e
}

// first takes the first entry that waits.
func (l *list[T]) first() *Entry[T] {
	for len(l.wait) > 0 {
		e := l.wait[0]
		l.wait[0] = nil
		if l.wait = l.wait[1:]; e.state == waiting {
			return e
		}
	}
	return nil
}

// Live returns how many live entries wait to be sent.
func (w *Window[T]) Live() (n int) {
	for _, e := range w.live.wait {
		if e.state == waiting {
			n++
		}
	}
	return n
}

// Acked notes the broker's acknowledgement. One for what has left is ignored.
func (w *Window[T]) Acked(k Key, now time.Duration) {
	e := w.index[k]
	if e == nil || e.state != sent {
		return
	}
	w.mark(e, acked)
	if e.asked == 0 {
		e.acked = now
	}
	if e.pos == 0 && w.stored(e) {
		w.leave(e, true)
	}
	w.settle(now)
}

// Stored notes that everything of a boot is stored up to the number seq.
func (w *Window[T]) Stored(boot string, seq uint64, now time.Duration) {
	w.known, w.heard = true, now
	w.upTo[boot] = at{seq, now}
	for len(w.upTo) > maxBoots {
		oldest := boot
		for b, p := range w.upTo {
			if p.at < w.upTo[oldest].at {
				oldest = b
			}
		}
		delete(w.upTo, oldest)
	}
	w.settle(now)
}

// Known reports whether somebody says what is stored.
func (w *Window[T]) Known() bool { return w.known }

// Connected notes a new connection.
func (w *Window[T]) Connected(now time.Duration) { w.since = now }

// Broken notes the end of a connection: what the broker has not acknowledged
// waits again, and the backlog is to be read again from Done on.
func (w *Window[T]) Broken() {
	for _, e := range w.live.all {
		switch e.state {
		case sent:
			w.again(e)
		case acked:
			e.shaken = true
		}
	}
	for _, e := range w.backlog.all {
		w.remove(e)
	}
	w.backlog = list[T]{}
}

// again makes an entry wait once more.
func (w *Window[T]) again(e *Entry[T]) {
	w.mark(e, waiting)
	l := w.of(e)
	l.wait = append(l.wait, e)
}

// Done is the position on disk up to which the backlog has left.
func (w *Window[T]) Done() uint64 { return w.done }

// Len tells how many live and backlog entries there are, and the live ones' bytes.
func (w *Window[T]) Len() (live, backlog, bytes int) { return w.live.n, w.backlog.n, w.bytes }

// InFlight is how many publications the broker has not acknowledged.
func (w *Window[T]) InFlight() int { return w.inFlight }

// Stats returns the counts.
func (w *Window[T]) Stats() Stats { return w.stats }
