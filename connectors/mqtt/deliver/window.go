package deliver

import (
	"slices"
	"sync"

	"github.com/hearth-home/hearth/shared/spool"
)

// window tracks which records of a spool reader are done, and its watermark: the
// last record up to which all are done. The reader's cursor may move up to it. It holds
// only records that were not done when they were added, so that neither the messages of
// other functions nor a damaged part of the spool take memory.
type window struct {
	mu      sync.Mutex
	next    spool.Seq // behind the last record that was added; 0: none was
	pending []pending // in order, from head on
	head    int       // index in pending; the entries before it are no longer used
	open    int       // records that are not done
}

// pending is a record that was not done when it was added.
type pending struct {
	seq  spool.Seq
	done bool // since; a record before it is not
}

// add adds the next record. The records that were skipped before it count as done:
// the spool has dropped and counted them.
func (w *window) add(seq spool.Seq, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = seq + 1
	if !done {
		w.pending = append(w.pending, pending{seq: seq})
		w.open++
	}
}

// finish marks a record as done. It returns the watermark, and whether that has moved.
func (w *window) finish(seq spool.Seq) (low spool.Seq, moved bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, found := slices.BinarySearchFunc(w.pending[w.head:], seq, func(p pending, seq spool.Seq) int {
		switch {
		case p.seq < seq:
			return -1
		case p.seq > seq:
			return 1
		}
		return 0
	})
	if !found || w.pending[w.head+i].done {
		return 0, false
	}
	w.pending[w.head+i].done = true
	w.open--
	w.trim()
	return w.low(), i == 0
}

// skipTo counts all records before end that were not added as done: no more are added.
func (w *window) skipTo(end spool.Seq) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = max(w.next, end)
}

// watermark returns the last record up to which all are done, and false if no record
// was added yet.
func (w *window) watermark() (spool.Seq, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.low(), w.next > 0
}

// low is the watermark. The caller holds w.mu.
func (w *window) low() spool.Seq {
	if w.head < len(w.pending) {
		return w.pending[w.head].seq - 1
	}
	return w.next - 1
}

// idle reports whether all added records are done.
func (w *window) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open == 0
}

// trim moves head past the records that are done. The caller holds w.mu.
func (w *window) trim() {
	for w.head < len(w.pending) && w.pending[w.head].done {
		w.head++
	}
	if w.head == len(w.pending) || w.head > 4096 && w.head*2 > len(w.pending) {
		w.pending = w.pending[:copy(w.pending, w.pending[w.head:])]
		w.head = 0
	}
}
