package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// filled creates a spool of twelve records in four segments, with a reader at the
// first record, and closes it.
func filled(tb testing.TB, dir string) (segments []string, all []string) {
	tb.Helper()
	l := mustOpen(tb, dir, Options{SegmentBytes: 120})
	mustReader(tb, l, "r")
	for i := range 12 {
		all = append(all, fmt.Sprintf("this is record %2d", i+1))
		mustAppend(tb, l, all[i])
	}
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(segments) != 4 {
		tb.Fatalf("%d segments, %v", len(segments), err)
	}
	return segments, all
}

// one is the length on disk of a record of filled.
const one = headerLen + 17

func edit(tb testing.TB, name string, how func([]byte) []byte) {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, how(b), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestDamageIsSkippedAndCounted(t *testing.T) {
	flip := func(at ...int) func([]byte) []byte {
		return func(b []byte) []byte {
			for _, i := range at {
				b[i] ^= 0xff
			}
			return b
		}
	}
	for name, c := range map[string]struct {
		segment int // of four, three records each
		how     func([]byte) []byte
		missing []int
		torn    bool
	}{
		"a byte of data in an old segment": {segment: 1, how: flip(one + 20), missing: []int{5}},
		"a length in an old segment":       {segment: 1, how: flip(one + 5), missing: []int{5}},
		"a number in an old segment":       {segment: 0, how: flip(8), missing: []int{1}},
		"two records in an old segment":    {segment: 1, how: flip(3, 2*one+3), missing: []int{4, 6}},
		"an old segment cut short":         {segment: 1, how: func(b []byte) []byte { return b[:2*one-1] }, missing: []int{5, 6}},
		"an old segment of zeros":          {segment: 2, how: func(b []byte) []byte { return make([]byte, len(b)) }, missing: []int{7, 8, 9}},
		"an old segment empty":             {segment: 2, how: func([]byte) []byte { return nil }, missing: []int{7, 8, 9}},
		"the newest, in the middle":        {segment: 3, how: flip(one + 20), missing: []int{11}},
		"the newest, at its end":           {segment: 3, how: flip(2*one + 20), missing: []int{12}, torn: true},
		"the newest cut short":             {segment: 3, how: func(b []byte) []byte { return b[:3*one-1] }, missing: []int{12}, torn: true},
		"the newest with zeros behind":     {segment: 3, how: func(b []byte) []byte { return append(b, make([]byte, 5000)...) }, torn: true},
		"the newest with garbage behind":   {segment: 3, how: func(b []byte) []byte { return append(b, bytes.Repeat([]byte("garbage\x01\x00\x00"), 999)...) }, torn: true},
		"the newest all garbage":           {segment: 3, how: func(b []byte) []byte { return bytes.Repeat([]byte{7}, len(b)) }, missing: []int{10, 11, 12}, torn: true},
		"the newest with records of another": {segment: 3, torn: true, how: func(b []byte) []byte {
			return appendRecord(b, seedOf(77), 4, 0, []byte("not of this file"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			segments, all := filled(t, dir)
			edit(t, segments[c.segment], c.how)
			l, report, err := Open(dir, Options{SegmentBytes: 1000})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if c.torn != (report.Cut > 0) || c.torn != (len(report.Problems) == 1 && report.corrupt == 0) && c.segment != 3 {
				t.Errorf("report %+v", report)
			}
			r := mustReader(t, l, "r")
			mustAppend(t, l, "goes on")
			var want []string
			for i, text := range all {
				if !slices.Contains(c.missing, i+1) {
					want = append(want, text)
				}
			}
			if got := texts(readAll(t, r)); !slices.Equal(got, append(want, "goes on")) {
				t.Errorf("read %q, want %q and goes on", got, want)
			}
			if lost := r.Lag().Lost; !c.torn && lost != uint64(len(c.missing)) {
				t.Errorf("%d lost, want %d", lost, len(c.missing))
			}
			if s := l.Stats(); !c.torn && s.corrupt == 0 || c.torn && s.Torn != 1 {
				t.Errorf("%+v", s)
			}
			l.Close()
			if _, report, err := Open(dir, Options{}); err != nil || report.Cut > 0 {
				t.Errorf("not repaired: %+v, %v", report, err)
			}
		})
	}
}

func TestMissingSegmentIsCounted(t *testing.T) {
	dir := t.TempDir()
	segments, all := filled(t, dir)
	if err := os.Remove(segments[1]); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{})
	r := mustReader(t, l, "r")
	if got := texts(readAll(t, r)); !slices.Equal(got, slices.Concat(all[:3], all[6:])) || r.Lag().Lost != 3 {
		t.Errorf("%q, %+v", got, r.Lag())
	}
	other := mustReader(t, l, "other")
	if readAll(t, other); other.Lag().Lost != 3 || l.Stats().corrupt != 1 {
		t.Errorf("%+v, %+v: one missing segment, want it counted once", other.Lag(), l.Stats())
	}
	r.Commit(3) // the cursor also moves over the missing segment
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir, Options{})
	r = mustReader(t, l, "r")
	if n := len(readAll(t, r)); n != 6 || r.Lag().Lost != 3 || r.Lag().Records != 6 {
		t.Errorf("after reopening %d, %+v", n, r.Lag())
	}
}

func TestWithoutSegmentsNumbersStartBehindTheCursors(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	l := mustOpen(t, dir, Options{})
	mustReader(t, l, "r").Commit(12)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	segments, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, name := range segments {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	l = mustOpen(t, dir, Options{})
	if first := mustAppend(t, l, "x"); first != 13 {
		t.Errorf("new record got number %d, want 13: 1 to 12 are used", first)
	}
}

func TestDamagedCursorsMeanReplayNotLoss(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[30] ^= 1; return b },
		"short":   func(b []byte) []byte { return b[:25] },
		"empty":   func([]byte) []byte { return nil },
		"zeros":   func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		for _, both := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " both ", both), func(t *testing.T) {
				dir := t.TempDir()
				l := mustOpen(t, dir, Options{CursorEvery: never})
				r := mustReader(t, l, "r")
				for i := range Seq(2) {
					mustAppend(t, l, fmt.Sprint(i))
					r.Commit(i + 1)
					if err := l.Sync(); err != nil {
						t.Fatal(err)
					}
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				files := []string{"cursors.b"} // generation 3; a is 2
				if both {
					files = append(files, "cursors.a")
				}
				for _, f := range files {
					edit(t, filepath.Join(dir, f), damage)
				}
				l, report, err := Open(dir, Options{})
				if err != nil || len(report.Problems) != len(files) {
					t.Fatalf("%v, %q", err, report.Problems)
				}
				defer l.Close()
				if got := len(readAll(t, mustReader(t, l, "r"))); got != len(files) {
					t.Errorf("%d records were read again, want %d", got, len(files))
				}
			})
		}
	}
}

