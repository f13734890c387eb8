package spool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Fatalf(string, ...any)
	Context() context.Context
}

// history records the calls of a spool and their results. It checks them against the
// spool's promises after power cuts and kills.
type history struct {
	tb        tester
	l         *Log
	o         Options
	mem       *memFS
	stored    map[Seq]string   // acknowledged
	maybe     map[Seq][]string // appended, not acknowledged: the spool may have them or not
	committed map[string]Seq   // the last record that each reader committed
	saved     map[string]Seq   // the last commit that Sync or Close made durable
	serial    int
	where     string
}

func newHistory(tb tester, o Options, mem *memFS) *history {
	o.FS, o.CursorEvery = mem, never
	return &history{tb: tb, o: o, mem: mem, stored: map[Seq]string{}, maybe: map[Seq][]string{},
		committed: map[string]Seq{}, saved: map[string]Seq{}}
}

// step is one action of a caller. do returns false if the power was cut.
type step struct {
	name string
	do   func(h *history) bool
}

func (s step) String() string { return s.name }

var (
	syncStep   = step{"sync", (*history).sync}
	writeStep  = step{"write cursors", (*history).writeCursors}
	reopenStep = step{"reopen", (*history).reopen}
	killStep   = step{"kill", (*history).kill}
)

func appendStep(n, size int) step {
	return step{fmt.Sprintf("append %d of %d", n, size), func(h *history) bool {
		var data [][]byte
		for range n {
			h.serial++
			data = append(data, fmt.Appendf(nil, "%d:%0*d", h.serial, size, 0))
		}
		next := h.l.next
		first, err := h.l.Append(h.tb.Context(), data...)
		if err == nil && first != next {
			h.tb.Fatalf("the first record got number %d, want %d", first, next)
		}
		for i, d := range data {
			if seq := next + Seq(i); err == nil {
				h.stored[seq] = string(d)
			} else {
				h.maybe[seq] = append(h.maybe[seq], string(d))
			}
		}
		return !errors.Is(err, errPower)
	}}
}

// readStep reads up to n records as the named reader and commits part of them.
func readStep(name string, n, commit int) step {
	return step{fmt.Sprintf("%s reads %d, commits %d", name, n, commit), func(h *history) bool {
		r := h.reader(name)
		defer r.Close()
		recs, err := r.take(n, 0)
		if err != nil {
			return !errors.Is(err, errPower)
		}
		h.check(recs)
		if commit = min(commit, len(recs)); commit > 0 {
			r.Commit(recs[commit-1].Seq)
			h.committed[name] = recs[commit-1].Seq
		}
		return true
	}}
}

func (h *history) reader(name string) *Reader {
	known := h.l.cursors[name] != nil
	r, err := h.l.Reader(name)
	if err != nil {
		h.tb.Fatalf("reader %s: %v", name, err)
	}
	if !known {
		h.committed[name] = r.cursor.Next - 1 // where a new one begins
	}
	return r
}

func (h *history) sync() bool {
	if err := h.l.Sync(); err != nil {
		return !errors.Is(err, errPower)
	}
	h.noteSaved()
	return true
}

// writeCursors writes the cursors, as a timer does every Options.CursorEvery.
func (h *history) writeCursors() bool {
	return !errors.Is(h.l.saveCursors(false), errPower)
}

func (h *history) reopen() bool {
	err := h.l.Close()
	if errors.Is(err, errPower) {
		return false
	}
	if err == nil {
		h.noteSaved()
	}
	if !h.open() {
		return false
	}
	h.checkCursors()
	return true
}

// kill ends the process without Close. The kernel keeps the data that it wrote.
func (h *history) kill() bool {
	next, oldest := h.l.next, h.l.oldest()
	clear(h.mem.locked)
	if !h.open() {
		return false
	}
	if h.l.next < next || h.l.oldest() > oldest && h.o.MaxBytes+h.o.MaxRecords == 0 {
		consumed, any := h.l.consumed((*cursor).committed)
		if h.l.next < next || !any || h.l.oldest() > consumed {
			h.tb.Fatalf("records %d to before %d before the kill, %d to before %d after it", oldest, next, h.l.oldest(), h.l.next)
		}
	}
	h.checkCursors()
	return true
}

func (h *history) noteSaved() {
	for name, seq := range h.committed {
		h.saved[name] = seq
	}
}

