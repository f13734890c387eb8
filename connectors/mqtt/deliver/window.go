package deliver

import (
	"sync"

	"github.com/hearth-home/hearth/shared/spool"
)

// window keeps which records of a reader are done with, and up to which one all
// are: so far its cursor may move.
type window struct {
	mu   sync.Mutex
	base spool.Seq // of the first entry
	done []bool    // from base on
	head int       // entries before it are gone
	open int       // entries that are not done
}

// add takes the next record. Numbers that were skipped count as done: the spool
// dropped them and counts them itself.
func (w *window) add(seq spool.Seq, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.done) == w.head {
		w.base, w.done, w.head = seq, w.done[:0], 0
	}
	for next := w.base + spool.Seq(len(w.done)-w.head); next < seq; next++ {
		w.done = append(w.done, true)
	}
	w.done = append(w.done, done)
	if !done {
		w.open++
	}
	w.trim()
}

// finish marks a record as done and returns the last number up to which all
// are, if that moved.
func (w *window) finish(seq spool.Seq) (low spool.Seq, moved bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.head + int(seq-w.base)
	if seq < w.base || i >= len(w.done) || w.done[i] {
		return 0, false
	}
	w.done[i] = true
	w.open--
	before := w.base
	w.trim()
	return w.base - 1, w.base != before
}

// reach marks everything before end as done that was not added: it never will be.
func (w *window) reach(end spool.Seq) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.done) == w.head {
		w.base, w.done, w.head = max(w.base, end), w.done[:0], 0
		return
	}
	for next := w.base + spool.Seq(len(w.done)-w.head); next < end; next++ {
		w.done = append(w.done, true)
	}
	w.trim()
}

// low returns the last number up to which all is done.
func (w *window) low() (spool.Seq, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base - 1, w.base > 0
}

// idle reports whether nothing is open.
func (w *window) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open == 0
}

func (w *window) trim() {
	for w.head < len(w.done) && w.done[w.head] {
		w.head++
		w.base++
	}
	if w.head > 4096 && w.head*2 > len(w.done) {
		w.done = w.done[:copy(w.done, w.done[w.head:])]
		w.head = 0
	}
}
