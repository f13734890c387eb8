package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/shared/folder"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	readerName  = "mqtt"           // of the spool's reader, whose cursor is kept under this name
	diskWait    = 10 * time.Second // deadline of a write
	diskRetry   = 5 * time.Second  // after a failed write
	batch       = 200              // most readings in one write or read
	batchBytes  = 256 << 10        // most bytes in one read
	spoolMemory = 64 << 10         // bytes; small, since Linux caches the files
)

// backlog holds the readings that cannot be published at once. They are on disk, or in
// memory while the disk takes none.
type backlog struct {
	dir        string
	options    spool.Options
	maxMemory  int // bytes of pending readings
	up         uptime
	timekeeper *timekeeper
	monitor    *monitor
	log        *slog.Logger

	spool        *spool.Log // nil while the disk cannot be used
	reader       *spool.Reader
	pos          spool.Seq       // of the last record that reader returned
	posKnown     bool            // pos is valid
	unread       []spool.Record  // read from disk, not yet returned by next
	lastReturned spool.Seq       // position of the last reading that next returned
	boots        map[string]bool // boots of which next returned readings since the reader was opened

	pending    []*record     // in memory, to be written to disk
	bytes      int           // of pending
	retryAt    time.Duration // when the next write is due after a failure, by up
	diskFailed bool          // the last write failed
	readFailed bool          // the last read failed
}

// queued is a reading on disk and its position in the spool.
type queued struct {
	pos spool.Seq
	*record
}

func newBacklog(c Config, fs spool.FS, up uptime, tk *timekeeper, m *monitor, log *slog.Logger) *backlog {
	maxBytes := c.SpoolMiB << 20
	if size, _, err := folder.Disk(c.Dir); err == nil {
		maxBytes = max(min(maxBytes, size/4*3), 1<<20) // on a small disk the oldest readings are dropped, too, not the newest
	}
	return &backlog{
		dir: c.Dir, maxMemory: c.KeepMiB << 20, up: up, timekeeper: tk, monitor: m, log: log,
		options: spool.Options{
			MaxBytes: maxBytes, MaxRecords: c.SpoolRecords, Policy: spool.DropOldest,
			Sync: c.SpoolSync, Memory: spoolMemory, FS: fs,
		},
	}
}

// open opens the spool. If the disk cannot be used it logs that and returns nil; flush
// tries again later. It returns spool.ErrLocked if another agent uses the spool.
func (b *backlog) open() error {
	l, report, err := spool.Open(b.dir, b.options)
	if err == nil {
		var r *spool.Reader
		if r, err = l.Reader(readerName); err == nil {
			_ = l.Sync() // writes the reader's first cursor now, not later while online
			b.spool, b.reader = l, r
			b.resetReads()
			b.monitor.setSpool(l, r)
			b.logOpened(report)
			b.noteDisk(nil)
			return nil
		}
		err = errors.Join(err, l.Close())
	}
	if errors.Is(err, spool.ErrLocked) {
		return fmt.Errorf("%w: stop the other agent, or name another folder with SPOOL_DIR", err)
	}
	b.noteDisk(err)
	return nil
}

func (b *backlog) logOpened(r spool.Report) {
	for _, p := range r.Problems {
		b.log.Warn("the spool was damaged and is repaired", "problem", p)
	}
	if n := b.reader.Lag().Records; n > 0 {
		b.log.Info("readings of an earlier run are on disk", "readings", n)
	}
}

// noteDisk logs when the disk stops taking readings and when it takes them again.
func (b *backlog) noteDisk(err error) {
	switch {
	case err != nil && !b.diskFailed:
		b.log.Error("readings cannot be written to disk; they are kept in memory", "err", folder.Explain(err, "SPOOL_DIR", b.dir))
	case err == nil && b.diskFailed:
		b.log.Info("readings are written to disk again")
	}
	b.diskFailed = err != nil
}

func (b *backlog) close() error {
	if b.spool == nil {
		return nil
	}
	err := b.spool.Close()
	b.spool, b.reader = nil, nil
	return err
}

// add writes readings to disk. While the disk takes none they stay in memory, up to
// KEEP_MIB; beyond that the oldest are lost and counted.
func (b *backlog) add(records ...*record) {
	for _, r := range records {
		b.pending = append(b.pending, r)
		b.bytes += r.size()
	}
	b.flushIfDue()
	for b.bytes > b.maxMemory && len(b.pending) > 1 {
		b.popPending()
		b.monitor.countLost(1)
	}
}

// popPending removes the oldest pending reading and returns it.
func (b *backlog) popPending() *record {
	r := b.pending[0]
	b.pending = b.pending[1:]
	b.bytes -= r.size()
	return r
}

// flushIfDue writes the pending readings to disk, unless a write failed within
// diskRetry.
func (b *backlog) flushIfDue() {
	if b.up.now() >= b.retryAt {
		b.flush()
	}
}

