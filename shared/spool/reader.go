package spool

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"
)

// Record is one record. Its Data must not be changed: readers share it.
type Record struct {
	Seq  Seq
	Data []byte
}

// Reader is a named consumer. One goroutine calls Next; Commit, Lag and Close may
// be called from others.
type Reader struct {
	l    *Log
	name string
	wake chan struct{}
	gone chan struct{}

	source source // guarded by its own lock, held while reading

	// Guarded by l.mu.
	place  *place
	pos    Seq // next to hand out
	gaps   []gap
	marks  []mark // of the batches handed out
	closed bool
}

// gap is what a reader skipped, from start to before end, and has not yet committed
// up to.
type gap struct{ start, end Seq }

// Lag is how far a reader is behind: what is not committed.
type Lag struct {
	Records uint64
	Bytes   int64     // estimated within one segment
	Oldest  time.Time // when the oldest was appended; zero if there is none
	Lost    uint64    // over its whole life: dropped at the cap before it came by, or unreadable
}

// Reader opens the named reader where it was, or, if the name is new, at the oldest
// record. From then on the name holds records back, until RemoveReader.
func (l *Log) Reader(name string) (*Reader, error) { return l.ReaderAt(name, 0) }

// ReaderAt is Reader, but a new name begins at seq; Log.Next for what is yet to come.
func (l *Log) ReaderAt(name string, seq Seq) (*Reader, error) {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) {
		return nil, fmt.Errorf("reader's name %q: want 1 to 255 bytes of UTF-8", name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil, ErrClosed
	}
	p := l.places[name]
	if p == nil {
		p = &place{Next: min(max(seq, l.oldest()), l.next)}
		l.places[name] = p
		l.move()
	}
	if p.reader != nil {
		return nil, fmt.Errorf("%w: %q", ErrInUse, name)
	}
	r := &Reader{l: l, name: name, place: p, pos: p.Next,
		wake: make(chan struct{}, 1), gone: make(chan struct{})}
	p.reader = r
	return r, nil
}

// Next returns the records that follow, in order: at least one, at most limit, and
// at most maxBytes of data unless the first alone has more (0 is no bound). It waits
// until there is one. Records that were not committed come again after a restart.
// An error other than ctx's and ErrClosed is the disk's; calling again tries again.
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

// Commit says that everything up to seq is done with. The cursor is written within
// Options.CursorEvery and durable within ten times that, at Close and at Log.Sync;
// until then a kill, or a power cut, brings the records again. Whoever finishes out
// of order commits what is finished without a gap.
func (r *Reader) Commit(seq Seq) {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	seq = min(seq, l.next-1)
	if r.closed || l.done || seq < r.place.Next {
		return
	}
	r.place.Next = seq + 1
	r.settle()
	l.move()
}

// settle moves the cursor over gaps it has reached. With l.mu.
func (r *Reader) settle() {
	k := 0
	for ; k < len(r.gaps) && r.gaps[k].start <= r.place.Next; k++ {
		r.place.Lost += uint64(r.gaps[k].end - r.gaps[k].start)
		r.place.Next = max(r.place.Next, r.gaps[k].end)
	}
	r.gaps = r.gaps[k:]
	k = 0
	for k+1 < len(r.marks) && r.marks[k+1].seq <= r.place.Next {
		k++
	}
	if r.place.Next >= r.pos {
		k = len(r.marks)
	}
	if k > 0 {
		r.marks = r.marks[:copy(r.marks, r.marks[k:])]
	}
}

// skip counts as lost what lies before seq and was not handed out. With l.mu.
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
	before := r.place.Next
	r.settle()
	if r.place.Next != before {
		r.l.move()
	}
}

// handedOut notes a batch. With l.mu.
func (r *Reader) handedOut(m mark) {
	if len(r.marks) == cap(r.marks) && len(r.marks) >= 1024 {
		for i := range len(r.marks) / 2 { // whoever commits late gets a coarser age, not more memory
			r.marks[i] = r.marks[2*i]
		}
		r.marks = r.marks[:len(r.marks)/2]
	}
	r.marks = append(r.marks, m)
}

// Lag tells how far the reader is behind. It costs the same however much there is,
// and reads nothing. Oldest is the time of the batch's oldest, once it is handed
// out, and may be earlier than it was for what was there before Open, by a segment
// at most.
func (r *Reader) Lag() Lag {
	l := r.l
	l.mu.Lock()
	defer l.mu.Unlock()
	from := max(r.place.Next, l.oldest())
	lag := Lag{Records: uint64(l.next - from), Bytes: l.bytesFrom(from), Lost: r.place.Lost}
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

// bytesFrom estimates the bytes from seq on. With l.mu.
func (l *Log) bytesFrom(seq Seq) int64 {
	seg, size, end := l.at(seq)
	if seg == nil || seq >= end {
		return 0
	}
	newest := l.segs[len(l.segs)-1]
	part := float64(end-seq) / float64(end-seg.first)
	return newest.before + newest.size - seg.before - size + int64(part*float64(size))
}

// Close ends the reader; its cursor stays. The name may then be opened again.
func (r *Reader) Close() error {
	l := r.l
	l.mu.Lock()
	if r.closed {
		l.mu.Unlock()
		return nil
	}
	r.closed = true
	if r.place.reader == r {
		r.place.reader = nil
	}
	l.mu.Unlock()
	close(r.gone)
	return r.source.close()
}
