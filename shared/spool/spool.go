// Package spool is a durable first-in-first-out queue on disk. It keeps each record
// until every named reader has committed it. Once Append has returned without an
// error, its records survive kill -9 and power cuts. Only the cap can drop them, and
// dropped records are counted.
//
// # On disk
//
// A spool is a folder. Unknown files in it are left alone.
//
//	00000000000000000001.log   a segment; its name is the sequence number of its first record
//	00000000000000048211.log   the next segment; records are appended to the newest
//	cursors.a, cursors.b       the readers' cursors, written alternately
//	lock                       locked (flock) while the spool is open
//
// A segment is a sequence of records without a file header. Integers are little
// endian. A record is, by offset and length in bytes:
//
//	 0  4  CRC-32C of the segment's first sequence number (8 bytes) and of the rest of the record
//	 4  4  length of the data, n
//	 8  4  number of the record in its segment, from 1: sequence number = first + number - 1
//	12  4  when it was appended, unix seconds
//	16  n  data
//
// The record number has two uses: zeros are no valid record, and behind a damaged
// range it shows how many records are missing. The sequence number in the CRC makes a
// record of another segment invalid here. Records whose number reaches the next
// segment's first number are left from a failed write and are ignored.
//
// A cursor file is
//
//	 0  8  "hspool\x00\x01"
//	 8  8  generation; of two readable files, the one with the higher generation is used
//	16  4  length of the text
//	20  4  CRC-32C of bytes 8 to 20 and of the text
//	24     JSON: {"name":{"next":48300,"lost":0}}
//
// It is overwritten in place. So a reader can commit, and thereby free space, on a
// full disk, and an SD card gets one small write instead of a new file. A write is
// synced within ten times CursorEvery, and then the other file is written. So a power cut always leaves
// one whole file.
//
// # Order of writes
//
// A group of records is written to one segment and synced once, before readers see
// it. A segment's name is synced before its first record is acknowledged. A segment
// that every reader has committed is removed after the cursors are synced. So a cursor
// may fall back: after a kill by the commits of Options.CursorEvery, after a power cut
// by those of ten times that. It is never ahead of the reader's last commit.
//
// Open reads only the newest segment. It cuts unreadable bytes from the segment's end
// and reports them. New records get numbers behind the cut and all cursors. A damaged
// cursor file is overwritten. With Options.Sync, Open writes the newest segments again,
// since an fsync of theirs may have failed. A reader skips damaged ranges elsewhere, up
// to the next readable record, and counts them when it gets there.
//
// # Cost
//
// 16 bytes on disk for each record. With 20 records of 200 bytes a second (0.35 GB a
// day), ext4 wrote to its device 9.0 GB a day with Options.Sync 0, 1.4 GB with 1 s,
// 0.65 GB with 5 s and 0.55 GB with 30 s.
package spool

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"
	"time"
)

// Seq is the sequence number of a record. A spool numbers its records from 1, in
// order, without gaps.
type Seq uint64

// Policy says what happens at the cap.
type Policy int

const (
	DropOldest   Policy = iota // remove the oldest segment; each reader that had not committed it counts the records as lost
	RefuseNewest               // Append returns ErrFull
)

// Options of a spool. The zero value is a spool without a cap that syncs every group.
type Options struct {
	SegmentBytes int64         // size of a segment, by default 8 MiB; at most an eighth of the cap
	MaxBytes     int64         // cap on the bytes of all segments, 0 = none
	MaxRecords   int64         // cap on the number of records, 0 = none
	Policy       Policy        // at the cap
	Sync         time.Duration // 0: Append returns after an fsync. Positive: Append returns after the write and an
	// fsync follows within Sync. The records survive kill -9, but a power cut may lose those of the last
	// Sync. Negative: the same, but nothing is synced until the caller calls Log.SyncRecords
	CursorEvery time.Duration    // least time between two writes of the cursors, by default 1 s; a write is synced within ten times this
	Memory      int64            // bytes of the newest records to keep in memory, by default 4 MiB
	Now         func() time.Time // the time of new records, for Lag; by default time.Now
	FS          FS               // by default the operating system's
}

// Errors of Append and other calls; compare with errors.Is.
var (
	ErrFull     = errors.New("spool is full")             // the cap is reached, under RefuseNewest
	errNoSpace  = errors.New("no space on the disk")      // the call stored nothing; try again later
	errTooLarge = errors.New("records larger than spool") // one call exceeds the cap, or one record 16 MiB
	ErrClosed   = errors.New("spool is closed")
	ErrLocked   = errors.New("spool is in use by another process")
	errInUse    = errors.New("reader is in use")
)

// maxData bounds the data of a record. It also bounds the memory that a damaged
// length field can make a reader allocate.
const maxData = 16 << 20

