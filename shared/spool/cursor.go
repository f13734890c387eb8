package spool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// cursorSync is how long written cursors may stay without fsync, in units of CursorEvery.
const cursorSync = 10

// cursor is the position of a named reader.
type cursor struct {
	Next Seq    `json:"next"` // all records before it are committed or lost
	Lost uint64 `json:"lost"` // records before Next that the reader never got

	durable Seq     // Next as of the last fsync of a cursor file
	reader  *Reader // nil while the reader is closed
}

func (p *cursor) committed() Seq { return p.Next }
func (p *cursor) onDisk() Seq    { return p.durable }

// saveCursors writes the cursors if they changed. It syncs them at once in four
// cases: the caller asks for it, the new cursors free a segment, there is a new reader,
// or the file that is to be written does not exist yet. Otherwise a later call syncs them, within cursorSync times CursorEvery.
func (l *Log) saveCursors(durable bool) error {
	l.cursorLock.Lock()
	defer l.cursorLock.Unlock()
	changed, must := l.unsaved()
	if changed == nil && l.written == nil {
		return nil
	}
	durable = durable || must || l.slots[l.slot] == nil
	err := l.storeCursors(changed, durable)
	if err == nil && changed != nil && l.slots[l.slot] == nil {
		_ = l.storeCursors(changed, true) // create the second file too, before the disk is full
	}
	if errors.Is(noSpace(err), errNoSpace) && l.removeConsumed((*cursor).committed) {
		// The disk is full: the segments that all readers committed were removed
		// before the cursors are on disk, to make space for them. After a crash at
		// this point, readers count records as lost that they had committed.
		if changed == nil {
			changed = l.written
		}
		err = l.storeCursors(changed, durable)
	}
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stats.SyncErrors++
		l.noteCursorChange()
		return fmt.Errorf("write cursors: %w", noSpace(err))
	}
	if !durable {
		l.syncSoon()
		return nil
	}
	l.removeConsumed((*cursor).onDisk)
	return nil
}

// unsaved returns a copy of the cursors if they differ from the files, else nil.
// must says that the next write has to be synced at once.
func (l *Log) unsaved() (changed map[string]*cursor, must bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cursorsChanged {
		l.cursorsChanged = false
		changed = make(map[string]*cursor, len(l.cursors))
		for name, p := range l.cursors {
			changed[name] = &cursor{Next: p.Next, Lost: p.Lost}
			must = must || p.durable == 0
		}
	}
	consumed, any := l.consumed((*cursor).committed)
	return changed, must || any && len(l.segs) > 1 && l.segs[1].first <= consumed
}

// storeCursors writes changed, unless it is nil, to the current cursor file. That
// file is overwritten until it is synced. If durable, storeCursors syncs the file and
// then makes the other file the current one. So the other file always holds whole,
// synced cursors. The caller holds cursorLock.
func (l *Log) storeCursors(changed map[string]*cursor, durable bool) error {
	f, err := l.cursorFile()
	if err != nil {
		return err
	}
	if changed != nil {
		b, err := encodeCursors(l.generation+1, changed)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			return err
		}
		l.generation++
		l.written = changed
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
	l.noteDurable()
	return nil
}

// cursorFile returns the current cursor file and creates it if need be.
func (l *Log) cursorFile() (File, error) {
	if f := l.slots[l.slot]; f != nil {
		return f, nil
	}
	f, err := l.fs.OpenFile(l.path(slotNames[l.slot]), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l.slots[l.slot] = f
	l.count(0, 1)
	return f, nil
}

// noteDurable notes that the cursors written last are on disk.
func (l *Log) noteDurable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, w := range l.written {
		if p := l.cursors[name]; p != nil {
			p.durable = max(p.durable, min(w.Next, p.Next))
		}
	}
	l.written = nil
}

// count adds bytes written and fsyncs to the stats.
func (l *Log) count(bytes, syncs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Written += uint64(bytes)
	l.stats.Fsyncs += uint64(syncs)
}

// syncSoon schedules an fsync of the cursors already written. The caller holds
// cursorLock.
func (l *Log) syncSoon() {
	if l.cursorSyncScheduled {
		return
	}
	l.cursorSyncScheduled = true
	time.AfterFunc(cursorSync*l.opt.CursorEvery, func() {
		l.cursorLock.Lock()
		l.cursorSyncScheduled = false
		due := l.written != nil && !l.ended()
		l.cursorLock.Unlock()
		if due {
			_ = l.saveCursors(true) // on an error it counts it and tries again later
		}
	})
}

func (l *Log) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done
}

// noteCursorChange notes that cursors differ from the files, and schedules a write.
// The caller holds l.mu.
func (l *Log) noteCursorChange() {
	l.cursorsChanged = true
	if l.saveScheduled || l.done {
		return
	}
	l.saveScheduled = true
	time.AfterFunc(l.opt.CursorEvery, func() {
		l.mu.Lock()
		l.saveScheduled = false
		done := l.done
		l.mu.Unlock()
		if !done {
			_ = l.saveCursors(false) // on an error it counts it and tries again later
		}
	})
}

// Readers returns the names of all readers, open or closed, sorted. A reader keeps
// the records that it has not committed, until RemoveReader.
func (l *Log) Readers() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := make([]string, 0, len(l.cursors))
	for name := range l.cursors {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Cursor returns the number of the first record that the named reader has neither
// committed nor lost. ok is false if there is no reader of that name.
func (l *Log) Cursor(name string) (next Seq, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.cursors[name]
	if p == nil {
		return 0, false
	}
	return max(p.Next, l.oldest()), true
}

// LowestCursor returns the lowest cursor of all readers but the one named except: all
// of them have committed every record before it. It is 0 if there is no other reader.
func (l *Log) LowestCursor(except string) (seq Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, p := range l.cursors {
		if name != except && (seq == 0 || p.Next < seq) {
			seq = p.Next
		}
	}
	return seq
}

// RemoveReader removes a reader and its cursor, and frees the records that only this
// reader kept. An unknown name is no error, but an open reader is.
func (l *Log) RemoveReader(name string) error {
	l.mu.Lock()
	p := l.cursors[name]
	if p == nil || p.reader != nil || l.done {
		defer l.mu.Unlock()
		switch {
		case l.done:
			return ErrClosed
		case p != nil:
			return errInUse
		}
		return nil
	}
	delete(l.cursors, name)
	l.noteCursorChange()
	l.mu.Unlock()
	return l.saveCursors(true)
}
