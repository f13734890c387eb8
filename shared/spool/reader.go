package spool

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"
)

// Record is one stored record. Data must not be changed: all readers share it.
type Record struct {
	Seq  Seq
	Data []byte
}

// Reader is a named consumer with its own cursor. Only one goroutine may call Next.
// Commit, Lag and Close may be called from any goroutine.
type Reader struct {
	l    *Log
	name string
	wake chan struct{}
	gone chan struct{}

	source source // guarded by its own lock, held while reading

	// Guarded by l.mu.
	cursor *cursor
	pos    Seq // of the next record that Next returns
	gaps   []gap
	marks  []mark // one for each uncommitted batch: its first record
	closed bool
}

// gap is a range of skipped records, from start to before end. It starts behind the
// cursor: the reader has not yet committed all records before it.
type gap struct{ start, end Seq }

// Lag says how far a reader is behind. It covers the records not yet committed.
type Lag struct {
	Records uint64
	Bytes   int64     // exact, but for the segment in which the cursor is: there an estimate
	Oldest  time.Time // when the oldest of these records was appended; zero if there is none
	Lost    uint64    // since the reader was created: records dropped at the cap before it read them, and unreadable records
}

// Reader opens the named reader at its cursor. A new reader begins at the oldest
// record. The spool keeps records that the reader has not committed, until
// RemoveReader. It is an error if the reader is open already.
func (l *Log) Reader(name string) (*Reader, error) { return l.ReaderAt(name, 0) }

// ReaderAt is like Reader, but a new reader begins at seq. Pass Log.Next to skip all
// existing records.
func (l *Log) ReaderAt(name string, seq Seq) (*Reader, error) {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) {
		return nil, fmt.Errorf("reader's name %q: want 1 to 255 bytes of UTF-8", name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil, ErrClosed
	}
	p := l.cursors[name]
	if p == nil {
		p = &cursor{Next: min(max(seq, l.oldest()), l.next)}
		l.cursors[name] = p
		l.noteCursorChange()
	}
	if p.reader != nil {
		return nil, fmt.Errorf("%w: %q", errInUse, name)
	}
	r := &Reader{l: l, name: name, cursor: p, pos: p.Next,
		wake: make(chan struct{}, 1), gone: make(chan struct{})}
	p.reader = r
	return r, nil
}

// Next returns the next records in order, at least one and at most limit. It waits
// for the first. The data of all records is at most maxBytes (0 = no bound); a single
// larger record is returned alone. After a restart Next returns uncommitted records
// again. Errors are ctx's, ErrClosed, or a disk error; after a disk error, call again
// to retry.
func (r *Reader) Next(ctx context.Context, limit, maxBytes int) ([]Record, error) {
	for {
		recs, err := r.take(limit, maxBytes)
		if len(recs) > 0 || err != nil {
			return recs, err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.gone:
			return nil, ErrClosed
		case <-r.l.closed:
			return nil, ErrClosed
		}
	}
}

// Poll is Next without waiting: it returns no records if there are none now. Lag may
// still count records then: those that are lost at the end of a damaged spool.
func (r *Reader) Poll(limit, maxBytes int) ([]Record, error) { return r.take(limit, maxBytes) }

// Commit moves the cursor behind seq: all records up to seq are processed. A reader
// that processes out of order must commit only up to its first unprocessed record.
// The cursor is written within Options.CursorEvery and synced within ten times that,
// at Log.Close and at Log.Sync. If the process is killed before the write, or the
// power fails before the sync, Next returns the records again.
func (r *Reader) Commit(seq Seq) {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	seq = min(seq, l.next-1)
	if r.closed || l.done || seq < r.cursor.Next {
		return
	}
	r.cursor.Next = seq + 1
	r.advanceCursor()
	l.noteCursorChange()
}

// advanceCursor moves the cursor over the gaps that it has reached, counts their
// records as lost, and removes the marks before the cursor. The caller holds l.mu.
func (r *Reader) advanceCursor() {
	k := 0
	for ; k < len(r.gaps) && r.gaps[k].start <= r.cursor.Next; k++ {
		r.cursor.Lost += uint64(r.gaps[k].end - r.gaps[k].start)
		r.cursor.Next = max(r.cursor.Next, r.gaps[k].end)
	}
	r.gaps = r.gaps[k:]
	k = 0
	for k+1 < len(r.marks) && r.marks[k+1].seq <= r.cursor.Next {
		k++
	}
	if r.cursor.Next >= r.pos {
		k = len(r.marks)
	}
	if k > 0 {
		r.marks = r.marks[:copy(r.marks, r.marks[k:])]
	}
}

// skip moves the reader forward to seq. The skipped records count as lost. The caller
// holds l.mu.
func (r *Reader) skip(seq Seq) {
	if seq <= r.pos {
		return
	}
	if k := len(r.gaps); k > 0 && r.gaps[k-1].end == r.pos {
		r.gaps[k-1].end = seq
	} else {
		r.gaps = append(r.gaps, gap{r.pos, seq})
	}
	r.pos = seq
	before := r.cursor.Next
	r.advanceCursor()
	if r.cursor.Next != before {
		r.l.noteCursorChange()
	}
}

// addMark notes the first record of a batch that Next returns. The caller holds l.mu.
func (r *Reader) addMark(m mark) {
	if len(r.marks) == cap(r.marks) && len(r.marks) >= 1024 {
		for i := range len(r.marks) / 2 { // with many uncommitted batches: less exact ages, not more memory
			r.marks[i] = r.marks[2*i]
		}
		r.marks = r.marks[:len(r.marks)/2]
	}
	r.marks = append(r.marks, m)
}

// Lag returns how far the reader is behind, in constant time and without reading the
// disk. For a batch that Next has returned, Oldest is the time of the batch's first
// record. For records from before Open, Oldest may be too early: it is at the
// earliest the time of their segment's first record.
func (r *Reader) Lag() Lag {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	from := max(r.cursor.Next, l.oldest())
	lag := Lag{Records: uint64(l.next - from), Bytes: l.bytesFrom(from), Lost: r.cursor.Lost}
	for _, g := range r.gaps {
		lag.Lost += uint64(g.end - g.start)
	}
	if o := l.oldest(); o > r.pos {
		lag.Lost += uint64(o - r.pos)
	}
	if lag.Records == 0 {
		return lag
	}
	at := l.ages.of(from)
	if len(r.marks) > 0 {
		at = r.marks[0].at
	}
	if at > 0 {
		lag.Oldest = time.Unix(int64(at), 0).UTC()
	}
	return lag
}

// bytesFrom estimates the bytes of the records from seq on. Within seq's segment it
// assumes records of equal size. The caller holds l.mu.
func (l *Log) bytesFrom(seq Seq) int64 {
	seg, size, end := l.at(seq)
	if seg == nil || seq >= end {
		return 0
	}
	newest := l.segs[len(l.segs)-1]
	part := float64(end-seq) / float64(end-seg.first)
	return newest.before + newest.size - seg.before - size + int64(part*float64(size))
}

// Close closes the reader and keeps its cursor, so the name can be opened again.
func (r *Reader) Close() error {
	l := r.l
	l.mu.Lock()
	if r.closed {
		l.mu.Unlock()
		return nil
	}
	r.closed = true
	if r.cursor.reader == r {
		r.cursor.reader = nil
	}
	l.mu.Unlock()
	close(r.gone)
	return r.source.close()
}
