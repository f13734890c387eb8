package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Report says what Open found and repaired.
type Report struct {
	Cut      int64    // bytes cut from the end of the newest segment: an unfinished write
	corrupt  int      // damaged ranges in the rest of the newest segment
	Problems []string // descriptions of these and of all other problems; at most 20

	// CursorsLost means that a cursor file is missing or damaged. Readers then have the
	// cursors of the other file, which may be older and lack a new reader's.
	CursorsLost bool
}

func (r *Report) add(format string, args ...any) {
	if len(r.Problems) < 20 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Open opens the spool in dir and creates dir if need be. It repairs damage and
// describes it in the Report. It returns an error only if dir cannot be used at all,
// or if another process has it open (ErrLocked).
func Open(dir string, o Options) (*Log, Report, error) {
	o = o.withDefaults()
	l := &Log{
		dir: dir, opt: o, fs: o.FS, next: 1,
		segmentRecords: max(min(o.MaxRecords/8, 1<<20), 1),
		closed:         make(chan struct{}),
		writeLock:      make(chan struct{}, 1),
		cursors:        map[string]*cursor{},
		slot:           1,
	}
	report, err := l.recover()
	if err != nil {
		return nil, report, fmt.Errorf("open spool %s: %w", dir, err)
	}
	return l, report, nil
}

// recover locks the folder and loads cursors and segments.
func (l *Log) recover() (report Report, err error) {
	if err := l.fs.MkdirAll(l.dir); err != nil {
		return report, err
	}
	if err := l.fs.SyncDir(filepath.Dir(l.dir)); err != nil {
		report.add("sync of the folder above: %v", err)
	}
	if l.lock, err = l.fs.Lock(l.path("lock")); err != nil {
		return report, err
	}
	names, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return report, errors.Join(err, l.lock.Close())
	}
	files := l.loadCursors(&report)
	l.list(names, &report)
	if len(l.segs) > 0 {
		l.repairNewest(&report)
		l.secureSegments(&report)
	}
	l.startBehindCursors()
	l.stats.corrupt = uint64(report.corrupt)
	report.CursorsLost = len(files.damaged) > 0 || len(l.segs) > 0 && files.present < len(slotNames)
	if err := l.secureCursors(files); err != nil {
		report.add("%v", err)
	}
	return report, nil
}

// startBehindCursors makes the next sequence number at least every reader's cursor.
// A cursor is higher than the newest record if a reader committed records that a
// power cut then removed. Their numbers must not be used again.
func (l *Log) startBehindCursors() {
	for _, p := range l.cursors {
		if p.Next > l.next {
			l.next = p.Next
			_ = l.closeSegment()
		}
	}
}

// list lists the segments among the folder's file names, oldest first.
func (l *Log) list(names []string, report *Report) {
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, ".log")
		if !ok || len(digits) != 20 {
			continue
		}
		first, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || first == 0 || first > maxSeq {
			report.add("%s: not a segment's name", name)
			continue
		}
		l.segs = append(l.segs, &segment{first: Seq(first)})
	}
	slices.SortFunc(l.segs, func(a, b *segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	for _, seg := range l.segs {
		seg.before = l.bytes
		if err := l.measure(seg); err != nil {
			report.add("%s: %v", seg.name(), err)
		}
		l.bytes += seg.size
	}
}

// measure reads a segment's size, and when its first record was appended.
func (l *Log) measure(seg *segment) error {
	f, err := l.fs.OpenFile(l.path(seg.name()), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if seg.size, err = f.Size(); err != nil {
		return err
	}
	s := newScanner(f, seg.first, seg.size)
	s.block = 4096 // the first record is enough
	if first, n, err := s.try(0, false); err == nil && n > 0 {
		l.ages.add(seg.first, first.at)
	}
	return nil // a reader counts the damage when it reads the segment
}

// repairNewest scans the newest segment, cuts unreadable bytes from its end and keeps
// it open for appends. On an I/O error the next group begins a new segment instead.
func (l *Log) repairNewest(report *Report) {
	seg := l.segs[len(l.segs)-1]
	f, err := l.fs.OpenFile(l.path(seg.name()), os.O_RDWR)
	if err != nil {
		report.add("%s: %v", seg.name(), err)
		l.next = seg.first + maxRecordsIn(seg.size)
		l.syncFailedBefore = l.next
		return
	}
	s := newScanner(f, seg.first, seg.size)
	s.reuse = true
	s.bad = func(off int64) {
		report.corrupt++
		report.add("%s: unreadable at %d", seg.name(), off)
		seg.bad = off + 1
	}
	for err == nil {
		var record frame
		if record, err = s.next(); err == nil {
			l.ages.add(seg.first+Seq(s.num)-1, record.at)
		}
	}
	l.next = seg.first + Seq(s.num)
	if !errors.Is(err, io.EOF) {
		report.add("%s: %v", seg.name(), errors.Join(err, f.Close()))
		l.next += maxRecordsIn(seg.size - s.off)
		l.syncFailedBefore = l.next
		return
	}
	if cut := seg.size - s.off; cut > 0 {
		report.Cut = cut
		report.add("%s: cut %d bytes at %d, the end of the last whole record", seg.name(), cut, s.off)
		l.stats.Torn++
		if err := f.Truncate(s.off); err != nil {
			report.add("%s: %v", seg.name(), errors.Join(err, f.Close()))
			return
		}
		seg.size, l.bytes = s.off, l.bytes-cut
	}
	if err := f.Sync(); err != nil { // a killed process may have written records without an fsync
		report.add("%s: %v", seg.name(), errors.Join(err, f.Close()))
		l.syncFailedBefore = l.next
		return
	}
	l.out = f
}

// maxRecordsIn returns an upper bound for the number of records in unreadable bytes.
// If the next segment's number skips that many, readers can still get these records
// should the bytes be readable later.
func maxRecordsIn(bytes int64) Seq { return Seq(bytes/headerLen) + 1 }
