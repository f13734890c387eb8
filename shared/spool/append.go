package spool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// groupBytes is the largest group, unless a single call has more. It bounds the
// memory for encoded records, beside the callers' own copies.
const groupBytes = 1 << 20

// request is one call of Append.
type request struct {
	records [][]byte
	bytes   int64 // on disk
	first   Seq
	err     error
}

// group holds the requests that are written and synced together, in one segment.
type group struct {
	reqs  []*request
	bytes int64
	n     int64         // records
	done  chan struct{} // closed when every request has its result
}

// Append stores records under consecutive numbers and returns the first number. It
// returns once the records are durable (see Options.Sync). Concurrent calls share
// one fsync. After an error none of the records counts as stored, but after a failed
// fsync or a power cut readers may still get some of them. If ctx ends first, the
// call is withdrawn and returns ctx's error. A call whose write has begun cannot be
// withdrawn: it returns the write's result.
func (l *Log) Append(ctx context.Context, records ...[]byte) (Seq, error) {
	q := &request{records: records}
	for _, r := range records {
		if len(r) > maxData {
			return 0, errTooLarge
		}
		q.bytes += headerLen + int64(len(r))
	}
	if q.bytes > l.opt.MaxBytes || int64(len(records)) > l.opt.MaxRecords {
		return 0, errTooLarge
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	g, err := l.enqueue(q)
	if err != nil {
		return 0, err
	}
	for {
		select {
		case <-g.done:
			return q.first, q.err
		case l.writeLock <- struct{}{}:
			// Callers that just returned often append again at once. Let them join
			// this group.
			runtime.Gosched()
			l.writeGroup()
			<-l.writeLock
		case <-ctx.Done():
			if l.withdraw(g, q) {
				return 0, ctx.Err()
			}
			<-g.done
			return q.first, q.err
		}
	}
}

// enqueue adds q to the newest waiting group, or to a new group if q does not fit.
func (l *Log) enqueue(q *request) (*group, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil, ErrClosed
	}
	var g *group
	n := int64(len(q.records))
	if len(l.waiting) > 0 {
		g = l.waiting[len(l.waiting)-1]
	}
	if g == nil || g.bytes+q.bytes > min(l.opt.SegmentBytes, groupBytes) || g.n+n > l.segmentRecords {
		g = &group{done: make(chan struct{})}
		l.waiting = append(l.waiting, g)
	}
	g.reqs = append(g.reqs, q)
	g.bytes += q.bytes
	g.n += n
	return g, nil
}

// withdraw removes q from its group. It returns false if the group's write has begun.
func (l *Log) withdraw(g *group, q *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.waiting, g) {
		return false
	}
	g.reqs = slices.DeleteFunc(g.reqs, func(r *request) bool { return r == q })
	g.bytes -= q.bytes
	g.n -= int64(len(q.records))
	return true
}

// writeGroup writes the oldest waiting group. It returns false if no group waits.
// The caller holds writeLock.
func (l *Log) writeGroup() bool {
	l.mu.Lock()
	if len(l.waiting) == 0 {
		l.mu.Unlock()
		return false
	}
	g := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	l.mu.Unlock()

	g.bytes, g.n = 0, 0
	reqs := make([]*request, 0, len(g.reqs))
	for _, q := range g.reqs {
		n := int64(len(q.records))
		if q.err = l.makeRoom(g.bytes+q.bytes, g.n+n); q.err == nil {
			reqs = append(reqs, q)
			g.bytes += q.bytes
			g.n += n
		}
	}
	if len(reqs) > 0 {
		if err := l.write(g, reqs); err != nil {
			err = fmt.Errorf("append to spool: %w", noSpace(err))
			for _, q := range reqs {
				q.first, q.err = 0, err
			}
		}
	}
	close(g.done)
	return true
}

// write writes and syncs reqs, then publishes them to readers.
func (l *Log) write(g *group, reqs []*request) error {
	seg, err := l.segmentFor(g.bytes, g.n)
	if err != nil {
		return err
	}
	seed, at := seedOf(seg.first), uint32(max(l.opt.Now().Unix(), 0))
	next, d := l.next, l.tail.newDraft(at)
	for _, q := range reqs {
		q.first = next
		for _, data := range q.records {
			d.add(next, seed, uint32(next-seg.first)+1, data)
			next++
		}
	}
	end := seg.size
	for part := range d.parts {
		if _, err := l.out.WriteAt(part, end); err != nil {
			l.discard(seg.size, false)
			return err
		}
		end += int64(len(part))
	}
	if l.opt.Sync == 0 {
		if err := l.out.Sync(); err != nil {
			l.discard(seg.size, true)
			return err
		}
	}
	l.publish(seg, end, next, d)
	return nil
}

// discard truncates the newest segment to size after a failed write or fsync. After
// a failed fsync (syncFailed), it is unknown which bytes of the file are on disk. The
// next group then begins a new segment. Readers ignore records in this segment from
// the new segment's first number on.
func (l *Log) discard(size int64, syncFailed bool) {
	if err := l.out.Truncate(size); err != nil || syncFailed {
		_ = errors.Join(l.syncSegment(), l.closeSegment()) // the caller returns the first error
	}
}

// publish makes the written records visible to readers and wakes them.
func (l *Log) publish(seg *segment, end int64, next Seq, d draft) {
	l.mu.Lock()
	defer l.mu.Unlock()
	written := end - seg.size
	l.stats.Appended += uint64(next - l.next)
	l.stats.Written += uint64(written)
	l.stats.groups++
	l.bytes += written
	if next > l.next {
		l.ages.add(l.next, d.at)
	}
	seg.size, l.next = end, next
	l.tail.publish(d, l.opt.Memory)
	if l.opt.Sync == 0 {
		l.stats.Fsyncs++
	} else if l.unsynced = true; !l.syncScheduled && l.opt.Sync > 0 {
		l.syncScheduled = true
		time.AfterFunc(l.opt.Sync, l.syncLater)
	}
	for _, p := range l.cursors {
		if p.reader != nil {
			select {
			case p.reader.wake <- struct{}{}:
			default:
			}
		}
	}
}

// syncLater does the delayed fsync of Options.Sync.
func (l *Log) syncLater() {
	l.writeLock <- struct{}{}
	defer func() { <-l.writeLock }()
	l.mu.Lock()
	l.syncScheduled = false
	l.mu.Unlock()
	_ = l.syncSegment() // Stats counts the errors
}
