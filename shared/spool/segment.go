package spool

import (
	"errors"
	"math"
	"os"
	"sort"
)

// segmentFor returns the segment to write to, a new one where the newest is full.
func (l *Log) segmentFor(bytes, n int64) (*segment, error) {
	if l.out == nil {
		return l.roll()
	}
	l.mu.Lock()
	seg := l.segs[len(l.segs)-1]
	l.mu.Unlock()
	count := int64(l.next - seg.first)
	if count > 0 && (seg.size+bytes > l.opt.SegmentBytes || count+n > l.segmentRecords) {
		return l.roll()
	}
	return seg, nil
}

// roll begins a new segment at the next number. With the turn.
func (l *Log) roll() (*segment, error) {
	// Should it fail, SyncRecords says so of the records; the new segment is none the worse.
	_ = errors.Join(l.syncSegment(), l.leaveSegment())
	seg := &segment{first: l.next}
	f, err := l.fs.OpenFile(l.path(seg.name()), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l.out = f
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Fsyncs++
	k := len(l.segs)
	if k > 0 && l.segs[k-1].first == seg.first {
		seg.before = l.segs[k-1].before
		l.bytes -= l.segs[k-1].size // nothing in it counted
		l.segs[k-1] = seg
		return seg, nil
	}
	if k > 0 {
		seg.before = l.segs[k-1].before + l.segs[k-1].size
	}
	l.segs = append(l.segs, seg)
	return seg, nil
}

// syncSegment makes durable what was written since the last sync. Of what it could
// not, the disk does not tell a second time: l.unsure remembers it. With the turn.
func (l *Log) syncSegment() error {
	if l.out == nil || !l.unsynced {
		return nil
	}
	err := l.out.Sync()
	l.unsynced = false
	l.mu.Lock()
	l.stats.Fsyncs++
	if err != nil {
		l.stats.SyncErrors++
	}
	l.mu.Unlock()
	if err != nil {
		l.unsure = l.next
		err = errors.Join(err, l.leaveSegment())
	}
	return err
}

// leaveSegment closes the newest segment; the next group begins a new one. With the turn.
func (l *Log) leaveSegment() error {
	if l.out == nil {
		return nil
	}
	err := l.out.Close()
	l.out = nil
	return err
}

// makeRoom lets a group of that many bytes and records stay under the cap. With the turn.
func (l *Log) makeRoom(bytes, n int64) error {
	if !l.over(bytes, n) {
		return nil
	}
	if err := l.freeConsumed(); err != nil {
		return noSpace(err)
	}
	for l.over(bytes, n) {
		if l.opt.Policy == RefuseNewest {
			return ErrFull
		}
		if err := l.dropOldest(); err != nil {
			return noSpace(err)
		}
	}
	return nil
}

func (l *Log) over(bytes, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes > l.opt.MaxBytes-bytes || int64(l.next-l.oldest()) > l.opt.MaxRecords-n
}

// freeConsumed removes what every reader has passed, without waiting for the next
// regular write of the cursors.
func (l *Log) freeConsumed() error {
	l.mu.Lock()
	passed, any := l.passed((*place).now)
	idle := any && passed >= l.next && l.out != nil && len(l.segs) == 1
	frees := any && (idle || len(l.segs) > 1 && l.segs[1].first <= passed)
	l.mu.Unlock()
	if !frees {
		return nil
	}
	if idle { // the newest segment is never removed
		if _, err := l.roll(); err != nil {
			return err
		}
	}
	_ = l.saveCursors(true) // counted; what it could not free, the cap deals with
	return nil
}

// passed is the number before which every reader has passed, by now or by durable.
// With l.mu. Without readers nothing is passed.
func (l *Log) passed(by func(*place) Seq) (seq Seq, any bool) {
	seq = math.MaxUint64
	for _, p := range l.places {
		seq = min(seq, by(p))
	}
	return seq, len(l.places) > 0
}

// removePassed removes the segments before the number that every reader has passed.
func (l *Log) removePassed(by func(*place) Seq) (freed bool) {
	l.mu.Lock()
	passed, any := l.passed(by)
	k := 0
	for any && k+1 < len(l.segs) && l.segs[k+1].first <= passed {
		l.bytes -= l.segs[k].size
		k++
	}
	gone := l.segs[:k:k]
	l.segs = l.segs[k:]
	l.ages.forget(l.oldest())
	l.mu.Unlock()
	for _, seg := range gone {
		// What cannot be removed now is removed after the next start.
		_ = l.fs.Remove(l.path(seg.name()))
	}
	return k > 0
}

// dropOldest removes the oldest segment for the cap's sake. With the turn.
func (l *Log) dropOldest() error {
	l.mu.Lock()
	single := len(l.segs) == 1
	l.mu.Unlock()
	if single {
		if _, err := l.roll(); err != nil {
			return err
		}
	}
	l.mu.Lock()
	seg, end := l.segs[0], l.segs[1].first
	l.segs = l.segs[1:]
	l.bytes -= seg.size
	from := seg.first
	if passed, any := l.passed((*place).now); any {
		from = min(max(from, passed), end)
	}
	l.stats.Dropped += uint64(end - from)
	l.ages.forget(end)
	l.mu.Unlock()
	if err := l.fs.Remove(l.path(seg.name())); err != nil && !notThere(err) {
		return err
	}
	return nil
}

// at returns the segment that holds seq, how far it is published, and the number
// at which the next one begins. With l.mu.
func (l *Log) at(seq Seq) (seg *segment, size int64, end Seq) {
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].first > seq }) - 1
	if i < 0 {
		return nil, 0, 0
	}
	end = l.next
	if i+1 < len(l.segs) {
		end = l.segs[i+1].first
	}
	return l.segs[i], l.segs[i].size, end
}

// unreadable counts a place in a segment that cannot be read, once.
func (l *Log) unreadable(seg *segment, off int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if off >= seg.bad {
		seg.bad = off + 1
		l.stats.Corrupt++
	}
}