// flush writes the pending readings to disk. It opens the spool first if necessary.
func (b *backlog) flush() {
	if len(b.pending) == 0 {
		return
	}
	if b.spool == nil {
		if err := b.open(); b.spool == nil {
			if err != nil {
				b.noteDisk(err)
			}
			b.retryAt = b.up.now() + diskRetry
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), diskWait)
	defer cancel()
	for len(b.pending) > 0 {
		// At most one segment of the spool at once, which is an eighth of its cap.
		n := min(len(b.pending), batch, max(int(b.options.MaxRecords/8), 1))
		var data [][]byte
		for _, r := range b.pending[:n] {
			if text, err := r.encode(); err == nil { // finite numbers and strings always encode
				data = append(data, text)
			}
		}
		if _, err := b.spool.Append(ctx, data...); err != nil {
			b.noteDisk(err)
			b.retryAt = b.up.now() + diskRetry
			return
		}
		for range n {
			b.popPending()
		}
	}
	b.pending, b.retryAt = nil, 0
	b.noteDisk(nil)
}

// hasMore reports whether the disk has readings that next has not yet returned.
func (b *backlog) hasMore() bool {
	return b.reader != nil && (len(b.unread) > 0 || !b.posKnown || b.pos+1 < b.spool.Next())
}

// next returns up to n readings from disk, oldest first. It stops at a reading without a
// time that may still get one.
func (b *backlog) next(n int) (out []queued) {
	if n < 1 || !b.hasMore() {
		return nil
	}
	if len(b.unread) == 0 && !b.read(n) {
		return nil
	}
	for len(b.unread) > 0 && len(out) < n {
		rec := b.unread[0]
		r, err := decodeRecord(rec.Data)
		if err != nil {
			b.log.Error("a reading on disk cannot be decoded and is lost", "err", err)
			b.monitor.countLost(1)
		} else if !b.timekeeper.resolveTime(r) {
			return out
		} else {
			b.markGap(rec.Seq, r)
			out = append(out, queued{rec.Seq, r})
		}
		b.unread = b.unread[1:]
	}
	return out
}

// takePending removes pending readings and returns them, oldest first, while the disk
// takes none. Without a disk they are published from memory.
func (b *backlog) takePending() (out []*record) {
	for b.diskFailed && len(b.pending) > 0 && b.timekeeper.resolveTime(b.pending[0]) {
		out = append(out, b.popPending())
	}
	return out
}

// markGap sets Gone in the first reading after a gap. The readings in the gap were
// dropped at the cap or could not be read, and will never be sent. Gone tells the
// platform not to wait for them. A reading is after a gap if its position is not the
// next one. If the reader ever lost records, the first reading of each boot since the
// reader was opened also counts as after a gap.
func (b *backlog) markGap(at spool.Seq, r *record) {
	if !b.boots[r.Boot] || at != b.lastReturned+1 {
		if b.reader.Lag().Lost > 0 {
			r.Gone = r.Seq - 1
		}
		b.boots[r.Boot] = true
	}
	b.lastReturned = at
}

// resetReads forgets the records that were read, after the reader was opened anew.
func (b *backlog) resetReads() {
	b.unread, b.pos, b.posKnown = nil, 0, false
	b.lastReturned, b.boots = 0, map[string]bool{}
}

// read reads up to n records into unread. It returns false if none can be read: after an
// error, or if the rest of the records is damaged.
func (b *backlog) read(n int) bool {
	recs, err := b.reader.Poll(n, batchBytes)
	if err != nil && !b.readFailed {
		b.log.Error("the spool cannot be read, trying again", "err", err)
	}
	if b.readFailed = err != nil; b.readFailed {
		return false
	}
	if len(recs) == 0 {
		b.pos, b.posKnown = b.spool.Next()-1, true
		return false
	}
	b.unread, b.pos, b.posKnown = recs, recs[len(recs)-1].Seq, true
	return true
}

// commit moves the spool's cursor, so that readings up to the position done may be
// deleted. waiting is the number of readings from next that are not yet done. If it is
// 0, every record that was read is done.
func (b *backlog) commit(done spool.Seq, waiting int) {
	switch {
	case b.reader == nil:
	case waiting == 0 && len(b.unread) == 0 && b.posKnown:
		b.reader.Commit(b.pos)
	case done > 0:
		b.reader.Commit(done)
	}
}

// rewind makes next start again after the committed position.
func (b *backlog) rewind() {
	b.resetReads()
	if b.reader == nil {
		return
	}
	err := b.reader.Close()
	if err == nil {
		b.reader, err = b.spool.Reader(readerName)
	}
	b.monitor.setSpool(b.spool, b.reader)
	if err != nil {
		b.log.Error("reopen the reader of the spool", "err", err)
		_ = b.close() // flush opens the spool again
	}
}
