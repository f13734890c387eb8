package spool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

const cursorSync = 10 // times CursorEvery, written cursors may wait to be durable

// place is where a named reader is.
type place struct {
	Next Seq    `json:"next"` // everything before is committed, or lost
	Lost uint64 `json:"lost"` // records before Next that it never got

	durable Seq     // Next as the cursor files say
	reader  *Reader // nil while nobody reads
}

func (p *place) now() Seq  { return p.Next }
func (p *place) safe() Seq { return p.durable }

// saveCursors writes where the readers are, if that changed. Durable it is at once
// only if that is asked for, or gives space back, or for a new reader; else with
// what follows, within cursorSync writes.
func (l *Log) saveCursors(durable bool) error {
	l.cursorTurn.Lock()
	defer l.cursorTurn.Unlock()
	saved, must := l.unsaved()
	if saved == nil && l.written == nil {
		return nil
	}
	durable = durable || must || l.slots[l.slot] == nil
	err := l.storeCursors(saved, durable)
	if err == nil && saved != nil && l.slots[l.slot] == nil {
		_ = l.storeCursors(saved, true) // both files get their room before the disk is full
	}
	if errors.Is(noSpace(err), ErrNoSpace) && l.removePassed((*place).now) {
		// Space comes from what was passed. A crash just here makes readers count
		// as lost what they had committed.
		if saved == nil {
			saved = l.written
		}
		err = l.storeCursors(saved, durable)
	}
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stats.SyncErrors++
		l.move()
		return fmt.Errorf("write cursors: %w", noSpace(err))
	}
	if !durable {
		l.syncSoon()
		return nil
	}
	l.removePassed((*place).safe)
	return nil
}

// unsaved returns the cursors if they moved, nil if not, and whether they must be
// durable at once.
func (l *Log) unsaved() (saved map[string]*place, must bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moved {
		l.moved = false
		saved = make(map[string]*place, len(l.places))
		for name, p := range l.places {
			saved[name] = &place{Next: p.Next, Lost: p.Lost}
			must = must || p.durable == 0
		}
	}
	passed, any := l.passed((*place).now)
	return saved, must || any && len(l.segs) > 1 && l.segs[1].first <= passed
}

// storeCursors writes places, unless nil, into the file whose turn it is, over what
// was written there since the other was made durable. Once this one is durable, it
// is the other's turn. With cursorTurn.
func (l *Log) storeCursors(places map[string]*place, durable bool) (err error) {
	f := l.slots[l.slot]
	if f == nil {
		if f, err = l.fs.OpenFile(l.path(slotNames[l.slot]), os.O_RDWR|os.O_CREATE); err != nil {
			return err
		}
		if err := l.fs.SyncDir(l.dir); err != nil {
			return errors.Join(err, f.Close())
		}
		l.slots[l.slot] = f
		l.count(0, 1)
	}
	if places != nil {
		b, err := encodeCursors(l.generation+1, places)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			return err
		}
		l.generation++
		l.written = places
		l.count(len(b), 0)
	}
	if !durable {
		return nil
	}
	if err := f.Sync(); err != nil {
		return err
	}
	l.slot = 1 - l.slot
	l.count(0, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, s := range l.written {
		if p := l.places[name]; p != nil {
			p.durable = max(p.durable, min(s.Next, p.Next))
		}
	}
	l.written = nil
	return nil
}

// count adds to the stats.
func (l *Log) count(bytes, syncs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Written += uint64(bytes)
	l.stats.Fsyncs += uint64(syncs)
}

// syncSoon makes durable what was written. With cursorTurn.
func (l *Log) syncSoon() {
	if l.syncDue {
		return
	}
	l.syncDue = true
	time.AfterFunc(cursorSync*l.opt.CursorEvery, func() {
		l.cursorTurn.Lock()
		l.syncDue = false
		waits := l.written != nil && !l.ended()
		l.cursorTurn.Unlock()
		if waits {
			_ = l.saveCursors(true) // counted, and tried again
		}
	})
}

func (l *Log) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done
}

// move notes that cursors differ from the files. With l.mu.
func (l *Log) move() {
	l.moved = true
	if l.saving || l.done {
		return
	}
	l.saving = true
	time.AfterFunc(l.opt.CursorEvery, func() {
		l.mu.Lock()
		l.saving = false
		done := l.done
		l.mu.Unlock()
		if !done {
			_ = l.saveCursors(false) // counted, and tried again
		}
	})
}

// Readers names every reader that holds records back, open or not.
func (l *Log) Readers() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := make([]string, 0, len(l.places))
	for name := range l.places {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Place is the first record that a reader has not committed, nor lost. It is false
// for a name that holds nothing back.
func (l *Log) Place(name string) (next Seq, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.places[name]
	if p == nil {
		return 0, false
	}
	return max(p.Next, l.oldest()), true
}

// Passed is the first record that a reader has not committed, the one called except
// left out; 0 where there is no other.
func (l *Log) Passed(except string) (seq Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, p := range l.places {
		if name != except && (seq == 0 || p.Next < seq) {
			seq = p.Next
		}
	}
	return seq
}

// RemoveReader forgets a reader, which must be closed, and what only it held back.
func (l *Log) RemoveReader(name string) error {
	l.mu.Lock()
	p := l.places[name]
	if p == nil || p.reader != nil || l.done {
		defer l.mu.Unlock()
		switch {
		case l.done:
			return ErrClosed
		case p != nil:
			return ErrInUse
		}
		return nil
	}
	delete(l.places, name)
	l.move()
	l.mu.Unlock()
	return l.saveCursors(true)
}
