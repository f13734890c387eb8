package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"time"
)

const (
	cursorMagic  = "hspool\x00\x01"
	cursorHeader = 24
	cursorBlock  = 4096
	maxCursors   = 1 << 20 // bytes of a cursor file
	maxSeq       = 1 << 62 // beyond it, a number is damage
)

var slotNames = [2]string{"cursors.a", "cursors.b"}

// place is where a named reader is.
type place struct {
	Next Seq    `json:"next"` // everything before is committed, or lost
	Lost uint64 `json:"lost"` // records before Next that it never got

	durable Seq     // Next as the cursor files say
	reader  *Reader // nil while nobody reads
}

func (p *place) now() Seq  { return p.Next }
func (p *place) safe() Seq { return p.durable }

// encodeCursors fills whole blocks, so that a file seldom changes its size.
func encodeCursors(generation uint64, places map[string]*place) ([]byte, error) {
	text, err := json.Marshal(places)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, cursorBlock)
	b = append(b, cursorMagic...)
	b = binary.LittleEndian.AppendUint64(b, generation)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	sum := crc32.Update(crc32.Checksum(b[8:20], castagnoli), castagnoli, text)
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = append(b, text...)
	return append(b, make([]byte, -len(b)&(cursorBlock-1))...), nil
}

// decodeCursors reads what encodeCursors wrote.
func decodeCursors(b []byte) (generation uint64, places map[string]*place, err error) {
	if len(b) < cursorHeader || string(b[:8]) != cursorMagic {
		return 0, nil, errors.New("not a cursor file")
	}
	n := int64(binary.LittleEndian.Uint32(b[16:]))
	if n > int64(len(b)-cursorHeader) {
		return 0, nil, errors.New("cursor file is cut short")
	}
	text := b[cursorHeader : cursorHeader+n]
	if crc32.Update(crc32.Checksum(b[8:20], castagnoli), castagnoli, text) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, nil, errors.New("cursor file has a wrong checksum")
	}
	if err := json.Unmarshal(text, &places); err != nil {
		return 0, nil, err
	}
	for name, p := range places {
		if p == nil || p.Next > maxSeq {
			delete(places, name)
		}
	}
	return binary.LittleEndian.Uint64(b[8:]), places, nil
}

// loadCursors takes the newer of the two files that can be read.
func (l *Log) loadCursors(report *Report) {
	for _, name := range slotNames {
		b, err := l.readSmall(name)
		if notThere(err) {
			continue
		}
		var generation uint64
		var places map[string]*place
		if err == nil {
			generation, places, err = decodeCursors(b)
		}
		if err != nil {
			report.add("%s: %v", name, err)
			continue
		}
		if generation >= l.generation && places != nil {
			l.generation, l.places = generation, places
		}
	}
}

func (l *Log) readSmall(name string) ([]byte, error) {
	f, err := l.fs.OpenFile(l.path(name), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(size, maxCursors))
	n, err := f.ReadAt(b, 0)
	if n < len(b) {
		return nil, err
	}
	return b, nil
}

// saveCursors makes the cursors durable and removes what every reader has passed.
func (l *Log) saveCursors() error {
	l.cursorTurn.Lock()
	defer l.cursorTurn.Unlock()
	l.mu.Lock()
	if !l.moved {
		l.mu.Unlock()
		return nil
	}
	l.moved = false
	saved := make(map[string]*place, len(l.places))
	for name, p := range l.places {
		saved[name] = &place{Next: p.Next, Lost: p.Lost}
	}
	l.mu.Unlock()

	err := l.writeCursors(saved)
	if err == nil && l.slots[(l.generation+1)%2] == nil {
		_ = l.writeCursors(saved) // both files get their room before the disk is full
	}
	if errors.Is(noSpace(err), ErrNoSpace) && l.removePassed((*place).now) {
		// Space comes from what was passed. A crash just here makes readers count
		// as lost what they had committed.
		err = l.writeCursors(saved)
	}
	l.mu.Lock()
	if err != nil {
		l.stats.SyncErrors++
		l.move()
		l.mu.Unlock()
		return fmt.Errorf("write cursors: %w", noSpace(err))
	}
	for name, s := range saved {
		if p := l.places[name]; p != nil {
			p.durable = max(p.durable, min(s.Next, p.Next))
		}
	}
	l.mu.Unlock()
	l.removePassed((*place).safe)
	return nil
}

// writeCursors writes the older of the two files. With cursorTurn.
func (l *Log) writeCursors(places map[string]*place) error {
	b, err := encodeCursors(l.generation+1, places)
	if err != nil {
		return err
	}
	slot := (l.generation + 1) % 2
	f := l.slots[slot]
	syncs := uint64(1)
	if f == nil {
		if f, err = l.fs.OpenFile(l.path(slotNames[slot]), os.O_RDWR|os.O_CREATE); err != nil {
			return err
		}
		if err := l.fs.SyncDir(l.dir); err != nil {
			return errors.Join(err, f.Close())
		}
		l.slots[slot] = f
		syncs++
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	l.generation++
	l.mu.Lock()
	l.stats.Written += uint64(len(b))
	l.stats.Fsyncs += syncs
	l.mu.Unlock()
	return nil
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
		l.mu.Unlock()
		_ = l.saveCursors() // counted, and tried again
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
	return l.saveCursors()
}
