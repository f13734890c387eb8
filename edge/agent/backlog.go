package agent

import (
	"context"
	"errors"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	readerName  = "mqtt"
	diskWait    = 10 * time.Second
	diskRetry   = 5 * time.Second
	ahead       = 2000      // readings of the backlog in memory
	batch       = 200       // readings that go to or come from the disk at once
	batchBytes  = 256 << 10 //
	spoolMemory = 64 << 10  // the disk's cache is good enough
)

// openSpool opens the spool, or leaves it for later where the disk will not. The
// error says that another agent has it.
func (a *Agent) openSpool() error {
	l, report, err := spool.Open(a.cfg.Dir, spool.Options{
		MaxBytes: a.cfg.SpoolMiB << 20, MaxRecords: a.cfg.SpoolRecords, Policy: spool.DropOldest,
		Sync: a.cfg.SpoolSync, Memory: spoolMemory, FS: a.fs,
	})
	if err == nil {
		var r *spool.Reader
		if r, err = l.Reader(readerName); err == nil {
			_ = l.Sync() // the first time it writes where the reader is: now rather than while online
			a.spool, a.reader = l, r
			a.unplace()
			a.showSpool(l, r)
			a.report(report)
			a.sayDisk(nil)
			return nil
		}
		err = errors.Join(err, l.Close())
	}
	if errors.Is(err, spool.ErrLocked) {
		return err
	}
	a.sayDisk(err)
	return nil
}

func (a *Agent) report(r spool.Report) {
	for _, p := range r.Problems {
		a.log.Warn("the spool was damaged", "what", p)
	}
	if n := a.reader.Lag().Records; n > 0 {
		a.log.Info("readings of before wait on disk", "readings", n)
	}
}

// sayDisk logs when the disk stops taking readings and when it takes them again.
func (a *Agent) sayDisk(err error) {
	switch {
	case err != nil && !a.saidFull:
		a.log.Error("the disk takes no readings; they wait in memory", "err", err)
	case err == nil && a.saidFull:
		a.log.Info("the disk takes readings again")
	}
	a.saidFull = err != nil
}

func (a *Agent) closeSpool() error {
	if a.spool == nil {
		return nil
	}
	err := a.spool.Close()
	a.spool, a.reader = nil, nil
	return err
}

// keep puts a reading on its way to the disk. Where the disk takes none, memory
// holds them, up to KEEP_MIB.
func (a *Agent) keep(records ...*record) {
	for _, r := range records {
		a.pending = append(a.pending, r)
		a.bytes += r.size()
	}
	if a.now() >= a.retryAt {
		a.flush()
	}
	for a.bytes > a.cfg.KeepMiB<<20 && len(a.pending) > 1 {
		a.bytes -= a.pending[0].size()
		a.pending = a.pending[1:]
		a.lose(1)
	}
}

// takeIn moves what is only in memory to the disk.
func (a *Agent) takeIn() {
	var records []*record
	for _, e := range a.window.TakeLive() {
		records = append(records, e.Item)
	}
	a.keep(records...)
}

// flush writes what is pending to the disk.
func (a *Agent) flush() {
	if len(a.pending) == 0 {
		return
	}
	if a.spool == nil {
		if err := a.openSpool(); a.spool == nil {
			a.sayDisk(err)
			a.retryAt = a.now() + diskRetry
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), diskWait)
	defer cancel()
	for len(a.pending) > 0 {
		n := min(len(a.pending), batch, max(int(a.cfg.SpoolRecords/8), 1))
		var data [][]byte
		for _, r := range a.pending[:n] {
			if b, err := r.encode(); err == nil { // finite numbers and strings always encode
				data = append(data, b)
			}
		}
		if _, err := a.spool.Append(ctx, data...); err != nil {
			a.sayDisk(err)
			a.retryAt = a.now() + diskRetry
			return
		}
		for _, r := range a.pending[:n] {
			a.bytes -= r.size()
		}
		a.pending = a.pending[n:]
	}
	a.pending, a.retryAt = nil, 0
	a.sayDisk(nil)
}

