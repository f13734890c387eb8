// Package spool keeps records on disk, first in, first out, until every named
// reader has passed them. What Append returned without an error is still there
// after a kill -9 or a power cut, unless the declared cap dropped it; then it is
// counted.
//
// # On disk
//
// A spool is a folder. Unknown files in it are left alone.
//
//	00000000000000000001.log   a segment; its name is the sequence number of its first record
//	00000000000000048211.log   the next; the newest is the one that grows
//	cursors.a, cursors.b       where the readers are, written in turn
//	lock                       held (flock) while the spool is open
//
// A segment is nothing but records, one after the other; integers are little endian:
//
//	 0  4  CRC-32C of the file's first sequence number (8 bytes) and of all that follows here
//	 4  4  length of the data, n
//	 8  4  number of the record in its segment, from 1: sequence number = first + number - 1
//	12  4  when it was appended, unix seconds
//	16  n  data
//
// The number makes zeros no record, and tells how many are missing where a place
// cannot be read. The segment's first number in the CRC makes a record of another
// file no record here. Records beyond the next segment's first number are what a
// failed write left, and do not count.
//
// A cursor file is
//
//	 0  8  "hspool\x00\x01"
//	 8  8  generation; the higher of the two readable files counts
//	16  4  length of the text
//	20  4  CRC-32C of bytes 8 to 20 and of the text
//	24     JSON: {"name":{"next":48300,"lost":0}}
//
// and is overwritten in place, so that a full disk never stops a reader from
// moving on (and thereby from giving space back), and an SD card sees one small
// write, not a new file. It is overwritten until it is made durable, every tenth
// time; then it is the other's turn. So a cut always leaves one that is whole.
//
// # Order of events
//
// A group of records goes into one segment with one write and one fsync before
// anyone sees it. A segment's name is made durable before its first record is
// acknowledged. A segment that every reader passed is removed after a durable cursor
// file says so; hence cursors may fall back (after a kill by what was committed
// within Options.CursorEvery, after a power cut within ten times that), but never
// stand ahead.
//
// At start only the newest segment is read: what is unreadable at its end is cut
// and reported. An unreadable place elsewhere is skipped when a reader comes by,
// to the next readable record, and counted.
//
// # What it costs
//
// 16 bytes a record. With 20 records of 200 bytes a second (0.35 GB a day), ext4
// wrote to its device 9.0 GB a day with Options.Sync 0, 1.4 GB with 1 s, 0.65 GB
// with 5 s and 0.55 GB with 30 s.
package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Seq numbers the records of a spool from 1, in order, without gaps.
type Seq uint64

// Policy says what happens when the cap is reached.
type Policy int

const (
	DropOldest   Policy = iota // the oldest segment goes, and is counted for each reader that had not passed it
	RefuseNewest               // Append answers ErrFull
)

// Options of a spool. The zero value is a spool without a cap that syncs every group.
type Options struct {
	SegmentBytes int64         // a segment's size, 8 MiB unless told; at most an eighth of the cap
	MaxBytes     int64         // cap on the bytes of all segments, 0 = none
	MaxRecords   int64         // cap on the number of records, 0 = none
	Policy       Policy        // at the cap
	Sync         time.Duration // 0: Append returns after the fsync. More: it returns once the kernel has the
	// records, which survive kill -9, and a power cut may lose the last Sync of them. Less: the same,
	// but the fsync is the caller's to ask for, by Log.SyncRecords
	CursorEvery time.Duration    // how often cursors are written at most, 1 s unless told; every tenth time durably
	Memory      int64            // newest records kept in memory for readers that keep up, 4 MiB unless told
	Now         func() time.Time // stamps records, for Lag; time.Now unless told
	FS          FS               // the disk unless told
}

// What Append and others may answer; compare with errors.Is.
var (
	ErrFull     = errors.New("spool is full")             // the cap, under RefuseNewest
	ErrNoSpace  = errors.New("no space on the disk")      // nothing of this call was kept; try again later
	ErrTooLarge = errors.New("records larger than spool") // one call is over the cap, or one record over 16 MiB
	ErrClosed   = errors.New("spool is closed")
	ErrLocked   = errors.New("spool is in use by another process")
	ErrInUse    = errors.New("reader is in use")
)

// maxData bounds a record, and with it the memory that a damaged length can ask for.
const maxData = 16 << 20

