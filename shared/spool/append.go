package spool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// groupBytes ends a group, unless one call alone has more. It bounds what waits in
// memory beside the callers' own records.
const groupBytes = 1 << 20

// request is one call of Append.
type request struct {
	records [][]byte
	bytes   int64 // on disk
	first   Seq
	err     error
}

// group is what goes to disk at once, into one segment.
type group struct {
	reqs  []*request
	bytes int64
	n     int64
	done  chan struct{} // closed when every request has its answer
}

// Append stores records in a row and returns the number of the first. It returns
// once they are durable (see Options.Sync); callers at the same time share one
// fsync. With an error none of them counts as stored; after a failed fsync or a
// power cut some may turn up all the same. If ctx ends first, the call is withdrawn,
// unless it is being written already: then the answer is waited for.
func (l *Log) Append(ctx context.Context, records ...[]byte) (Seq, error) {
	q := &request{records: records}
	for _, r := range records {
		if len(r) > maxData {
			return 0, ErrTooLarge
		}
		q.bytes += headerLen + int64(len(r))
	}
	if q.bytes > l.opt.MaxBytes || int64(len(records)) > l.opt.MaxRecords {
		return 0, ErrTooLarge
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
		case l.turn <- struct{}{}:
			// Whoever was just answered comes back with more: let them in first.
			runtime.Gosched()
			l.writeGroup()
			<-l.turn
		case <-ctx.Done():
			if l.withdraw(g, q) {
				return 0, ctx.Err()
			}
			<-g.done
			return q.first, q.err
		}
	}
}

// enqueue adds q to the group that gathers.
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

// withdraw takes q back; false if its group is being written.
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

// writeGroup writes the group that waits longest; false if there is none. With the turn.
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

// write puts reqs on disk and shows them to readers.
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
			l.cut(seg.size, false)
			return err
		}
		end += int64(len(part))
	}
	if l.opt.Sync == 0 {
		if err := l.out.Sync(); err != nil {
			l.cut(seg.size, true)
			return err
		}
	}
	l.publish(seg, end, next, d)
	return nil
}

// cut takes back what was written beyond size. After a failed fsync nobody knows
// what of the file's end is on disk, so the next group begins a new segment, whose
// number makes what is left here void.
func (l *Log) cut(size int64, leave bool) {
	if err := l.out.Truncate(size); err != nil || leave {
		_ = errors.Join(l.syncSegment(), l.leaveSegment()) // the caller hears of the first error
	}
}

// publish shows what was written.
func (l *Log) publish(seg *segment, end int64, next Seq, d draft) {
	l.mu.Lock()
	defer l.mu.Unlock()
	written := end - seg.size
	l.stats.Appended += uint64(next - l.next)
	l.stats.Written += uint64(written)
	l.stats.Groups++
	l.bytes += written
	if next > l.next {
		l.ages.add(l.next, d.at)
	}
	seg.size, l.next = end, next
	l.tail.publish(d, l.opt.Memory)
	if l.opt.Sync == 0 {
		l.stats.Fsyncs++
	} else if l.unsynced = true; !l.syncing && l.opt.Sync > 0 {
		l.syncing = true
		time.AfterFunc(l.opt.Sync, l.syncLater)
	}
	for _, p := range l.places {
		if p.reader != nil {
			select {
			case p.reader.wake <- struct{}{}:
			default:
			}
		}
	}
}

// syncLater is the fsync of Options.Sync.
func (l *Log) syncLater() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.mu.Lock()
	l.syncing = false
	l.mu.Unlock()
	_ = l.syncSegment() // counted
}
