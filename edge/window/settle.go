package window

import (
	"cmp"
	"slices"
	"time"
)

// Tick lets entries leave that may, and makes those wait again that have to be sent
// again.
func (w *Window[T]) Tick(now time.Duration) {
	w.settle(now)
	if !w.known {
		return
	}
	missing := w.missing()
	for _, l := range []list[T]{w.live, w.backlog} {
		for _, e := range l.all {
			if e.state != acked || now-e.acked < w.limits.Resend {
				continue
			}
			if missing[e.Boot] || e.shaken && now-w.since >= w.limits.Resend {
				e.asked = 0
				w.again(e)
				w.stats.Resent++
			}
		}
	}
	if now-w.heard >= w.limits.Resend {
		w.ask(now)
	}
}

// ask sends the first entry of each boot of the backlog again when it was long not
// said what is stored: hearth says so for what comes in, and nothing else may come.
func (w *Window[T]) ask(now time.Duration) {
	asked := map[string]bool{}
	for _, e := range w.backlog.all {
		if e.state != acked || asked[e.Boot] {
			continue
		}
		asked[e.Boot] = true
		if now-max(e.acked, e.asked) >= w.limits.Resend {
			e.asked = now // the broker has it as long as before
			w.again(e)
			w.stats.Resent++
		}
	}
}

// missing names the boots of which everything is stored up to just before an entry
// that the broker had for Resend. That must have been said since: otherwise it may be
// just that nobody is there to say more.
func (w *Window[T]) missing() map[string]bool {
	var m map[string]bool
	for boot, p := range w.upTo {
		e := w.index[Key{boot, p.seq + 1}]
		if e != nil && e.state == acked && p.at-e.acked >= w.limits.Resend {
			if m == nil {
				m = map[string]bool{}
			}
			m[boot] = true
		}
	}
	return m
}

// settle lets entries leave that are stored, or have waited long enough. Both lists
// are in order, so that a look at the front is enough.
func (w *Window[T]) settle(now time.Duration) {
	for _, e := range w.live.all {
		stored, old := w.stored(e), e.born > 0 && now-e.born >= w.limits.Keep
		if e.state != left && !stored && !old {
			break
		}
		if e.state == acked {
			w.leave(e, stored)
		}
	}
	w.live.trim()
	// Only entries from the front without a gap: Done is one position on disk.
	for _, e := range w.backlog.all {
		if !w.finished(e, now) {
			break
		}
		w.done = max(w.done, e.pos)
		w.leave(e, w.stored(e))
	}
	w.backlog.trim()
}

// trim drops what has left from the front.
func (l *list[T]) trim() {
	i := 0
	for i < len(l.all) && l.all[i].state == left {
		l.all[i] = nil
		i++
	}
	l.all = l.all[i:]
}

// finished reports whether an entry of the backlog may leave the disk: if it is
// stored; or if something was said to be stored Resend after the broker had it, so
// that somebody was there to take it, and nothing says that it is missing. What is
// stored is said for one boot of a node at a time, so that what is known of another
// may be a little old; and the number stands still for a while before readings that
// were dropped at the cap, which nobody can bring any more.
func (w *Window[T]) finished(e *Entry[T], now time.Duration) bool {
	if w.index[e.Key] != e {
		return true // the same reading is ahead of it
	}
	if e.state != acked {
		return false
	}
	own := w.upTo[e.Boot]
	against := own.at-e.acked >= w.limits.Resend && w.index[Key{e.Boot, own.seq + 1}] != nil
	taken := w.heard-e.acked >= w.limits.Resend && !against
	return !w.known || w.stored(e) || taken || now-e.born >= w.limits.Keep
}

func (w *Window[T]) stored(e *Entry[T]) bool {
	p, ok := w.upTo[e.Boot]
	return ok && p.seq >= e.Seq
}

func (w *Window[T]) leave(e *Entry[T], stored bool) {
	if w.index[e.Key] == e {
		switch {
		case stored:
			w.stats.Confirmed++
		case w.known:
			w.stats.Unconfirmed++
		}
	}
	w.remove(e)
}

func (w *Window[T]) remove(e *Entry[T]) {
	if e.state == left {
		return
	}
	w.mark(e, left)
	if w.index[e.Key] == e {
		delete(w.index, e.Key)
	}
	w.of(e).n--
	if e.pos == 0 {
		w.bytes -= e.Size
	}
}

func (w *Window[T]) mark(e *Entry[T], s state) {
	if e.state == sent {
		w.inFlight--
	}
	if s == sent {
		w.inFlight++
	}
	e.state = s
}

// TakeLive empties the window of its live entries and returns those, in order,
// that have to be kept elsewhere: those that the broker has not acknowledged, or,
// if somebody says what is stored, those that are not yet known to be.
func (w *Window[T]) TakeLive() []*Entry[T] {
	var keep []*Entry[T]
	for _, e := range w.live.all {
		if e.state != left && (e.state != acked || w.known) {
			keep = append(keep, e)
		}
		w.remove(e)
	}
	w.live = list[T]{}
	slices.SortFunc(keep, func(a, b *Entry[T]) int { return cmp.Compare(a.Seq, b.Seq) })
	return keep
}

// Stalled is for how long the oldest publication has waited for the broker.
func (w *Window[T]) Stalled(now time.Duration) (d time.Duration) {
	if w.inFlight == 0 {
		return 0
	}
	for _, l := range []list[T]{w.live, w.backlog} {
		for _, e := range l.all {
			if e.state == sent {
				d = max(d, now-e.sent)
			}
		}
	}
	return d
}