// Stats counts since Open, except for the last three, which are as of now.
type Stats struct {
	Appended   uint64 // records acknowledged
	Groups     uint64 // writes they took
	Fsyncs     uint64 // of segments, cursors and the folder
	Written    uint64 // bytes handed to the disk, cursors included
	Dropped    uint64 // records removed at the cap that some reader had not passed
	Torn       uint64 // ends cut at Open
	Corrupt    uint64 // unreadable places skipped
	SyncErrors uint64 // failed fsyncs, of which records already acknowledged under Options.Sync may have died
	Segments   int
	Records    uint64
	Bytes      int64
}

// Log is an open spool. Its methods may be called from any goroutine.
type Log struct {
	dir string
	opt Options
	fs  FS

	segmentRecords int64
	lock           io.Closer
	closed         chan struct{}

	turn     chan struct{} // held by whoever writes segments; guards out, unsynced, unsure and the bytes beyond what is published
	out      File          // the newest segment, nil where a new one must be made first
	unsynced bool          // written and not yet synced, under Options.Sync
	unsure   Seq           // of records before it a sync failed, under Options.Sync

	cursorTurn sync.Mutex // held by whoever writes cursors; guards what follows
	slots      [2]File
	slot       int               // the one that is written next
	generation uint64            // of what was written last
	written    map[string]*place // what is not yet durable of it, nil: it is
	syncDue    bool

	mu      sync.Mutex // guards the rest; never held during I/O
	waiting []*group
	segs    []*segment // oldest first
	next    Seq
	bytes   int64
	tail    tail
	ages    ages
	places  map[string]*place
	stats   Stats
	syncing bool // a sync is due under Options.Sync
	saving  bool // a write of cursors is due
	moved   bool // cursors differ from the files
	done    bool
}

// segment is one file, as far as it is published.
type segment struct {
	first  Seq
	size   int64
	before int64 // bytes of all segments that ever came before it, since Open
	bad    int64 // unreadable places before this offset are counted
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }
func (s *segment) name() string        { return fmt.Sprintf("%020d.log", uint64(s.first)) }

// Next is the number that the next record will get.
func (l *Log) Next() Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Stats returns the counts.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Segments, s.Bytes, s.Records = len(l.segs), l.bytes, uint64(l.next-l.oldest())
	return s
}

// oldest is the first number that may still be there. With l.mu.
func (l *Log) oldest() Seq {
	if len(l.segs) == 0 {
		return l.next
	}
	return l.segs[0].first
}

// open returns the readers that are open.
func (l *Log) open() (readers []*Reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.places {
		if p.reader != nil {
			readers = append(readers, p.reader)
		}
	}
	return readers
}

// SyncRecords makes durable what Options.Sync still holds back of the records. From
// safe to before end all are; safe is 0 unless a sync failed since Open, this one or
// an earlier one, whoever asked for it: what it was to make durable, before safe, may
// be lost at a power cut. With an error, which is this sync's, safe is end.
func (l *Log) SyncRecords() (safe, end Seq, err error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	err = l.syncSegment()
	return l.unsure, l.Next(), err
}

// Sync makes durable what Options.Sync and Options.CursorEvery still hold back.
func (l *Log) Sync() error {
	l.turn <- struct{}{}
	err := l.syncSegment()
	<-l.turn
	return errors.Join(err, l.saveCursors(true))
}

// Close waits for appends under way, writes cursors and ends the spool. Readers
// that wait get ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.done {
		l.mu.Unlock()
		return nil
	}
	l.done = true
	l.mu.Unlock()

	l.turn <- struct{}{}
	for l.writeGroup() {
	}
	err := errors.Join(l.syncSegment(), l.leaveSegment())
	<-l.turn
	err = errors.Join(err, l.saveCursors(true))
	close(l.closed)
	for _, r := range l.open() {
		err = errors.Join(err, r.source.close())
	}
	l.cursorTurn.Lock()
	defer l.cursorTurn.Unlock()
	for i, f := range l.slots {
		if f != nil {
			err = errors.Join(err, f.Close())
			l.slots[i] = nil
		}
	}
	return errors.Join(err, l.lock.Close())
}

// withDefaults fills in what o leaves open.
func (o Options) withDefaults() Options {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.SegmentBytes, 8<<20)
	set(&o.MaxBytes, math.MaxInt64)
	set(&o.MaxRecords, math.MaxInt64)
	set(&o.Memory, 4<<20)
	set((*int64)(&o.CursorEvery), int64(time.Second))
	o.SegmentBytes = max(min(o.SegmentBytes, o.MaxBytes/8, math.MaxInt32), 1)
	if o.Now == nil {
		o.Now = time.Now // clock: unless told
	}
	if o.FS == nil {
		o.FS = disk{}
	}
	return o
}

// noSpace marks the errors of a full disk as ErrNoSpace.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// notThere is no error: what shall go is gone.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