// Stats has counts since Open, and the current values of segments, records and Bytes.
type Stats struct {
	Appended   uint64 // records acknowledged
	groups     uint64 // writes for these records
	Fsyncs     uint64 // of segments, cursor files and the folder
	Written    uint64 // bytes written to disk, cursors included
	Dropped    uint64 // records removed at the cap that some reader had not committed
	Torn       uint64 // segments whose end was cut at Open
	corrupt    uint64 // damaged ranges skipped
	SyncErrors uint64 // failed fsyncs; with Options.Sync, acknowledged records may be lost
	segments   int
	records    uint64
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

	// writeLock is a mutex that Append can wait for together with its context: the
	// sender holds it. It guards the three fields below and all writes to segments.
	writeLock        chan struct{}
	out              File // the newest segment; nil if the next group must begin a new one
	unsynced         bool // out has records that are not synced, under Options.Sync
	syncFailedBefore Seq  // a sync of records before this number failed, under Options.Sync; 0 = none did

	// cursorLock guards the fields below and all writes to the cursor files.
	cursorLock          sync.Mutex
	slots               [2]File            // cursors.a and cursors.b, each nil until it is first written
	slot                int                // the file to write next
	generation          uint64             // of the cursors written last
	written             map[string]*cursor // the cursors written last; nil once they are synced
	cursorSyncScheduled bool

	mu             sync.Mutex // guards the rest; never held during I/O
	waiting        []*group
	segs           []*segment // oldest first
	next           Seq        // of the next record to publish
	bytes          int64      // of all segments
	tail           tail
	ages           ages
	cursors        map[string]*cursor // of all readers, by name
	stats          Stats
	syncScheduled  bool // under Options.Sync
	saveScheduled  bool // a write of the cursors is scheduled
	cursorsChanged bool // cursors differ from the files
	done           bool // Close was called
}

// segment is one file. Its fields cover only published records.
type segment struct {
	first  Seq
	size   int64 // bytes
	before int64 // bytes of all earlier segments since Open, removed ones included
	bad    int64 // damaged ranges before this offset are counted already
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }
func (s *segment) name() string        { return fmt.Sprintf("%020d.log", uint64(s.first)) }

// Next returns the number that the next record will get.
func (l *Log) Next() Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Stats returns the current counts.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.segments, s.Bytes, s.records = len(l.segs), l.bytes, uint64(l.next-l.oldest())
	return s
}

// oldest returns the first number of the oldest segment, or next if there is none. The
// caller holds l.mu.
func (l *Log) oldest() Seq {
	if len(l.segs) == 0 {
		return l.next
	}
	return l.segs[0].first
}

// open returns the open readers.
func (l *Log) open() (readers []*Reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.cursors {
		if p.reader != nil {
			readers = append(readers, p.reader)
		}
	}
	return readers
}

// SyncRecords syncs the records that Options.Sync has left unsynced. Then all records
// from safe to before end are durable. safe is 0 unless a sync of records has failed
// since Open, whether in this call or before. Records before safe may then be lost at
// a power cut. If this call's sync fails, SyncRecords returns its error, and safe
// equals end.
func (l *Log) SyncRecords() (safe, end Seq, err error) {
	l.writeLock <- struct{}{}
	defer func() { <-l.writeLock }()
	err = l.syncSegment()
	return l.syncFailedBefore, l.Next(), err
}

// Sync syncs all records and writes and syncs the cursors.
func (l *Log) Sync() error {
	l.writeLock <- struct{}{}
	err := l.syncSegment()
	<-l.writeLock
	return errors.Join(err, l.saveCursors(true))
}

// Close finishes the appends in progress, syncs records and cursors and closes the
// spool. Readers that wait in Next get ErrClosed. A second Close does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.done {
		l.mu.Unlock()
		return nil
	}
	l.done = true
	l.mu.Unlock()

	l.writeLock <- struct{}{}
	for l.writeGroup() {
	}
	err := errors.Join(l.syncSegment(), l.closeSegment())
	<-l.writeLock
	err = errors.Join(err, l.saveCursors(true))
	close(l.closed)
	for _, r := range l.open() {
		err = errors.Join(err, r.source.close())
	}
	l.cursorLock.Lock()
	defer l.cursorLock.Unlock()
	for i, f := range l.slots {
		if f != nil {
			err = errors.Join(err, f.Close())
			l.slots[i] = nil
		}
	}
	return errors.Join(err, l.lock.Close())
}

// withDefaults returns o with defaults for the fields that are not set.
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
		o.Now = time.Now // clock: the default
	}
	if o.FS == nil {
		o.FS = disk{}
	}
	return o
}
