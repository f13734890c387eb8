package spool

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"syscall"
)

// giveUpAfter is how many calls of Next in a row may fail with EIO. Then the rest of
// the segment counts as lost, so that a bad sector does not stop a reader for ever.
const giveUpAfter = 3

// source reads a reader's records: from memory while the reader keeps up with the
// appends, else from a segment's file.
type source struct {
	mu     sync.Mutex
	closed bool

	// The position in memory: record seq is at off in chunk.
	chunk *chunk
	seq   Seq
	off   int

	// The position on disk.
	seg      *segment
	file     File // of seg; nil if no file is open
	scan     *scanner
	failures int // calls in a row that failed with EIO
}

// view is the range of records that a reader can read next, from pos to before end.
// They are in memory (chunk, with its published bytes buf) or on disk (seg, with its
// published size).
type view struct {
	pos, end Seq
	chunk    *chunk
	buf      []byte
	seg      *segment
	size     int64
}

// batch collects the records that one call of Next returns.
type batch struct {
	recs            []Record
	limit, maxBytes int
	bytes           int
	full            bool
	at              uint32 // when the first record was appended, unix seconds
}

// add adds a record to the batch. It returns false if the record exceeds maxBytes.
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

// take returns the next records without waiting; none if there are no more.
func (r *Reader) take(limit, maxBytes int) ([]Record, error) {
	s := &r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch{limit: max(limit, 1), maxBytes: maxBytes}
	for !b.full {
		if s.closed {
			return nil, ErrClosed
		}
		v, ok := r.nextView()
		if !ok {
			break
		}
		if b.recs == nil {
			b.recs = make([]Record, 0, min(Seq(b.limit), v.end-v.pos, 1024))
		}
		if v.chunk != nil {
			r.setPos(s.fromMemory(v, &b))
		} else if err := r.fromDisk(v, &b); err != nil {
			if len(b.recs) == 0 {
				return nil, fmt.Errorf("read spool: %w", err)
			}
			break
		}
	}
	if len(b.recs) > 0 {
		r.l.mu.Lock()
		r.addMark(mark{b.recs[0].Seq, b.at})
		r.l.mu.Unlock()
	}
	return b.recs, nil
}

// nextView finds the records at the reader's position. It skips records that were
// dropped at the cap. ok is false if there are no more records.
func (r *Reader) nextView() (v view, ok bool) {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	r.pos = max(r.pos, r.cursor.Next)
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

// setPos sets the reader's position.
func (r *Reader) setPos(pos Seq) {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.pos = pos
}

// fromMemory adds records of v's chunk to b and returns the next position.
func (s *source) fromMemory(v view, b *batch) Seq {
	_ = s.closeFile()
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

// fromDisk adds records of v's segment to b. It returns an error if a retry may help;
// otherwise it skips the rest of the segment.
func (r *Reader) fromDisk(v view, b *batch) error {
	s := &r.source
	if err := s.openAt(r.l, v); err != nil {
		if !notExist(err) {
			return err
		}
		r.skipRest(v, 0)
		return nil
	}
	for pos := v.pos; !b.full && pos < v.end; {
		off, num := s.scan.off, s.scan.num
		f, err := s.scan.next()
		if err != nil && s.mayRetry(err) {
			return err
		}
		if err != nil {
			r.skipRest(v, s.scan.off)
			return nil
		}
		s.failures = 0
		seq := v.seg.first + Seq(f.num) - 1
		if seq < v.pos {
			continue // the scan began before v.pos
		}
		if !b.add(seq, f) {
			s.scan.off, s.scan.num = off, num // the next call reads this record again
			return nil
		}
		r.l.mu.Lock()
		r.skip(seq) // records before seq that the scan did not find
		r.pos = seq + 1
		r.l.mu.Unlock()
		pos = seq + 1
	}
	return nil
}

// mayRetry reports whether a scan that failed with err may succeed later. It is false
// for io.EOF, the end of the segment's readable records, and after repeated EIO.
func (s *source) mayRetry(err error) bool {
	if errors.Is(err, io.EOF) {
		return false
	}
	if !errors.Is(err, syscall.EIO) {
		return true
	}
	s.failures++
	return s.failures < giveUpAfter
}

// skipRest skips the rest of v's segment, from offset off on, as lost.
func (r *Reader) skipRest(v view, off int64) {
	s := &r.source
	s.failures = 0
	_ = s.closeFile()
	r.l.unreadable(v.seg, off)
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.skip(v.end)
}

// openAt opens v's segment, unless it is open, and places the scan at or before v.pos.
func (s *source) openAt(l *Log, v view) error {
	if s.file == nil || s.seg != v.seg || v.seg.first+Seq(s.scan.num) > v.pos {
		_ = s.closeFile()
		f, err := l.fs.OpenFile(l.path(v.seg.name()), os.O_RDONLY)
		if err != nil {
			return err
		}
		s.seg, s.file = v.seg, f
		s.scan = newScanner(f, v.seg.first, v.size)
		s.scan.bad = func(off int64) { l.unreadable(v.seg, off) }
	}
	s.scan.size = v.size
	s.scan.limit = uint32(min(v.end-v.seg.first, math.MaxUint32))
	return nil
}

// closeFile closes the segment's file, if one is open.
func (s *source) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.scan, s.seg = nil, nil, nil
	return err
}

// close closes the file and ends the source: take then returns ErrClosed.
func (s *source) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.chunk = nil
	return s.closeFile()
}
