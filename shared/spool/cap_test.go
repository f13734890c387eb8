package spool

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestOldestAreDroppedAtTheCapAndCountedPerReader(t *testing.T) {
	dir := t.TempDir()
	o := Options{MaxRecords: 80, CursorEvery: never}
	l := mustOpen(t, dir, o)
	slow, quick := mustReader(t, l, "slow"), mustReader(t, l, "quick")
	for i := range 200 {
		seq := mustAppend(t, l, fmt.Sprint(i))
		if recs := readAll(t, quick); len(recs) != 1 {
			t.Fatalf("%d records", len(recs))
		}
		quick.Commit(seq)
	}
	s := l.Stats()
	if s.records > 80 || s.records < 70 || s.Dropped != 200-s.records {
		t.Errorf("%+v", s)
	}
	if lag := slow.Lag(); lag.Lost != s.Dropped || lag.Records != s.records || quick.Lag().Lost != 0 {
		t.Errorf("slow %+v, quick %+v, %d dropped", lag, quick.Lag(), s.Dropped)
	}
	recs := readAll(t, slow)
	if len(recs) != int(s.records) || string(recs[len(recs)-1].Data) != "199" {
		t.Errorf("%d records", len(recs))
	}
	slow.Commit(200)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir, o)
	if lag := mustReader(t, l, "slow").Lag(); lag.Lost != s.Dropped || lag.Records != 0 {
		t.Errorf("after reopening %+v", lag)
	}
}

func TestBytesAreCapped(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{MaxBytes: 10_000})
	for range 100 {
		mustAppend(t, l, strings.Repeat("x", 500))
		if s := l.Stats(); s.Bytes > 10_000 {
			t.Fatalf("%+v", s)
		}
	}
	if s := l.Stats(); s.Bytes < 8_000 || s.Dropped != 100-s.records {
		t.Errorf("%+v", s)
	}
}

func TestNewestAreRefusedUntilReadersCommit(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{MaxRecords: 16, Policy: RefuseNewest, CursorEvery: never})
	r := mustReader(t, l, "r")
	for range 16 {
		mustAppend(t, l, "x")
	}
	if _, err := l.Append(t.Context(), []byte("too many")); !errors.Is(err, ErrFull) {
		t.Fatalf("%v", err)
	}
	r.Commit(2) // the cursors are not written yet
	mustAppend(t, l, "fits again")
	if s := l.Stats(); s.Dropped != 0 || len(readAll(t, r)) != 15 {
		t.Errorf("%+v", s)
	}
}

// One call fills the spool to its cap. Once its records are committed, the next call
// has room.
func TestFullOfConsumedRecordsIsNotFull(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{MaxRecords: 3, Policy: RefuseNewest, CursorEvery: never})
	r := mustReader(t, l, "r")
	for i := range Seq(5) {
		mustAppend(t, l, "a", "b", "c")
		r.Commit(3 * (i + 1))
	}
}

func TestFullDiskIsReportedAndSurvived(t *testing.T) {
	for _, saved := range []bool{true, false} {
		t.Run(fmt.Sprint("cursors written before ", saved), func(t *testing.T) { fullDisk(t, saved) })
	}
}

func fullDisk(t *testing.T, saved bool) {
	mem := newMemFS()
	o := Options{FS: mem, SegmentBytes: 1000, CursorEvery: never}
	l := mustOpen(t, "d", o)
	r := mustReader(t, l, "r")
	if saved {
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	mem.space = 10_000
	var err error
	stored := 0
	for ; err == nil; stored++ {
		_, err = l.Append(t.Context(), fmt.Appendf(nil, "%0100d", stored))
	}
	stored--
	if !errors.Is(err, errNoSpace) || stored < 70 {
		t.Fatalf("%v after %d", err, stored)
	}
	if used := l.Stats().Bytes; mem.space != 10_000-used {
		t.Errorf("%d bytes free, %d used: a partly written record was not truncated", mem.space, used)
	}
	recs, err := r.Next(t.Context(), 50, 0)
	if err != nil || len(recs) != 50 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	r.Commit(recs[49].Seq)
	mem.space = 0
	if err := l.Sync(); err != nil { // there is no room for the cursors: Sync removes a segment
		t.Fatal(err)
	}
	for i := range 10 {
		mustAppend(t, l, fmt.Sprintf("%0100d", stored+i))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, report, err := Open("d", o)
	if err != nil || saved && len(report.Problems) > 0 {
		t.Fatalf("%v, %q", err, report.Problems)
	}
	defer l.Close()
	recs = readAll(t, mustReader(t, l, "r"))
	if len(recs) != stored-50+10 {
		t.Errorf("%d records, want %d", len(recs), stored-50+10)
	}
	for i, rec := range recs {
		if want := fmt.Sprintf("%0100d", 50+i); string(rec.Data) != want || rec.Seq != Seq(51+i) {
			t.Errorf("record %d: %s", rec.Seq, rec.Data)
		}
	}
}

func TestFailedSyncStoresNothingAndTheNextAppendWorks(t *testing.T) {
	mem := newMemFS()
	l := mustOpen(t, "d", Options{FS: mem, CursorEvery: never})
	mustAppend(t, l, "a")
	mem.syncs = errors.New("disk failed")
	if _, err := l.Append(t.Context(), []byte("b")); !errors.Is(err, mem.syncs) {
		t.Errorf("%v", err)
	}
	mem.syncs = nil
	if seq := mustAppend(t, l, "c"); seq != 2 {
		t.Errorf("number %d", seq)
	}
	mem = mem.reboot(seeded(1))
	l = mustOpen(t, "d", Options{FS: mem, CursorEvery: never})
	if got := strings.Join(texts(readAll(t, mustReader(t, l, "r"))), " "); got != "a c" {
		t.Errorf("%q", got)
	}
}
