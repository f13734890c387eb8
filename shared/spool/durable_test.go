package spool

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// A commit during a write of the cursors is not part of that write. So its segments
// must not be removed yet: after a power cut the reader would count them as lost.
func TestCommitDuringACursorWriteIsNotDurable(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, SegmentBytes: 1, CursorEvery: never}
	l := mustOpen(t, "d", o)
	r := mustReader(t, l, "r")
	mustAppend(t, l, "a")
	mustAppend(t, l, "b")
	mustAppend(t, l, "c")
	mem.onSync = func() { r.Commit(3) }
	r.Commit(1)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	if n := l.Stats().segments; n != 2 {
		t.Errorf("%d segments left, want 2: those of b and c", n)
	}
	mem.onSync = nil
	o.FS = mem.reboot(seeded(1))
	again := mustReader(t, mustOpen(t, "d", o), "r")
	if got := texts(readAll(t, again)); !slices.Equal(got, []string{"b", "c"}) || again.Lag().Lost > 0 {
		t.Errorf("%q, %+v", got, again.Lag())
	}
}

// Cursors are written often but synced rarely, unless the write frees a segment.
func TestCursorsAreSyncedRarely(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, SegmentBytes: 400, CursorEvery: never}
	l := mustOpen(t, "d", o)
	r := mustReader(t, l, "r")
	mustAppend(t, l, "a")
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	advance := func() (syncs uint64) {
		seq := mustAppend(t, l, "a")
		before := l.Stats()
		r.Commit(seq)
		if err := l.saveCursors(false); err != nil {
			t.Fatal(err)
		}
		after := l.Stats()
		if after.Written == before.Written {
			t.Fatal("the cursor was not written")
		}
		return after.Fsyncs - before.Fsyncs
	}
	for range 10 {
		if n := advance(); n != 0 {
			t.Fatalf("%d syncs for a commit that frees no segment", n)
		}
	}
	clear(mem.locked) // killed
	if again := mustOpen(t, "d", o); again.cursors["r"].Next != 12 {
		t.Errorf("after a kill the reader is at %d, want 12", again.cursors["r"].Next)
	}
	syncs := uint64(0)
	for range 100 { // 17 bytes each
		syncs += advance()
	}
	if segments := l.Stats().segments; syncs != 100*17/400 || segments != 1 {
		t.Errorf("%d syncs, %d segments left: want one sync for each freed segment", syncs, segments)
	}
}

// LowestCursor is the lowest cursor of all readers but one.
func TestLowestCursorLeavesOneReaderOut(t *testing.T) {
	l := mustOpen(t, "d", Options{FS: newMemFS(), CursorEvery: never})
	mustReader(t, l, "memory")
	if got := l.LowestCursor("memory"); got != 0 {
		t.Errorf("%d with no other reader", got)
	}
	a, b := mustReader(t, l, "a"), mustReader(t, l, "b")
	mustAppend(t, l, "a", "b", "c")
	a.Commit(3)
	b.Commit(1)
	if got := l.LowestCursor("memory"); got != 2 {
		t.Errorf("%d, want 2: b has not committed it", got)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := l.LowestCursor("memory"); got != 2 {
		t.Errorf("%d, want 2: a closed reader keeps its cursor", got)
	}
	if err := l.RemoveReader("b"); err != nil {
		t.Fatal(err)
	}
	if got := l.LowestCursor("memory"); got != 4 {
		t.Errorf("%d, want 4", got)
	}
}

// With a negative Options.Sync, records are durable once SyncRecords has returned.
func TestSyncRecordsMakesDurable(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, Sync: -1, CursorEvery: never}
	l := mustOpen(t, "d", o)
	mustAppend(t, l, "a", "b")
	if safe, end, err := l.SyncRecords(); err != nil || safe != 0 || end != 3 {
		t.Fatalf("durable from %d to %d, %v, want 0 to 3", safe, end, err)
	}
	before := l.Stats().Fsyncs
	mustAppend(t, l, "c")
	if n := l.Stats().Fsyncs; n != before {
		t.Errorf("%d fsyncs without a call of SyncRecords", n-before)
	}
	mem.syncs = errors.New("disk failed")
	if safe, end, err := l.SyncRecords(); !errors.Is(err, mem.syncs) || safe != end {
		t.Errorf("durable from %d to %d, %v, want the disk's error and nothing durable", safe, end, err)
	}
	for seed := range uint64(20) {
		o.FS = mem.reboot(seeded(seed))
		got := texts(readAll(t, mustReader(t, mustOpen(t, "d", o), "r")))
		if len(got) < 2 || !slices.Equal(got[:2], []string{"a", "b"}) {
			t.Fatalf("%q", got)
		}
	}
}

// A kernel reports a failed fsync only once. If a change of segments or a failed
// write got that error, SyncRecords still says which records it affects.
func TestAFailedSyncIsRemembered(t *testing.T) {
	for name, fail := range map[string]func(mem *memFS, l *Log){
		"at a change of segments": func(mem *memFS, l *Log) {
			mem.syncs = errors.New("disk failed")
			mustAppend(t, l, strings.Repeat("c", 100))
			mem.syncs = nil
		},
		"after a failed write that cannot be truncated": func(mem *memFS, l *Log) {
			mem.syncs, mem.cutAt = errors.New("disk failed"), mem.ops+1
			if _, err := l.Append(t.Context(), []byte("c")); err == nil {
				t.Fatal("the write did not fail")
			}
			mem.syncs, mem.cutAt = nil, 0
			mustAppend(t, l, "c")
		},
		"in a call of Sync": func(mem *memFS, l *Log) {
			mem.syncs = errors.New("disk failed")
			if err := l.Sync(); err == nil {
				t.Fatal("the sync did not fail")
			}
			mem.syncs = nil
			mustAppend(t, l, "c")
		},
	} {
		t.Run(name, func(t *testing.T) {
			mem := newMemFS()
			l := mustOpen(t, "d", Options{FS: mem, SegmentBytes: 110, Sync: -1, CursorEvery: never})
			mustAppend(t, l, "a", "b")
			fail(mem, l)
			for range 2 {
				if safe, end, err := l.SyncRecords(); safe != 3 || end != 4 || err != nil {
					t.Errorf("durable from %d to %d, %v; want 3 to 4", safe, end, err)
				}
			}
		})
	}
}