// behind reports whether the disk has readings to be sent.
func (a *Agent) behind() bool {
	return a.reader != nil && (len(a.unread) > 0 || !a.placed || a.pos+1 < a.spool.Next())
}

// readBacklog puts readings of the disk into the window, as many as may be sent.
// What the disk would not take goes the same way, from memory.
func (a *Agent) readBacklog() {
	if a.saidFull {
		a.sendPending()
	}
	_, waiting, _ := a.window.Len()
	n := min(int(a.tokens), ahead-waiting, batch)
	if n < 1 || !a.behind() {
		return
	}
	if !a.placed && a.reader.Lag().Records == 0 {
		a.pos, a.placed = a.spool.Next()-1, true
		return
	}
	if len(a.unread) == 0 && !a.read(n) {
		return
	}
	for len(a.unread) > 0 && n > 0 {
		rec := a.unread[0]
		r, err := decodeRecord(rec.Data)
		if err != nil {
			a.log.Error("skipped", "err", err)
			a.lose(1)
		} else if !a.ready(r) {
			return
		} else {
			a.markGap(rec.Seq, r)
			a.window.AddBacklog(uint64(rec.Seq), r.key(), r, r.size())
			a.tokens--
			n--
		}
		a.unread = a.unread[1:]
	}
}

// markGap says in the first reading after some were dropped, or could not be read,
// that those will not come. Whoever counts need not wait for them, and everything
// behind them is known to be stored at once.
func (a *Agent) markGap(at spool.Seq, r *record) {
	if !a.boots[r.Boot] || at != a.sentTo+1 {
		if a.reader.Lag().Lost > 0 {
			r.Gone = r.Seq - 1
		}
		a.boots[r.Boot] = true
	}
	a.sentTo = at
}

// unplace forgets where the reader is.
func (a *Agent) unplace() {
	a.unread, a.pos, a.placed = nil, 0, false
	a.sentTo, a.boots = 0, map[string]bool{}
}

func (a *Agent) read(n int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), diskWait)
	defer cancel()
	recs, err := a.reader.Next(ctx, n, batchBytes)
	if err != nil {
		a.log.Error("read the spool", "err", err)
		return false
	}
	a.unread, a.pos, a.placed = recs, recs[len(recs)-1].Seq, true
	return true
}

// sendPending publishes from memory while the disk is of no use.
func (a *Agent) sendPending() {
	for len(a.pending) > 0 && a.ready(a.pending[0]) {
		r := a.pending[0]
		a.pending = a.pending[1:]
		a.bytes -= r.size()
		a.window.Add(r.key(), r, r.size())
	}
}

// ready gives a reading that was held its time; false while that is not known.
func (a *Agent) ready(r *record) bool {
	switch {
	case r.Held == nil:
	case r.Held.Kernel != a.clock.Kernel:
		r.unsynced() // its clock was never set
	case a.cal.ok():
		r.Time = a.cal.at(r.Held.Mono).Format(timeLayout)
		r.Held = nil
	case a.gaveUp:
		r.unsynced()
	default:
		return false
	}
	return true
}

// commit lets go of what of the backlog is done with.
func (a *Agent) commit() {
	if a.reader == nil {
		return
	}
	_, waiting, _ := a.window.Len()
	switch done := spool.Seq(a.window.Done()); {
	case waiting == 0 && len(a.unread) == 0 && a.placed:
		a.reader.Commit(a.pos)
	case done > 0:
		a.reader.Commit(done)
	}
}

// rewind makes the backlog be read again from what is committed.
func (a *Agent) rewind() {
	a.unplace()
	if a.reader == nil {
		return
	}
	err := a.reader.Close()
	if err == nil {
		a.reader, err = a.spool.Reader(readerName)
	}
	a.showSpool(a.spool, a.reader)
	if err != nil {
		a.log.Error("read the spool again", "err", err)
		_ = a.closeSpool() // opened again when it is needed
	}
}