// check compares the records read with those appended.
func (h *history) check(recs []Record) {
	for i, rec := range recs {
		if i > 0 && rec.Seq <= recs[i-1].Seq {
			h.tb.Fatalf("%d after %d", rec.Seq, recs[i-1].Seq)
		}
		want, ok := h.stored[rec.Seq]
		if ok && want == string(rec.Data) {
			continue
		}
		if ok && h.o.Sync == 0 || !slices.Contains(h.maybe[rec.Seq], string(rec.Data)) {
			h.tb.Fatalf("record %d is %.40q, want %.40q or one of %.60q", rec.Seq, rec.Data, want, h.maybe[rec.Seq])
		}
	}
}

// open opens the spool. It returns false if the power was cut meanwhile.
func (h *history) open() bool {
	var err error
	if h.l, _, err = Open("d", h.o); err != nil && !errors.Is(err, errPower) {
		h.tb.Fatalf("open: %v", err)
	}
	return err == nil
}

// powerCut reboots the machine and checks every promise.
func (h *history) powerCut(rng *rand.Rand) {
	oldest := Seq(1)
	if h.l != nil {
		oldest = h.l.oldest() // as of the power cut
	}
	h.mem = h.mem.reboot(rng)
	h.o.FS = h.mem
	if !h.open() {
		h.tb.Fatalf("the power was cut again during Open")
	}
	h.checkCursors()
	if consumed, any := h.l.consumed((*cursor).committed); any {
		oldest = max(oldest, consumed) // a cursor was synced just before the cut: Open removes its segments
	}
	all, err := h.l.Reader("everything")
	if err != nil {
		h.tb.Fatalf("%v", err)
	}
	recs, err := all.take(1<<30, 0)
	if err != nil {
		h.tb.Fatalf("%v", err)
	}
	h.check(recs)
	there := map[Seq]bool{}
	for _, rec := range recs {
		there[rec.Seq] = true
		h.stored[rec.Seq] = string(rec.Data) // a record that was read after a cut must stay
	}
	for seq := range h.stored {
		if !there[seq] && seq >= oldest && h.o.Sync == 0 {
			h.tb.Fatalf("%s: record %d was acknowledged and is lost; the oldest was %d", h.where, seq, oldest)
		}
	}
	h.checkLost(there)
	for seq, data := range h.stored {
		if !there[seq] { // its segment was removed, but a later cut can undo the removal
			delete(h.stored, seq)
			h.maybe[seq] = append(h.maybe[seq], data)
		}
	}
	if err := errors.Join(all.Close(), h.l.RemoveReader("everything")); err != nil {
		h.tb.Fatalf("%v", err)
	}
}

// checkCursors checks that each cursor lies between the reader's last durable commit
// and its last commit. Only lost records can move it further.
func (h *history) checkCursors() {
	for _, name := range []string{"a", "b"} {
		p := h.l.cursors[name]
		if p == nil {
			if h.saved[name] > 0 {
				h.tb.Fatalf("reader %s has lost its cursor", name)
			}
			delete(h.committed, name)
			continue
		}
		if p.Next > h.committed[name]+1 && p.Lost == 0 {
			h.tb.Fatalf("cursor of %s at %d, last commit %d", name, p.Next, h.committed[name])
		}
		if p.Next < h.saved[name]+1 && h.saved[name] > 0 {
			h.tb.Fatalf("cursor of %s at %d, last durable commit %d", name, p.Next, h.saved[name])
		}
		h.committed[name] = min(h.committed[name], p.Next-1)
	}
}

// checkLost checks that a reader counts as lost all records that it will never get.
func (h *history) checkLost(there map[Seq]bool) {
	for _, name := range []string{"a", "b"} {
		r := h.reader(name)
		missing := uint64(0)
		for seq := r.cursor.Next; seq < h.l.next; seq++ {
			if _, ok := h.stored[seq]; ok && !there[seq] {
				missing++
			}
		}
		before := r.cursor.Lost
		if _, err := r.take(1<<30, 0); err != nil {
			h.tb.Fatalf("%v", err)
		}
		if lost := r.Lag().Lost - before; lost < missing {
			h.tb.Fatalf("%s lost %d records and counted %d", name, missing, lost)
		}
		if err := r.Close(); err != nil {
			h.tb.Fatalf("%v", err)
		}
	}
}

// run opens the spool and does steps until the power is cut.
func (h *history) run(steps []step) {
	if !h.open() {
		return
	}
	h.runSteps(steps)
}

func (h *history) runSteps(steps []step) {
	for _, s := range steps {
		if !s.do(h) {
			return
		}
	}
}
