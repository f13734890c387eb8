package deliver

import (
	"sync"

	"github.com/hearth-home/hearth/shared/spool"
)

// window tracks which records of a spool reader are done, and its watermark: the
// last record up to which all are done. The reader's cursor may move up to it.
type window struct {
	mu   sync.Mutex
	base spool.Seq // the record of done[head]; base-1 is the watermark
	done []bool    // by record, from done[head] on
	head int       // index in done; the entries before it are no longer used
	open int       // records that are not done
}

// add adds the next record. The records that were skipped before it count as done:
// the spool has dropped and counted them.
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

// finish marks a record as done. It returns the watermark, and whether that has moved.
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

// skipTo counts all records before end that were not added as done: no more are added.
func (w *window) skipTo(end spool.Seq) {
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

// watermark returns the last record up to which all are done, and false if no record
// was added yet.
func (w *window) watermark() (spool.Seq, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base - 1, w.base > 0
}

// idle reports whether all added records are done.
func (w *window) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open == 0
}

// trim moves base and head past the records that are done. The caller holds w.mu.
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
