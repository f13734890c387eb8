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

// Report is what Open found.
type Report struct {
	Segments int
	Records  uint64 // by the numbers; what is missing within shows when it is read
	Bytes    int64
	Cut      int64    // bytes cut from the newest segment's end: a write that was under way
	Corrupt  int      // unreadable places before that
	Problems []string // the above and everything else out of order, in words; at most 20
}

func (r *Report) add(format string, args ...any) {
	if len(r.Problems) < 20 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Open opens the spool in dir, which it makes if need be. Damage is repaired and
// told in the Report; an error means that dir cannot be used at all, or that
// another process has it (ErrLocked).
func Open(dir string, o Options) (*Log, Report, error) {
	o = o.withDefaults()
	l := &Log{
		dir: dir, opt: o, fs: o.FS, next: 1,
		segmentRecords: max(min(o.MaxRecords/8, 1<<20), 1),
		closed:         make(chan struct{}),
		turn:           make(chan struct{}, 1),
		places:         map[string]*place{},
		slot:           1,
	}
	report, err := l.recover()
	if err != nil {
		return nil, report, fmt.Errorf("open spool %s: %w", dir, err)
	}
	return l, report, nil
}

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
	l.loadCursors(&report)
	l.list(names, &report)
	if len(l.segs) > 0 {
		l.repairNewest(&report)
	}
	for _, p := range l.places {
		if p.Next > l.next {
			// Read, committed, and then lost with the end of the segment: their
			// numbers are not given again.
			l.next = p.Next
			_ = l.leaveSegment()
		}
	}
	l.stats.Corrupt = uint64(report.Corrupt)
	report.Segments, report.Bytes, report.Records = len(l.segs), l.bytes, uint64(l.next-l.oldest())
	if len(l.places) > 0 {
		// What was read may be no further than the kernel's memory, if the last
		// process was killed: it is made durable before the other file is written.
		l.written = l.places
		if err := l.saveCursors(true); err != nil {
			report.add("%v", err)
		}
	}
	return report, nil
}

// list finds the segments.
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

// measure finds how large a segment is, and when its first record was appended.
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
	return nil // what cannot be read shows when a reader comes by
}

// repairNewest reads the newest segment, cuts what is unreadable at its end, and
// goes on in it. Where that does not work, a new segment is begun.
func (l *Log) repairNewest(report *Report) {
	seg := l.segs[len(l.segs)-1]
	f, err := l.fs.OpenFile(l.path(seg.name()), os.O_RDWR)
	if err != nil {
		report.add("%s: %v", seg.name(), err)
		l.next = seg.first + mayHold(seg.size)
		return
	}
	s := newScanner(f, seg.first, seg.size)
	s.reuse = true
	s.bad = func(off int64) {
		report.Corrupt++
		report.add("%s: unreadable at %d", seg.name(), off)
		seg.bad = off + 1
	}
	for err == nil {
		var f frame
		if f, err = s.next(); err == nil {
			l.ages.add(seg.first+Seq(s.num)-1, f.at)
		}
	}
	l.next = seg.first + Seq(s.num)
	if !errors.Is(err, io.EOF) {
		report.add("%s: %v", seg.name(), errors.Join(err, f.Close()))
		l.next += mayHold(seg.size - s.off)
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
	if err := f.Sync(); err != nil { // a killed process may have written without it
		report.add("%s: %v", seg.name(), errors.Join(err, f.Close()))
		return
	}
	l.out = f
}

// mayHold is at least the number of records in so many bytes that cannot be read
// now, so that the next segment's number does not make them void.
func mayHold(bytes int64) Seq { return Seq(bytes/headerLen) + 1 }
