package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// giveUpAfter calls of Next that met EIO, the rest of a segment counts as unreadable:
// a dead sector must not hold a reader for ever.
const giveUpAfter = 3

// source is where a reader's records come from: memory while it keeps up, else a
// segment's file.
type source struct {
	mu     sync.Mutex
	closed bool

	chunk *chunk // where it is in memory
	seq   Seq
	off   int

	seg      *segment // where it is on disk
	file     File
	scan     *scanner
	failures int
}

// view is what a reader can read next: records from pos to before end, in buf or
// in seg.
type view struct {
	pos, end Seq
	chunk    *chunk
	buf      []byte
	seg      *segment
	size     int64
}

// batch collects what one call of Next returns.
type batch struct {
	recs            []Record
	limit, maxBytes int
	bytes           int
	full            bool
	at              uint32 // of the first record
}

// add takes a record unless it would be too much.
func (b *batch) add(seq Seq, f frame) bool {
	if len(b.recs) > 0 && b.maxBytes > 0 && b.bytes+len(f.data) > b.maxBytes {
		b.full = true
		return false
	}
	if len(b.recs) == 0 {
		b.at = f.at
	}
	b.recs = append(b.recs, Record{seq, f.data})
	b.bytes += len(f.data)
	b.full = len(b.recs) == b.limit
	return true
}

// take returns what is there now, possibly nothing.
func (r *Reader) take(limit, maxBytes int) ([]Record, error) {
	s := &r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch{limit: max(limit, 1), maxBytes: maxBytes}
	for !b.full {
		if s.closed {
			return nil, ErrClosed
		}
		v, ok := r.look()
		if !ok {
			break
		}
		if b.recs == nil {
			b.recs = make([]Record, 0, min(Seq(b.limit), v.end-v.pos, 1024))
		}
		if v.chunk != nil {
			r.moveTo(s.fromMemory(v, &b))
		} else if err := r.fromDisk(v, &b); err != nil {
			if len(b.recs) == 0 {
				return nil, fmt.Errorf("read spool: %w", err)
			}
			break
		}
	}
	if len(b.recs) > 0 {
		r.l.mu.Lock()
		r.handedOut(mark{b.recs[0].Seq, b.at})
		r.l.mu.Unlock()
	}
	return b.recs, nil
}

// look finds what comes next; false if there is nothing.
func (r *Reader) look() (v view, ok bool) {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	r.pos = max(r.pos, r.place.Next)
	r.skip(l.oldest())
	if r.pos >= l.next {
		return v, false
	}
	v.pos, v.end = r.pos, l.next
	if v.chunk = l.tail.find(r.pos); v.chunk != nil {
		v.buf = v.chunk.buf
		return v, true
	}
	v.seg, v.size, v.end = l.at(r.pos)
	return v, true
}

func (r *Reader) moveTo(pos Seq) {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.pos = pos
}

// fromMemory takes records out of v's chunk and returns where it came to.
func (s *source) fromMemory(v view, b *batch) Seq {
	_ = s.drop() // it keeps up: no file needed
	if s.chunk != v.chunk || s.seq > v.pos {
		s.chunk, s.seq, s.off = v.chunk, v.chunk.first, 0
	}
	for s.off < len(v.buf) && !b.full {
		f, n := parse(v.buf[s.off:])
		if s.seq >= v.pos && !b.add(s.seq, f) {
			break
		}
		s.off += n
		s.seq++
	}
	return s.seq
}

// fromDisk takes records out of v's segment. It returns an error only where calling
// again may help.
func (r *Reader) fromDisk(v view, b *batch) error {
	s := &r.source
	if err := s.openAt(r.l, v); err != nil {
		if !notThere(err) {
			return err
		}
		r.skipRest(v, 0)
		return nil
	}
	for pos := v.pos; !b.full && pos < v.end; {
		off, num := s.scan.off, s.scan.num
		f, err := s.scan.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				if !errors.Is(err, syscall.EIO) {
					return err
				}
				if s.failures++; s.failures < giveUpAfter {
					return err
				}
			}
			r.skipRest(v, s.scan.off)
			return nil
		}
		s.failures = 0
		seq := v.seg.first + Seq(f.num) - 1
		if seq < v.pos {
			continue
		}
		if !b.add(seq, f) {
			s.scan.off, s.scan.num = off, num
			return nil
		}
		r.l.mu.Lock()
		r.skip(seq)
		r.pos = seq + 1
		r.l.mu.Unlock()
		pos = seq + 1
	}
	return nil
}

// skipRest gives up what v's segment should still have from off on.
func (r *Reader) skipRest(v view, off int64) {
	s := &r.source
	s.failures = 0
	_ = s.drop()
	r.l.unreadable(v.seg, off)
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.skip(v.end)
}

// openAt makes the scan stand in v's segment, at v.pos or before.
func (s *source) openAt(l *Log, v view) error {
	if s.file == nil || s.seg != v.seg || v.seg.first+Seq(s.scan.num) > v.pos {
		_ = s.drop()
		f, err := l.fs.OpenFile(l.path(v.seg.name()), os.O_RDONLY)
		if err != nil {
			return err
		}
		s.seg, s.file = v.seg, f
		s.scan = newScanner(f, v.seg.first, v.size)
		s.scan.bad = func(off int64) { l.unreadable(v.seg, off) }
	}
	s.scan.size = v.size
	s.scan.limit = uint32(v.end - v.seg.first)
	return nil
}

// drop closes the file.
func (s *source) drop() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.scan, s.seg = nil, nil, nil
	return err
}

func (s *source) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.chunk = nil
	return s.drop()
}
