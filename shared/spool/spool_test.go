package spool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// never disables a timer in tests that count operations.
const never = 1000 * time.Hour

func mustOpen(tb testing.TB, dir string, o Options) *Log {
	tb.Helper()
	l, _, err := Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

func mustAppend(tb testing.TB, l *Log, records ...string) Seq {
	tb.Helper()
	b := make([][]byte, len(records))
	for i, r := range records {
		b[i] = []byte(r)
	}
	seq, err := l.Append(tb.Context(), b...)
	if err != nil {
		tb.Fatal(err)
	}
	return seq
}

func mustReader(tb testing.TB, l *Log, name string) *Reader {
	tb.Helper()
	r, err := l.Reader(name)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// readAll returns all remaining records of r.
func readAll(tb testing.TB, r *Reader) (recs []Record) {
	tb.Helper()
	for {
		got, err := r.take(100, 0)
		if err != nil {
			tb.Fatal(err)
		}
		if len(got) == 0 {
			return recs
		}
		recs = append(recs, got...)
	}
}

func texts(recs []Record) []string {
	out := make([]string, len(recs))
	for i, r := range recs {
		out[i] = string(r.Data)
	}
	return out
}

func TestReaderContinuesBehindItsCommit(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	if first := mustAppend(t, l, "a", "b", "", "d"); first != 1 {
		t.Errorf("first number %d, want 1", first)
	}
	r := mustReader(t, l, "store")
	recs, err := r.Next(t.Context(), 3, 0)
	if err != nil || !slices.Equal(texts(recs), []string{"a", "b", ""}) {
		t.Fatalf("%q, %v", texts(recs), err)
	}
	r.Commit(recs[1].Seq)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir, Options{})
	r = mustReader(t, l, "store")
	if got := texts(readAll(t, r)); !slices.Equal(got, []string{"", "d"}) {
		t.Errorf("after reopening %q", got)
	}
	late, err := l.ReaderAt("late", l.Next())
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, "e")
	if got := texts(readAll(t, late)); !slices.Equal(got, []string{"e"}) {
		t.Errorf("a reader from Next on got %q", got)
	}
}

func TestNextWaitsForARecordAndEndsWithItsContext(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	r := mustReader(t, l, "r")
	got := make(chan []Record)
	go func() {
		recs, _ := r.Next(t.Context(), 10, 0)
		got <- recs
	}()
	mustAppend(t, l, "x")
	if recs := <-got; len(recs) != 1 || string(recs[0].Data) != "x" {
		t.Errorf("%v", recs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := r.Next(ctx, 10, 0)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	go func() {
		_, err := r.Next(t.Context(), 10, 0)
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := l.Append(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestNextBoundsABatchButNeverRefusesALargeRecord(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	mustAppend(t, l, "12345", "678", "90", string(make([]byte, 100)), "x")
	r := mustReader(t, l, "r")
	for _, want := range []int{2, 1, 1, 1} {
		recs, err := r.Next(t.Context(), 10, 8)
		if err != nil || len(recs) != want {
			t.Fatalf("%d records, %v, want %d", len(recs), err, want)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	if _, _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	mustReader(t, l, "r")
	if _, err := l.Reader("r"); !errors.Is(err, errInUse) {
		t.Errorf("%v", err)
	}
	if err := l.RemoveReader("r"); !errors.Is(err, errInUse) {
		t.Errorf("%v", err)
	}
}

func TestTooLargeIsRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{MaxBytes: 1000, MaxRecords: 3})
	for _, records := range [][][]byte{{make([]byte, 1000)}, {nil, nil, nil, nil}, {make([]byte, maxData+1)}} {
		if _, err := l.Append(t.Context(), records...); !errors.Is(err, errTooLarge) {
			t.Errorf("%v", err)
		}
	}
	mustAppend(t, l, "still works")
}

func TestSegmentsAreRemovedOnceEveryReaderCommitted(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{SegmentBytes: 100})
	a, b := mustReader(t, l, "a"), mustReader(t, l, "b")
	for i := range 40 {
		mustAppend(t, l, fmt.Sprint("record ", i))
	}
	segments := func() int {
		names, err := filepath.Glob(filepath.Join(dir, "*.log"))
		if err != nil {
			t.Fatal(err)
		}
		if n := l.Stats().segments; n != len(names) {
			t.Errorf("Stats has %d segments, the folder %d", n, len(names))
		}
		return len(names)
	}
	all := segments()
	a.Commit(40)
	if err := l.Sync(); err != nil || segments() != all {
		t.Errorf("%d of %d segments left, %v, though b has read nothing", segments(), all, err)
	}
	b.Commit(20)
	if err := l.Sync(); err != nil || segments() >= all || segments() < all/2 {
		t.Errorf("%d of %d segments left, %v, want about half", segments(), all, err)
	}
	if err := errors.Join(b.Close(), l.RemoveReader("b")); err != nil || segments() != 1 {
		t.Errorf("%d segments left, %v, after b was removed", segments(), err)
	}
	if names := l.Readers(); !slices.Equal(names, []string{"a"}) {
		t.Errorf("%v", names)
	}
}

func TestLagHasRecordsBytesAndAge(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	o := Options{SegmentBytes: 64, Now: func() time.Time { return now }}
	l := mustOpen(t, dir, o)
	for range 10 {
		mustAppend(t, l, "0123456789012345")
		now = now.Add(time.Minute)
	}
	start := now.Add(-10 * time.Minute)
	check := func(r *Reader, records uint64, oldest time.Time) {
		t.Helper()
		want := Lag{Records: records, Bytes: int64(records) * 32, Oldest: oldest}
		if got := r.Lag(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	r := mustReader(t, l, "r")
	check(r, 10, start)
	readAll(t, r)
	check(r, 10, start)
	r.Commit(10)
	check(r, 0, time.Time{})
	behind := mustReader(t, l, "behind")
	behind.Commit(3)
	check(behind, 7, start.Add(3*time.Minute))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir, o) // ages are now per segment of two records
	r = mustReader(t, l, "behind")
	check(r, 7, start.Add(2*time.Minute))
	readAll(t, r)
	check(r, 7, start.Add(3*time.Minute))
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "1.log", "00000000000000000001.log.bak", "99999999999999999999.log", "00000000000000000000.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "00000000000000000007.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{SegmentBytes: 1})
	r := mustReader(t, l, "r")
	mustAppend(t, l, "a")
	mustAppend(t, l, "b")
	if got := texts(readAll(t, r)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
	r.Commit(2)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6+1+2+1 { // and a segment, the cursor files, the lock
		t.Errorf("%v, %v", entries, err)
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
