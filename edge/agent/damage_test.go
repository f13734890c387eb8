package agent

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// While the spool cannot be opened at all, its readings are published from memory.
func TestReadingsAreKeptInMemoryWhileTheSpoolCannotBeOpened(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	if err := os.WriteFile(dir, []byte("a file, not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newTestBacklog(t, dir)
	if err := b.open(); err != nil || !b.diskFailed {
		t.Fatalf("%v, failed: %v", err, b.diskFailed)
	}
	for round := range 2 {
		b.retryAt = 0
		b.add(numbered(1, 3)...)
		if got := b.takePending(); len(got) != 3 || !b.diskFailed {
			t.Errorf("round %d: %d readings to publish, want 3", round, len(got))
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	b.retryAt = 0
	b.add(numbered(4, 4)...)
	if got := published(t, b); !slices.Equal(got, []uint64{4}) || b.diskFailed {
		t.Errorf("published %d from disk, want 4", got)
	}
}

// openBacklog opens the backlog in a folder.
func openBacklog(t *testing.T, dir string) *backlog {
	t.Helper()
	b := newTestBacklog(t, dir)
	b.options.SegmentBytes = 200
	if err := b.open(); err != nil || b.spool == nil {
		t.Fatalf("%v", err)
	}
	return b
}

func newTestBacklog(t *testing.T, dir string) *backlog {
	t.Helper()
	c := Config{Dir: dir, SpoolMiB: 1, SpoolRecords: 1000, SpoolSync: time.Hour, KeepMiB: 1}
	clock := systemClock()
	m := &monitor{log: slog.New(slog.DiscardHandler), up: uptime(time.Now())}
	tk := newTimekeeper(clock, true, time.Hour, filepath.Join(t.TempDir(), "clock.json"), m.log, m)
	return newBacklog(c, nil, m.up, tk, m, m.log)
}

// published returns the numbers of the readings that are published from a backlog, until
// it says that it has no more, and commits them.
func published(t *testing.T, b *backlog) (seqs []uint64) {
	t.Helper()
	for rounds := 0; b.hasMore(); rounds++ {
		if rounds > 1000 {
			t.Fatal("the backlog always says that it has more")
		}
		for _, q := range b.next(10) {
			seqs = append(seqs, q.Seq)
			b.commit(q.pos, 1)
		}
	}
	b.commit(0, 0)
	return seqs
}

func numbered(from, to uint64) (out []*record) {
	for seq := from; seq <= to; seq++ {
		out = append(out, &record{Node: "pi", Reading: wire.Reading{Device: "d", Boot: "b", Seq: seq}})
	}
	return out
}

// Whatever the length of the last two segments, the backlog gives all whole readings, and
// each new one, and does not wait for those that are lost.
func TestTheBacklogWithEveryLengthOfTheLastSegments(t *testing.T) {
	const readings, stored, base = 12, 2, 10 // all numbers have two digits, so that all records have the same length
	made := t.TempDir()
	b := openBacklog(t, made)
	for _, r := range numbered(base+1, base+readings) {
		b.add(r)
	}
	q := b.next(stored)
	b.commit(q[len(q)-1].pos, 1)
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	text, err := numbered(base, base)[0].encode()
	if err != nil {
		t.Fatal(err)
	}
	one := 16 + len(text) // bytes of a reading in its segment
	segments, err := filepath.Glob(filepath.Join(made, "*.log"))
	if err != nil || len(segments) < 3 {
		t.Fatalf("%q, %v", segments, err)
	}
	for _, segment := range segments[len(segments)-2:] {
		info, err := os.Stat(segment)
		if err != nil {
			t.Fatal(err)
		}
		var first, end uint64
		if _, err := fmt.Sscanf(filepath.Base(segment), "%d.log", &first); err != nil {
			t.Fatal(err)
		}
		end = first + uint64(int(info.Size())/one)
		for n := range info.Size() + 1 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(made)); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, filepath.Base(segment)), n); err != nil {
				t.Fatal(err)
			}
			var want []uint64
			for pos := uint64(stored + 1); pos <= readings; pos++ {
				if pos < first || pos >= end || pos < first+uint64(int(n)/one) {
					want = append(want, base+pos)
				}
			}
			checkBacklog(t, fmt.Sprintf("segment %d cut to %d bytes", first, n), dir, want)
		}
	}
}

func checkBacklog(t *testing.T, what, dir string, want []uint64) {
	t.Helper()
	b := openBacklog(t, dir)
	if got := published(t, b); !slices.Equal(got, want) {
		t.Fatalf("%s: published %d, want %d", what, got, want)
	}
	b.add(numbered(100, 101)...)
	if got := published(t, b); !slices.Equal(got, []uint64{100, 101}) {
		t.Fatalf("%s: published %d of new readings, want 100 and 101", what, got)
	}
	if n := b.reader.Lag().Records; n != 0 {
		t.Errorf("%s: %d readings are never removed", what, n)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
}

// The newest segment is empty and the one before it damaged at its end: the last numbers
// are lost, and no record comes after them.
func TestTheBacklogDoesNotWaitForLostReadingsAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	b := openBacklog(t, dir)
	b.add(numbered(1, 2)...)
	next := b.spool.Next()
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, fmt.Sprintf("%020d.log", 1))
	info, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(first, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d.log", next)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkBacklog(t, "the last reading is lost", dir, []uint64{1})
}