// With a positive Options.Sync, a segment is synced before the next one begins.
func TestFullSegmentsAreSyncedUnderDelayedSync(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, SegmentBytes: 50, Sync: never, CursorEvery: never}
	l := mustOpen(t, "d", o)
	for range 20 {
		mustAppend(t, l, "0123456789")
	}
	o.FS = mem.reboot(seeded(3))
	l, _, err := Open("d", o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, mustReader(t, l, "r"))); n < 19 {
		t.Errorf("%d records left", n)
	}
}

// Open syncs records that a killed process wrote without a sync, before readers see them.
func TestOpenSyncsExistingRecords(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, Sync: never, CursorEvery: never}
	l := mustOpen(t, "d", o)
	mustAppend(t, l, "a", "b")
	clear(mem.locked) // killed
	mustOpen(t, "d", o)
	o.FS = mem.reboot(seeded(1))
	if got := texts(readAll(t, mustReader(t, mustOpen(t, "d", o), "r"))); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
}

// Records that a failed write left in a segment are ignored once the next segment begins.
func TestNextSegmentsNumberEndsASegment(t *testing.T) {
	mem := newMemFS()
	put := func(name string, first Seq, texts ...string) {
		var b []byte
		for i, text := range texts {
			b = appendRecord(b, seedOf(first), uint32(i+1), 0, []byte(text))
		}
		mem.names[name] = &inode{now: b}
	}
	put("d/00000000000000000001.log", 1, "a", "void", "void")
	put("d/00000000000000000002.log", 2, "b", "c", "lost", "void")
	put("d/00000000000000000005.log", 5, "e")
	mem.names["d/00000000000000000002.log"].now[2*(headerLen+1)]++
	l := mustOpen(t, "d", Options{FS: mem, CursorEvery: never})
	r := mustReader(t, l, "r")
	if got := strings.Join(texts(readAll(t, r)), ""); got != "abce" || r.Lag().Lost != 1 {
		t.Errorf("%q, %+v", got, r.Lag())
	}
}

func TestScanTakesOnlyRisingNumbersUpToItsLimit(t *testing.T) {
	var file []byte
	for _, num := range []uint32{1, 2, 2, 1, 3, 9, 4, 5} { // the sixth record cannot have number 9
		file = appendRecord(file, seedOf(1), num, 0, []byte{byte(num)})
	}
	file[4*(headerLen+1)] ^= 1 // damages number 3
	for limit, want := range map[uint32][]byte{4: {1, 2, 4}, 3: {1, 2}} {
		s := newScanner(bytes.NewReader(file), 1, int64(len(file)))
		s.limit = limit
		var got []byte
		f, err := s.next()
		for ; err == nil; f, err = s.next() {
			got = append(got, f.data...)
		}
		if !errors.Is(err, io.EOF) || !slices.Equal(got, want) {
			t.Errorf("up to %d: %v, %v, want %v", limit, got, err, want)
		}
	}
}

// Data that looks like records must not make a damaged segment slow.
func TestSearchAfterDamageIsBounded(t *testing.T) {
	const size = 2 << 20
	file := make([]byte, 0, size)
	for len(file) < size { // headers that each claim the rest of the file
		left := uint32(size-len(file)) - headerLen
		file = append(file, 1, 2, 3, 4, byte(left), byte(left>>8), byte(left>>16), 0, 1, 0, 0, 0, 0, 0, 0, 0)
	}
	read := 0
	s := newScanner(counting{bytes.NewReader(file), &read}, 1, size)
	s.reuse = true
	if _, err := s.next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if read > 100*size {
		t.Errorf("%d bytes read to search %d", read, size)
	}
}

type counting struct {
	io.ReaderAt
	n *int
}

func (c counting) ReadAt(b []byte, off int64) (int, error) {
	*c.n += len(b)
	return c.ReaderAt.ReadAt(b, off)
}

// Cursor returns the next record of a reader, open or closed. Records dropped at the
// cap are before it.
func TestCursorIsTheFirstUncommittedRecord(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{SegmentBytes: 1, MaxRecords: 4})
	r := mustReader(t, l, "r")
	want := func(what string, seq Seq, known bool) {
		t.Helper()
		if got, ok := l.Cursor("r"); got != seq || ok != known {
			t.Errorf("%s: %d, %v; want %d, %v", what, got, ok, seq, known)
		}
	}
	mustAppend(t, l, "a")
	mustAppend(t, l, "b")
	want("new", 1, true)
	r.Commit(1)
	want("committed", 2, true)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want("closed", 2, true)
	for range 5 {
		mustAppend(t, l, "c")
	}
	want("dropped at the cap", 4, true)
	if err := l.RemoveReader("r"); err != nil {
		t.Fatal(err)
	}
	want("removed", 0, false)
}
