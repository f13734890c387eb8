// Package window holds the readings that an agent publishes, in memory, until they
// are stored: its send window. It does no I/O and starts no goroutine. The caller
// passes in now, a monotonic time.
//
// An entry is waiting, then sent, then acknowledged by the broker. It is removed when
// a stored message (at hearth/<node>/stored) acknowledges all readings up to its
// number. The broker's acknowledgement is not enough: a killed broker may restart
// from an older snapshot. So acknowledged entries are sent again after Limits.Resend
// in two cases: the connection broke since, or the first reading of their boot that is
// not stored is missing (see the method missing). The method probe sends one more. Without a connector there are no
// stored messages. An entry is then removed at the broker's acknowledgement.
//
// Backlog entries are also on disk. The window drops them when the connection breaks,
// and the caller reads them again.
package window

import "time"

// Key identifies a reading: the number Seq, from 1, of the agent run Boot.
type Key struct {
	Boot string
	Seq  uint64
}

// Entry is one reading to publish.
type Entry[T any] struct {
	Key
	Item T
	size int // bytes, counted against Limits.Bytes

	pos          uint64 // its position on disk, 0 for a live one
	state        state
	firstSent    time.Duration
	sent         time.Duration // last
	acked        time.Duration // by the broker, 0 before
	probed       time.Duration // last sent again by probe, 0 for never
	disconnected bool          // the connection broke after the acknowledgement
}

type state int

const (
	waiting state = iota
	sent
	acked
	removed
)

// Limits bound a window.
type Limits struct {
	Keep   time.Duration // how long after it was first sent an acknowledged entry stays, at most
	Bytes  int           // the most bytes of live entries
	Resend time.Duration // how long after the acknowledgement a missing entry is sent again
}

// Stats are counts since New.
type Stats struct {
	Sent, Resent uint64 // publications, and the repeated ones among them
	Confirmed    uint64 // entries removed because they are stored
	Unconfirmed  uint64 // with stored messages: entries removed after the broker's acknowledgement that were not known to be stored, because they were too old or there was no room
	Dropped      uint64 // entries removed without the broker's acknowledgement: no room
}

// Window is a send window. It is not safe for concurrent use.
type Window[T any] struct {
	limits      Limits
	live        list[T] // in order of Seq, all of one boot
	backlog     list[T] // in order of their positions on disk
	index       map[Key]*Entry[T]
	bytes       int
	backlogDone uint64 // position up to which every backlog entry was removed

	hasStored   bool                  // Stored was called
	storedAt    time.Duration         // time of the last call of Stored
	storedUpTo  map[string]storedMark // by boot
	connectedAt time.Duration         // start of the current connection
	stats       Stats
	inFlight    int
	liveRun     int // live entries that Next returned since the last backlog entry
}

// list holds entries in order. A removed entry stays until it is the first: see trim.
type list[T any] struct {
	all     []*Entry[T]
	waiting []*Entry[T] // those in state waiting; also others, which nextWaiting skips
	count   int         // entries that are not removed
}

// storedMark is the number up to which every reading of a boot is stored, and the
// time when that was reported.
type storedMark struct {
	seq uint64
	at  time.Duration
}

const (
	maxBoots   = 16 // boots in storedUpTo
	maxLiveRun = 2  // live entries in a row while backlog entries wait
)

// New returns an empty window.
func New[T any](l Limits) *Window[T] {
	return &Window[T]{limits: l, index: map[Key]*Entry[T]{}, storedUpTo: map[string]storedMark{}}
}

// Add inserts a live reading of size bytes. Its number must be higher than that of
// every live reading before. Without room the oldest live entries are removed.
func (w *Window[T]) Add(k Key, item T, size int) {
	w.insert(&Entry[T]{Key: k, Item: item, size: size})
}

// AddBacklog inserts a reading that is on disk at position pos, from 1. Positions
// must increase.
func (w *Window[T]) AddBacklog(pos uint64, k Key, item T, size int) {
	w.insert(&Entry[T]{Key: k, Item: item, size: size, pos: pos})
}

func (w *Window[T]) insert(e *Entry[T]) {
	l := w.listOf(e)
	l.all, l.waiting = append(l.all, e), append(l.waiting, e)
	l.count++
	if e.pos != 0 {
		if w.index[e.Key] == nil { // a reading may be on disk twice: the first one counts
			w.index[e.Key] = e
		}
		return
	}
	w.index[e.Key] = e
	for w.bytes += e.size; w.bytes > w.limits.Bytes && w.live.count > 1; {
		w.dropOldest()
	}
}

func (w *Window[T]) listOf(e *Entry[T]) *list[T] {
	if e.pos != 0 {
		return &w.backlog
	}
	return &w.live
}

