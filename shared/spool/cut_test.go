package spool

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// cutRecords is the number of records of cutSpool, three in each segment.
const cutRecords = 9

// cutCursors are the readers of cutSpool, and the first record that each has not
// committed.
var cutCursors = map[string]Seq{"nothing": 1, "first segment": 4, "middle": 6, "last segment": 9, "everything": cutRecords + 1}

// cutSpool returns a closed spool of three segments whose readers have committed
// different parts of it.
func cutSpool(t *testing.T) *memFS {
	mem := newMemFS()
	l := mustOpen(t, "d", Options{FS: mem, SegmentBytes: 3 * one, CursorEvery: never})
	for i := range cutRecords {
		mustAppend(t, l, fmt.Sprintf("this is record %2d", i+1))
	}
	for name, next := range cutCursors {
		mustReader(t, l, name).Commit(next - 1)
	}
	for range 2 { // into both cursor files
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		l.cursorsDiffer()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return mem
}

func segmentFile(k int) string { return fmt.Sprintf("d/%020d.log", 3*k+1) }

// copied returns a copy of a closed spool.
func copied(mem *memFS) *memFS {
	c := newMemFS()
	for name, node := range mem.names {
		if name != "d/lock" {
			c.names[name] = &inode{now: slices.Clone(node.now), disk: slices.Clone(node.now)}
			c.durable[name] = c.names[name]
		}
	}
	return c
}

// lose is a length of a segment: its file is removed.
const lose = -1

// cut cuts segment k to n bytes, and returns the records that are not whole any more.
func cut(mem *memFS, k, n int) (gone []Seq) {
	if n == lose {
		delete(mem.names, segmentFile(k))
		n = 0
	} else {
		mem.names[segmentFile(k)].now = mem.names[segmentFile(k)].now[:n]
	}
	for i := n / one; i < 3; i++ {
		gone = append(gone, Seq(3*k+1+i))
	}
	return gone
}

// cutFiles are the states of the cursor files; the value reports whether the cursors are
// known.
var cutFiles = map[string]struct {
	change func(mem *memFS)
	known  bool
}{
	"whole":       {func(*memFS) {}, true},
	"one missing": {func(mem *memFS) { delete(mem.names, "d/cursors.a") }, true},
	"one empty":   {func(mem *memFS) { mem.names["d/cursors.b"].now = nil }, true},
	"one garbage": {func(mem *memFS) { copy(mem.names["d/cursors.a"].now[20:], "garbage") }, true},
	"one is cut":  {func(mem *memFS) { mem.names["d/cursors.b"].now = mem.names["d/cursors.b"].now[:40] }, true},
	"missing":     {func(mem *memFS) { delete(mem.names, "d/cursors.a"); delete(mem.names, "d/cursors.b") }, false},
	"damaged": {func(mem *memFS) {
		mem.names["d/cursors.a"].now = mem.names["d/cursors.a"].now[:60]
		copy(mem.names["d/cursors.b"].now[25:], "garbage")
	}, false},
}

// Whatever the length of the last two segments, and whatever the state of the cursor
// files: the spool opens, each reader gets the whole records that it has not committed
// and every new record, and none waits for a record that is lost.
func TestEveryLengthOfTheLastSegments(t *testing.T) {
	mem := cutSpool(t)
	check := func(files string, lengths map[int]int) {
		c := damage{what: fmt.Sprintf("cursors %s, segments cut to %v", files, lengths), mem: copied(mem), files: files}
		for k, n := range lengths {
			c.gone = append(c.gone, cut(c.mem, k, n)...)
		}
		cutFiles[files].change(c.mem)
		c.check(t)
	}
	for files := range cutFiles {
		for n := lose; n <= 3*one; n++ {
			check(files, map[int]int{2: n})
			check(files, map[int]int{1: n})
			check(files, map[int]int{1: n, 2: 0})
			check(files, map[int]int{1: n, 2: lose})
			check(files, map[int]int{0: n, 1: one + 1, 2: lose})
		}
		check(files, map[int]int{0: 0, 1: lose, 2: lose})
	}
}

// damage is a damaged spool.
type damage struct {
	what  string
	mem   *memFS
	files string // key of cutFiles
	gone  []Seq  // records that are not whole
}

// check opens the spool twice.
func (d damage) check(t *testing.T) {
	t.Helper()
	what, known := d.what, cutFiles[d.files].known
	o := Options{FS: d.mem, SegmentBytes: 3 * one, CursorEvery: never, Memory: 1}
	l, report, err := Open("d", o)
	if err != nil || report.CursorsLost != (d.files != "whole") {
		t.Fatalf("%s: %v, %+v", what, err, report)
	}
	readers := map[string]*Reader{}
	for name, next := range cutCursors {
		if !known {
			next = 1
		}
		readers[name] = mustReader(t, l, name)
		var want []string
		for seq := next; seq <= cutRecords; seq++ {
			if !slices.Contains(d.gone, seq) {
				want = append(want, fmt.Sprintf("this is record %2d", seq))
			}
		}
		if got := texts(readAll(t, readers[name])); !slices.Equal(got, want) {
			t.Fatalf("%s: reader of %s got %q, want %q", what, name, got, want)
		}
		if known && l.Next() < next {
			t.Fatalf("%s: the next number is %d, and the reader of %s has committed %d", what, l.Next(), name, next-1)
		}
	}
	checkNew(t, what, l, readers)
	if err := l.Close(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	l, report, err = Open("d", o)
	if err != nil || report.Cut > 0 || len(report.Problems) > 0 || report.CursorsLost {
		t.Fatalf("%s: it is not repaired: %v, %+v", what, err, report)
	}
	for name := range maps.Clone(readers) {
		readers[name] = mustReader(t, l, name)
	}
	checkNew(t, what+", opened again", l, readers)
	if err := l.Close(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// checkNew appends records, which all readers must get and commit.
func checkNew(t *testing.T, what string, l *Log, readers map[string]*Reader) {
	t.Helper()
	first := mustAppend(t, l, "new 1", "new 2")
	mustAppend(t, l, "new 3")
	for name, r := range readers {
		if got := texts(readAll(t, r)); !slices.Equal(got, []string{"new 1", "new 2", "new 3"}) {
			t.Fatalf("%s: reader of %s got %q, want the new records", what, name, got)
		}
		r.Commit(first + 2)
		if lag := r.Lag(); lag.Records != 0 {
			t.Fatalf("%s: reader of %s is behind: %+v", what, name, lag)
		}
	}
}

// A cursor that is far ahead of the records, as after a loss of nearly all segments, hides
// no record that is whole, and new records are numbered behind it.
func TestACursorFarAheadHidesNothing(t *testing.T) {
	for _, ahead := range []Seq{1<<32 + 2, 1 << 40, maxSeq / 2} {
		mem := newMemFS()
		o := Options{FS: mem, SegmentBytes: 3 * one, CursorEvery: never, Memory: 1}
		l := mustOpen(t, "d", o)
		mustReader(t, l, "behind")
		mustAppend(t, l, "a", "b", "c", "d")
		l.cursors["ahead"] = &cursor{Next: ahead}
		for range 2 {
			l.cursorsDiffer()
			if err := l.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		clear(mem.locked) // killed
		for range 2 {
			l = mustOpen(t, "d", o)
			first := mustAppend(t, l, "e")
			if first < ahead {
				t.Errorf("the new record got number %d, and a reader has committed up to %d", first, ahead-1)
			}
			got := texts(readAll(t, mustReader(t, l, "behind")))
			if !slices.Equal(got[:5], []string{"a", "b", "c", "d", "e"}) || len(texts(readAll(t, mustReader(t, l, "ahead")))) == 0 {
				t.Errorf("ahead %d: %q", ahead, got)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
