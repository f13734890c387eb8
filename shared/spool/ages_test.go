package spool

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// Lag works from memory alone, however far the reader is behind.
func TestLagReadsNothing(t *testing.T) {
	mem := newMemFS()
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	l := mustOpen(t, "d", Options{FS: mem, SegmentBytes: 64, Memory: 1, CursorEvery: never, Now: func() time.Time { return now }})
	r := mustReader(t, l, "r")
	start := now
	for range 100 {
		mustAppend(t, l, "0123456789012345")
		now = now.Add(time.Minute)
	}
	mem.reads = syscall.EIO
	for k := range Seq(100) {
		want := Lag{Records: uint64(100 - k), Bytes: 32 * int64(100-k), Oldest: start.Add(time.Duration(k) * time.Minute)}
		if got := r.Lag(); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
		r.Commit(k + 1)
	}
	if got := (r.Lag()); got != (Lag{}) {
		t.Errorf("%+v after all is committed", got)
	}
}

// After Open, only the time of each segment's first record is known.
func TestLagAfterOpenIsExactToASegment(t *testing.T) {
	mem := newMemFS()
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	o := Options{FS: mem, SegmentBytes: 320, Memory: 1, CursorEvery: never, Now: func() time.Time { return now }}
	l := mustOpen(t, "d", o)
	mustReader(t, l, "r")
	var times []time.Time
	for range 95 { // ten a segment
		mustAppend(t, l, "0123456789012345")
		times = append(times, now)
		now = now.Add(time.Minute)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := mustReader(t, mustOpen(t, "d", o), "r")
	mem.reads = syscall.EIO
	for k := range Seq(95) {
		want := times[k-k%10]
		if k >= 90 { // Open reads the newest segment
			want = times[k]
		}
		if got := r.Lag().Oldest; !got.Equal(want) {
			t.Fatalf("record %d: %s, want %s", k+1, got, want)
		}
		r.Commit(k + 1)
	}
}

// The memory for ages is bounded. The age of an old record is less exact, but never
// too young.
func TestAgesAreBounded(t *testing.T) {
	var a ages
	const n = 10 * maxAges
	for k := range Seq(n) {
		a.add(k+1, uint32(k)+1000)
		a.add(k+1, uint32(k)+1000)
	}
	if len(a.marks) > maxAges {
		t.Fatalf("%d marks", len(a.marks))
	}
	if !slices.IsSortedFunc(a.marks, func(a, b mark) int { return int(a.seq) - int(b.seq) }) {
		t.Fatal("the marks are out of order")
	}
	for k := range Seq(n) {
		switch got, want := a.of(k+1), uint32(k)+1000; {
		case got > want, got < 1000:
			t.Fatalf("record %d: got time %d, want at most %d", k+1, got, want)
		case k >= n-maxAges/2 && got != want:
			t.Fatalf("record %d is new: got time %d, want exactly %d", k+1, got, want)
		}
	}
	a.forget(n - 10)
	if len(a.marks) != 11 || a.of(n) != n-1+1000 || a.of(n-10) != n-11+1000 {
		t.Errorf("%d marks, %d, %d", len(a.marks), a.of(n), a.of(n-10))
	}
}