// A reader tries a bad sector three times, then skips it. It returns every other
// error to the caller.
func TestABadSectorDoesNotStopAReaderForEver(t *testing.T) {
	mem := newMemFS()
	l := mustOpen(t, "d", Options{FS: mem, SegmentBytes: 100, Memory: 1, CursorEvery: never})
	r := mustReader(t, l, "r")
	big := strings.Repeat("x", chunkLen) // pushes the others out of memory
	mustAppend(t, l, "a", "b")
	mustAppend(t, l, big)
	set := func(err error) {
		mem.mu.Lock()
		defer mem.mu.Unlock()
		mem.reads = err
	}
	set(syscall.EACCES)
	for range 5 {
		if _, err := r.take(1, 0); !errors.Is(err, syscall.EACCES) {
			t.Fatalf("%v", err)
		}
	}
	set(syscall.EIO)
	for range 2 {
		if _, err := r.take(1, 0); !errors.Is(err, syscall.EIO) {
			t.Fatalf("%v", err)
		}
	}
	recs, err := r.take(1, 0)
	if err != nil || len(recs) != 1 || string(recs[0].Data) != big || r.Lag().Lost != 2 || l.Stats().corrupt != 1 {
		t.Errorf("%d records, %v, %+v", len(recs), err, r.Lag())
	}
}

func TestAnyDamageLosesOnlyTheDamagedRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 1, 20).Draw(t, "records")
		var file []byte
		starts := []int{0}
		for i, d := range data {
			file = appendRecord(file, seedOf(9), uint32(i+1), 5, d)
			starts = append(starts, len(file))
		}
		from := rapid.IntRange(0, len(file)-1).Draw(t, "from")
		garbage := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "garbage")
		to := from + copy(file[from:], garbage)
		s := newScanner(bytes.NewReader(file), 9, int64(len(file)))
		s.reuse = rapid.Bool().Draw(t, "reuse")
		seen := map[uint32]bool{}
		for {
			f, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || seen[f.num] || int(f.num) > len(data) || !bytes.Equal(f.data, data[f.num-1]) {
				t.Fatalf("record %d is %x, %v", f.num, f.data, err)
			}
			seen[f.num] = true
		}
		for i := range data {
			if (starts[i+1] <= from || starts[i] >= to) && !seen[uint32(i+1)] {
				t.Fatalf("record %d is whole and was not read", i+1)
			}
		}
	})
}
