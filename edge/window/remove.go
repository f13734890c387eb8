package window

import (
	"cmp"
	"slices"
	"time"
)

// Tick removes the entries that are stored or too old, and requeues those that have to
// be sent again. Call it about once a second.
func (w *Window[T]) Tick(now time.Duration) {
	w.removeFinished(now)
	if !w.hasStored {
		return
	}
	missing := w.missing()
	for _, l := range []list[T]{w.live, w.backlog} {
		for _, e := range l.all {
			if e.state != acked || now-e.acked < w.limits.Resend {
				continue
			}
			lost := e.disconnected && now-w.connectedAt >= w.limits.Resend // by the broker, perhaps
			if missing[e.Boot] || lost {
				e.probed = 0
				w.requeue(e)
				w.stats.Resent++
			}
		}
	}
	if now-w.storedAt >= w.limits.Resend {
		w.probe(now)
	}
}

// probe requeues the first acknowledged backlog entry of each boot. The connector
// publishes a stored message only after a reading came in, so without new readings
// the agent would wait for ever. The repeated entry brings about that message.
func (w *Window[T]) probe(now time.Duration) {
	probed := map[string]bool{}
	for _, e := range w.backlog.all {
		if e.state != acked || probed[e.Boot] {
			continue
		}
		probed[e.Boot] = true
		if now-max(e.acked, e.probed) >= w.limits.Resend {
			e.probed = now // e.acked stays: the broker has had the reading since then
			w.requeue(e)
			w.stats.Resent++
		}
	}
}

// missing returns the boots with a missing reading. The first reading that is not
// stored counts as missing if a stored message came Limits.Resend or more after the
// broker's acknowledgement. Without such a message the connector may just be down.
func (w *Window[T]) missing() map[string]bool {
	var m map[string]bool
	for boot, p := range w.storedUpTo {
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

// removeFinished removes the acknowledged entries that are stored or too old, and trims
// the lists. Both lists are in order, so it stops at the first entry that is neither.
func (w *Window[T]) removeFinished(now time.Duration) {
	for _, e := range w.live.all {
		stored, old := w.isStored(e), e.firstSent > 0 && now-e.firstSent >= w.limits.Keep
		if e.state != removed && !stored && !old {
			break
		}
		if e.state == acked {
			w.removeCounted(e, stored)
		}
	}
	w.live.trim()
	// The backlog's loop stops at any entry that is not finished, since backlogDone is a
	// single position on disk.
	for _, e := range w.backlog.all {
		if !w.isFinished(e, now) {
			break
		}
		w.backlogDone = max(w.backlogDone, e.pos)
		w.removeCounted(e, w.isStored(e))
	}
	w.backlog.trim()
}

// trim drops the removed entries at the front of the list.
func (l *list[T]) trim() {
	i := 0
	for i < len(l.all) && l.all[i].state == removed {
		l.all[i] = nil
		i++
	}
	l.all = l.all[i:]
}

// isFinished reports whether a backlog entry may be deleted from disk. One of these
// conditions suffices:
//
//   - the same reading is earlier in the backlog
//   - the entry is stored
//   - the broker acknowledged it, and there are no stored messages (no connector)
//   - the broker acknowledged it, and Limits.Keep has passed
//   - a stored message of any boot came Limits.Resend or more after the broker's
//     acknowledgement, and the entry's own boot does not contradict
//
// The last one is needed for two reasons. A stored message is about one boot, so the
// number of another boot may be out of date. And the number stops for a while before
// readings that the spool dropped at its cap, which nobody can send any more.
func (w *Window[T]) isFinished(e *Entry[T], now time.Duration) bool {
	if w.index[e.Key] != e {
		return true
	}
	if e.state != acked {
		return false
	}
	own := w.storedUpTo[e.Boot]
	missing := own.at-e.acked >= w.limits.Resend && w.index[Key{e.Boot, own.seq + 1}] != nil
	assumed := w.storedAt-e.acked >= w.limits.Resend && !missing
	return !w.hasStored || w.isStored(e) || assumed || now-e.firstSent >= w.limits.Keep
}

func (w *Window[T]) isStored(e *Entry[T]) bool {
	p, ok := w.storedUpTo[e.Boot]
	return ok && p.seq >= e.Seq
}

func (w *Window[T]) removeCounted(e *Entry[T], stored bool) {
	if w.index[e.Key] == e {
		switch {
		case stored:
			w.stats.Confirmed++
		case w.hasStored:
			w.stats.Unconfirmed++
		}
	}
	w.remove(e)
}

func (w *Window[T]) remove(e *Entry[T]) {
	if e.state == removed {
		return
	}
	w.setState(e, removed)
	if w.index[e.Key] == e {
		delete(w.index, e.Key)
	}
	w.listOf(e).count--
	if e.pos == 0 {
		w.bytes -= e.size
	}
}

func (w *Window[T]) setState(e *Entry[T], s state) {
	if e.state == sent {
		w.inFlight--
	}
	if s == sent {
		w.inFlight++
	}
	e.state = s
}

// TakeLive removes all live entries. It returns, in order of Seq, those that the
// caller has to keep elsewhere: without stored messages, the entries that the broker
// has not acknowledged; with them, all entries that are not known to be stored.
func (w *Window[T]) TakeLive() []*Entry[T] {
	var keep []*Entry[T]
	for _, e := range w.live.all {
		if e.state != removed && (e.state != acked || w.hasStored) {
			keep = append(keep, e)
		}
		w.remove(e)
	}
	w.live = list[T]{}
	slices.SortFunc(keep, func(a, b *Entry[T]) int { return cmp.Compare(a.Seq, b.Seq) })
	return keep
}

// Stalled returns how long the oldest publication has waited for the broker's
// acknowledgement, 0 if none waits.
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
