package window

import (
	"slices"
	"time"
)

// Tick lets go what may go, and makes wait again what has to be sent again.
func (w *Window[T]) Tick(now time.Duration) {
	w.settle(now)
	missing := w.missing()
	for _, list := range [][]*Entry[T]{w.live, w.backlog} {
		for _, e := range list {
			if e.state != acked || now-e.acked < w.limits.Resend || !w.known {
				continue
			}
			if missing[e.Boot] || e.shaken && now-w.since >= w.limits.Resend {
				w.mark(e, waiting)
				w.stats.Resent++
			}
		}
	}
}

// missing names the boots of which the place stands right before an entry that
// the broker had for Resend. The place must have been published since, or it
// may be just that nobody is there to move it.
func (w *Window[T]) missing() map[string]bool {
	var m map[string]bool
	for boot, p := range w.place {
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

// settle lets go of what has been stored, or waited long enough.
func (w *Window[T]) settle(now time.Duration) {
	w.live = slices.DeleteFunc(w.live, func(e *Entry[T]) bool {
		stored, old := w.stored(e), now-e.born >= w.limits.Keep
		if e.state != acked || !stored && !old {
			return false
		}
		w.leave(e, stored)
		return true
	})
	// Only a row of entries from the front: Done is one place on disk.
	missing := w.missing()
	n := 0
	for n < len(w.backlog) && w.finished(w.backlog[n], now, missing) {
		e := w.backlog[n]
		w.leave(e, w.stored(e))
		w.done = max(w.done, e.backlog)
		n++
	}
	w.backlog = slices.Delete(w.backlog, 0, n)
}

func (w *Window[T]) finished(e *Entry[T], now time.Duration, missing map[string]bool) bool {
	if w.index[e.Key] != e {
		return true // the same reading is ahead of it
	}
	if e.state != acked {
		return false
	}
	return !w.known || w.stored(e) || now-e.acked >= w.limits.Resend && !missing[e.Boot]
}

func (w *Window[T]) stored(e *Entry[T]) bool {
	p, ok := w.place[e.Boot]
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
	w.mark(e, waiting)
	if w.index[e.Key] == e {
		delete(w.index, e.Key)
	}
	if e.backlog == 0 {
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
