package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	readerName  = "mqtt"
	diskWait    = 10 * time.Second
	diskRetry   = 5 * time.Second
	batch       = 200       // readings that go to or come from the disk at once
	batchBytes  = 256 << 10 //
	spoolMemory = 64 << 10  // the disk's cache is good enough
)

// backlog holds the readings that cannot be sent at once: on disk, and in memory
// those that the disk does not take.
type backlog struct {
	dir       string
	options   spool.Options
	maxMemory int // bytes
	up        uptime
	calendar  *calendar
	monitor   *monitor
	log       *slog.Logger

	spool  *spool.Log // nil while the disk cannot be used
	reader *spool.Reader
	pos    spool.Seq       // handed out by reader
	placed bool            // pos is known
	unread []spool.Record  // read, but not yet to be sent
	sentTo spool.Seq       // the last that next returned
	boots  map[string]bool // of which it returned some since the reader was opened

	pending  []*record     // to go to the disk
	bytes    int           // of pending
	retryAt  time.Duration // when the disk is tried again
	diskFull bool          // it took no readings the last time
}

// queued is a reading of the disk, and where it is there.
type queued struct {
	pos spool.Seq
	*record
}

func newBacklog(c Config, fs spool.FS, up uptime, cal *calendar, m *monitor, log *slog.Logger) *backlog {
	return &backlog{
		dir: c.Dir, maxMemory: c.KeepMiB << 20, up: up, calendar: cal, monitor: m, log: log,
		options: spool.Options{
			MaxBytes: c.SpoolMiB << 20, MaxRecords: c.SpoolRecords, Policy: spool.DropOldest,
			Sync: c.SpoolSync, Memory: spoolMemory, FS: fs,
		},
	}
}

// open opens the spool, or leaves it for later where the disk cannot be used. The
// error says that another agent has it.
func (b *backlog) open() error {
	l, report, err := spool.Open(b.dir, b.options)
	if err == nil {
		var r *spool.Reader
		if r, err = l.Reader(readerName); err == nil {
			_ = l.Sync() // the first time it writes where the reader is: now rather than while online
			b.spool, b.reader = l, r
			b.forget()
			b.monitor.showSpool(l, r)
			b.logOpened(report)
			b.noteDisk(nil)
			return nil
		}
		err = errors.Join(err, l.Close())
	}
	if errors.Is(err, spool.ErrLocked) {
		return err
	}
	b.noteDisk(err)
	return nil
}

func (b *backlog) logOpened(r spool.Report) {
	for _, p := range r.Problems {
		b.log.Warn("the spool was damaged", "what", p)
	}
	if n := b.reader.Lag().Records; n > 0 {
		b.log.Info("readings of before wait on disk", "readings", n)
	}
}

// noteDisk logs when the disk stops taking readings and when it takes them again.
func (b *backlog) noteDisk(err error) {
	switch {
	case err != nil && !b.diskFull:
		b.log.Error("the disk takes no readings; they wait in memory", "err", err)
	case err == nil && b.diskFull:
		b.log.Info("the disk takes readings again")
	}
	b.diskFull = err != nil
}

func (b *backlog) close() error {
	if b.spool == nil {
		return nil
	}
	err := b.spool.Close()
	b.spool, b.reader = nil, nil
	return err
}

// keep takes readings that are to go to the disk. Where the disk takes none, memory
// holds them, up to KEEP_MIB.
func (b *backlog) keep(records ...*record) {
	for _, r := range records {
		b.pending = append(b.pending, r)
		b.bytes += r.size()
	}
	b.flushIfDue()
	for b.bytes > b.maxMemory && len(b.pending) > 1 {
		b.shift()
		b.monitor.lose(1)
	}
}

// shift takes the first reading out of memory.
func (b *backlog) shift() *record {
	r := b.pending[0]
	b.pending = b.pending[1:]
	b.bytes -= r.size()
	return r
}

// flushIfDue writes to the disk what is in memory, unless the disk failed just now.
func (b *backlog) flushIfDue() {
	if b.up.now() >= b.retryAt {
		b.flush()
	}
}

// flush writes to the disk what is in memory.
func (b *backlog) flush() {
	if len(b.pending) == 0 {
		return
	}
	if b.spool == nil {
		if err := b.open(); b.spool == nil {
			b.noteDisk(err)
			b.retryAt = b.up.now() + diskRetry
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), diskWait)
	defer cancel()
	for len(b.pending) > 0 {
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
			b.shift()
		}
	}
	b.pending, b.retryAt = nil, 0
	b.noteDisk(nil)
}

// behind reports whether the disk has readings to be sent.
func (b *backlog) behind() bool {
	return b.reader != nil && (len(b.unread) > 0 || !b.placed || b.pos+1 < b.spool.Next())
}

// next returns up to n readings of the disk, oldest first. There are none while the
// first has no time and may still get one.
func (b *backlog) next(n int) (out []queued) {
	if n < 1 || !b.behind() {
		return nil
	}
	if !b.placed && b.reader.Lag().Records == 0 {
		b.pos, b.placed = b.spool.Next()-1, true
		return nil
	}
	if len(b.unread) == 0 && !b.read(n) {
		return nil
	}
	for len(b.unread) > 0 && len(out) < n {
		rec := b.unread[0]
		r, err := decodeRecord(rec.Data)
		if err != nil {
			b.log.Error("skipped", "err", err)
			b.monitor.lose(1)
		} else if !b.calendar.date(r) {
			return out
		} else {
			b.markGap(rec.Seq, r)
			out = append(out, queued{rec.Seq, r})
		}
		b.unread = b.unread[1:]
	}
	return out
}

// inMemory returns what only memory holds, oldest first, while the disk is of no use.
func (b *backlog) inMemory() (out []*record) {
	for b.diskFull && len(b.pending) > 0 && b.calendar.date(b.pending[0]) {
		out = append(out, b.shift())
	}
	return out
}

// markGap marks the first reading after some were dropped, or could not be read:
// those will not come. Whoever counts need not wait for them, and everything
// behind them is known to be stored at once.
func (b *backlog) markGap(at spool.Seq, r *record) {
	if !b.boots[r.Boot] || at != b.sentTo+1 {
		if b.reader.Lag().Lost > 0 {
			r.Gone = r.Seq - 1
		}
		b.boots[r.Boot] = true
	}
	b.sentTo = at
}

// forget forgets what was read.
func (b *backlog) forget() {
	b.unread, b.pos, b.placed = nil, 0, false
	b.sentTo, b.boots = 0, map[string]bool{}
}

func (b *backlog) read(n int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), diskWait)
	defer cancel()
	recs, err := b.reader.Next(ctx, n, batchBytes)
	if err != nil {
		b.log.Error("read the spool", "err", err)
		return false
	}
	b.unread, b.pos, b.placed = recs, recs[len(recs)-1].Seq, true
	return true
}

// commit lets go of the readings up to done. Where none that next returned waits any
// more, that is all that was read.
func (b *backlog) commit(done spool.Seq, waiting int) {
	switch {
	case b.reader == nil:
	case waiting == 0 && len(b.unread) == 0 && b.placed:
		b.reader.Commit(b.pos)
	case done > 0:
		b.reader.Commit(done)
	}
}

// rewind makes next begin again after what is committed.
func (b *backlog) rewind() {
	b.forget()
	if b.reader == nil {
		return
	}
	err := b.reader.Close()
	if err == nil {
		b.reader, err = b.spool.Reader(readerName)
	}
	b.monitor.showSpool(b.spool, b.reader)
	if err != nil {
		b.log.Error("read the spool again", "err", err)
		_ = b.close() // opened again when it is needed
	}
}