// dropOldest removes the oldest live entry that the broker has acknowledged, or the
// oldest live entry where it has acknowledged none.
func (w *Window[T]) dropOldest() {
	var oldest *Entry[T]
	for _, e := range w.live.all {
		if e.state == acked {
			if w.hasStored {
				w.stats.Unconfirmed++
			}
			w.remove(e)
			return
		}
		if oldest == nil && e.state != removed {
			oldest = e
		}
	}
	w.stats.Dropped++
	w.remove(oldest)
}

// Next returns the next entry to publish and marks it as sent. It returns nil if no
// entry waits. Live entries go first. If backlog is true, at least every third entry
// is a backlog entry while one waits.
func (w *Window[T]) Next(now time.Duration, backlog bool) *Entry[T] {
	e := w.next(backlog)
	if e == nil {
		return nil
	}
	if w.liveRun++; e.pos != 0 {
		w.liveRun = 0
	}
	w.setState(e, sent)
	if e.firstSent == 0 {
		e.firstSent = now
	}
	e.sent, e.disconnected = now, false
	w.stats.Sent++
	return e
}

func (w *Window[T]) next(backlog bool) *Entry[T] {
	if backlog && w.liveRun >= maxLiveRun {
		if e := w.backlog.nextWaiting(); e != nil {
			return e
		}
	}
	e := w.live.nextWaiting()
	if e == nil && backlog {
		e = w.backlog.nextWaiting()
	}
	return e
}

// nextWaiting takes the first waiting entry off the list of waiting entries.
func (l *list[T]) nextWaiting() *Entry[T] {
	for len(l.waiting) > 0 {
		e := l.waiting[0]
		l.waiting[0] = nil
		if l.waiting = l.waiting[1:]; e.state == waiting {
			return e
		}
	}
	return nil
}

// LiveWaiting returns how many live entries wait to be sent.
func (w *Window[T]) LiveWaiting() (n int) {
	for _, e := range w.live.waiting {
		if e.state == waiting {
			n++
		}
	}
	return n
}

// Acked records the broker's acknowledgement of an entry. It ignores an entry that
// was not sent or is removed.
func (w *Window[T]) Acked(k Key, now time.Duration) {
	e := w.index[k]
	if e == nil || e.state != sent {
		return
	}
	w.setState(e, acked)
	if e.probed == 0 {
		e.acked = now
	}
	if e.pos == 0 && w.isStored(e) {
		w.removeCounted(e, true)
	}
	w.removeFinished(now)
}

// Stored records that every reading of boot up to the number seq is stored. It
// remembers the last 16 boots.
func (w *Window[T]) Stored(boot string, seq uint64, now time.Duration) {
	w.hasStored, w.storedAt = true, now
	w.storedUpTo[boot] = storedMark{seq, now}
	for len(w.storedUpTo) > maxBoots {
		oldest := boot
		for b, p := range w.storedUpTo {
			if p.at < w.storedUpTo[oldest].at {
				oldest = b
			}
		}
		delete(w.storedUpTo, oldest)
	}
	w.removeFinished(now)
}

// HasStored reports whether Stored was ever called, so that a connector exists.
func (w *Window[T]) HasStored() bool { return w.hasStored }

// Connected records a new connection.
func (w *Window[T]) Connected(now time.Duration) { w.connectedAt = now }

// Disconnected records the end of a connection. Live entries without the broker's
// acknowledgement wait again. Backlog entries are removed; the caller reads them again
// from the position after BacklogDone.
func (w *Window[T]) Disconnected() {
	for _, e := range w.live.all {
		switch e.state {
		case sent:
			w.requeue(e)
		case acked:
			e.disconnected = true
		}
	}
	for _, e := range w.backlog.all {
		w.remove(e)
	}
	w.backlog = list[T]{}
}

// requeue makes a sent entry wait again.
func (w *Window[T]) requeue(e *Entry[T]) {
	w.setState(e, waiting)
	l := w.listOf(e)
	l.waiting = append(l.waiting, e)
}

// BacklogDone returns the position on disk up to which no reading is needed any more.
func (w *Window[T]) BacklogDone() uint64 { return w.backlogDone }

// Len returns the number of live and of backlog entries, and the bytes of the live
// entries.
func (w *Window[T]) Len() (live, backlog, bytes int) { return w.live.count, w.backlog.count, w.bytes }

// InFlight returns how many publications the broker has not yet acknowledged.
func (w *Window[T]) InFlight() int { return w.inFlight }

// Stats returns the counts.
func (w *Window[T]) Stats() Stats { return w.stats }
