package spool

import (
	"errors"
	"math"
	"os"
	"sort"
)

// segmentFor returns the segment for a group of that many bytes and n records. If the
// newest segment has no room, it begins a new one.
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

// roll begins a new segment at the next sequence number. The caller holds writeLock.
func (l *Log) roll() (*segment, error) {
	// SyncRecords reports an error of this sync. The new segment is not affected.
	_ = errors.Join(l.syncSegment(), l.closeSegment())
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
		l.bytes -= l.segs[k-1].size // it has no valid record
		l.segs[k-1] = seg
		return seg, nil
	}
	if k > 0 {
		seg.before = l.segs[k-1].before + l.segs[k-1].size
	}
	l.segs = append(l.segs, seg)
	return seg, nil
}

// syncSegment syncs the records written since the last sync. A kernel reports a
// failed fsync only once, so syncFailedBefore remembers which records it affects. The
// caller holds writeLock.
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
		l.syncFailedBefore = l.next
		err = errors.Join(err, l.closeSegment())
	}
	return err
}

// closeSegment closes the newest segment, so that the next group begins a new one.
// The caller holds writeLock.
func (l *Log) closeSegment() error {
	if l.out == nil {
		return nil
	}
	err := l.out.Close()
	l.out = nil
	return err
}

// makeRoom makes room under the cap for a group of that many bytes and n records.
// With RefuseNewest it returns ErrFull if consumed segments do not free enough. The
// caller holds writeLock.
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

// over reports whether a group of that many bytes and n records would exceed the cap.
func (l *Log) over(bytes, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes > l.opt.MaxBytes-bytes || int64(l.next-l.oldest()) > l.opt.MaxRecords-n
}

// freeConsumed writes the cursors now, so that the segments that every reader has
// committed can be removed. The newest segment is never removed. If it is the only
// segment and all its records are committed, freeConsumed begins a new one first.
func (l *Log) freeConsumed() error {
	l.mu.Lock()
	consumed, any := l.consumed((*cursor).committed)
	onlyNewest := any && consumed >= l.next && l.out != nil && len(l.segs) == 1
	frees := any && (onlyNewest || len(l.segs) > 1 && l.segs[1].first <= consumed)
	l.mu.Unlock()
	if !frees {
		return nil
	}
	if onlyNewest {
		if _, err := l.roll(); err != nil {
			return err
		}
	}
	_ = l.saveCursors(true) // Stats counts the errors; makeRoom checks the space again
	return nil
}

// consumed returns the lowest cursor of all readers: each has committed or lost every
// record before it. by selects the cursor in memory (committed) or the one last
// synced (onDisk). any is false if there are no readers. The caller holds l.mu.
func (l *Log) consumed(by func(*cursor) Seq) (seq Seq, any bool) {
	seq = math.MaxUint64
	for _, p := range l.cursors {
		seq = min(seq, by(p))
	}
	return seq, len(l.cursors) > 0
}

// removeConsumed removes the segments that lie wholly before the lowest cursor, and
// reports whether there was one.
func (l *Log) removeConsumed(by func(*cursor) Seq) (freed bool) {
	l.mu.Lock()
	consumed, any := l.consumed(by)
	k := 0
	for any && k+1 < len(l.segs) && l.segs[k+1].first <= consumed {
		l.bytes -= l.segs[k].size
		k++
	}
	removed := l.segs[:k:k]
	l.segs = l.segs[k:]
	l.ages.forget(l.oldest())
	l.mu.Unlock()
	for _, seg := range removed {
		// A file that cannot be removed now is removed after the next Open.
		_ = l.fs.Remove(l.path(seg.name()))
	}
	return k > 0
}

// dropOldest removes the oldest segment because the cap is reached. Stats.Dropped
// counts its records that some reader had not committed. The caller holds writeLock.
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
	if consumed, any := l.consumed((*cursor).committed); any {
		from = min(max(from, consumed), end)
	}
	l.stats.Dropped += uint64(end - from)
	l.ages.forget(end)
	l.mu.Unlock()
	if err := l.fs.Remove(l.path(seg.name())); err != nil && !notExist(err) {
		return err
	}
	return nil
}

// at returns the segment that holds seq, its published size in bytes, and the first
// sequence number behind it. seg is nil if seq is older than the oldest segment. The
// caller holds l.mu.
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

// unreadable counts the damaged range at off, once, however many readers skip it.
func (l *Log) unreadable(seg *segment, off int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if off >= seg.bad {
		seg.bad = off + 1
		l.stats.corrupt++
	}
}
