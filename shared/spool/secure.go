package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// After a failed fsync Linux counts the data as written, and the next fsync writes
// nothing. A process that was killed after that leaves data that can be read and is not
// on the disk. So Open writes such data again, unchanged, and syncs it. A power cut
// meanwhile cannot damage what was on the disk already.

// secureCursors makes the loaded cursor file durable before the other one is
// overwritten. It then overwrites a damaged one: if that were readable at a later Open,
// its cursors could be ahead of the records.
func (l *Log) secureCursors(files cursorFiles) error {
	if files.loaded == nil {
		return l.removeFiles(files.damaged)
	}
	f, err := l.cursorFile()
	if err == nil {
		_, err = f.WriteAt(files.loaded, 0)
	}
	if err != nil {
		l.cursorsDiffer()
		return fmt.Errorf("write cursors: %w", noSpace(err))
	}
	l.written = l.cursors
	if err := l.saveCursors(true); err != nil || len(files.damaged) == 0 {
		return err
	}
	l.cursorsDiffer()
	if err := l.saveCursors(true); err == nil || l.slots[l.slot] != nil {
		return err
	}
	// It cannot be opened, as a folder in its place cannot.
	if err := l.removeFiles(files.damaged); err != nil {
		return err
	}
	return l.saveCursors(true)
}

func (l *Log) removeFiles(names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, l.fs.Remove(l.path(name)))
	}
	return errors.Join(errs...)
}

// cursorsDiffer notes that a cursor file has to be written.
func (l *Log) cursorsDiffer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteCursorChange()
}

// secureSegments writes the end of the spool again, unless each write is synced: the
// newest segment, and those before it up to the size of two full ones. Each failed
// fsync has begun a new segment, so the records that it affected may be in any of them.
func (l *Log) secureSegments(report *Report) {
	bytes := int64(0)
	for k := len(l.segs) - 1; l.opt.Sync != 0 && k >= 0; k-- {
		seg := l.segs[k]
		if bytes += seg.size; k < len(l.segs)-1 && bytes > 2*l.opt.SegmentBytes {
			return
		}
		if err := l.rewrite(seg); err != nil {
			report.add("%s: write again: %v", seg.name(), err)
			l.syncFailedBefore = l.next
			_ = l.closeSegment()
			return
		}
	}
}

// rewrite writes a segment's bytes again and syncs them.
func (l *Log) rewrite(seg *segment) (err error) {
	f, err := l.fs.OpenFile(l.path(seg.name()), os.O_RDWR)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := make([]byte, min(blockLen, seg.size))
	for off := int64(0); off < seg.size; off += int64(len(buf)) {
		buf = buf[:min(int64(len(buf)), seg.size-off)]
		if _, err := f.ReadAt(buf, off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := f.WriteAt(buf, off); err != nil {
			return err
		}
	}
	return f.Sync()
}
