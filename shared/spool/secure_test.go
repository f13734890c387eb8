package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A cursor file that cannot be read once, and can be later, must not bring back cursors
// that are ahead of the records: new records have got the same numbers meanwhile.
func TestOpenReplacesDamagedCursorFiles(t *testing.T) {
	for _, damaged := range [][]string{{"d/cursors.a"}, {"d/cursors.b"}, {"d/cursors.a", "d/cursors.b"}} {
		mem := cutSpool(t)
		before := map[string]uint64{}
		for _, name := range damaged {
			before[name], _, _ = decodeCursors(mem.names[name].now)
			mem.names[name].now[30] ^= 1
		}
		mustOpen(t, "d", Options{FS: mem, CursorEvery: never})
		for _, name := range damaged {
			if mem.names[name] == nil && len(damaged) == 2 {
				continue
			}
			if generation, _, err := decodeCursors(mem.names[name].now); err != nil || generation < before[name] {
				t.Errorf("%q damaged: %s is of generation %d after %d, %v", damaged, name, generation, before[name], err)
			}
		}
	}
}

// With Options.Sync, Open makes what it finds durable, also if an fsync of the killed
// process had failed: another fsync alone writes nothing.
func TestOpenWritesUnsyncedRecordsAgain(t *testing.T) {
	for _, failures := range []int{1, 2, 3, 4} {
		mem := newMemFS()
		o := Options{FS: mem, Sync: []time.Duration{-1, never}[failures%2], CursorEvery: never, SegmentBytes: 1000}
		l := mustOpen(t, "d", o)
		want := []string{"synced"}
		mustAppend(t, l, want...)
		if _, _, err := l.SyncRecords(); err != nil {
			t.Fatal(err)
		}
		for i := range failures {
			want = append(want, fmt.Sprint("not synced ", i))
			mustAppend(t, l, want[len(want)-1])
			mem.syncs = errors.New("disk failed")
			if _, _, err := l.SyncRecords(); err == nil {
				t.Fatal("the sync did not fail")
			}
			mem.syncs = nil
		}
		clear(mem.locked) // killed
		l = mustOpen(t, "d", o)
		if safe, _, err := l.SyncRecords(); err != nil || safe != 0 {
			t.Errorf("durable from %d, %v, want all", safe, err)
		}
		for seed := range uint64(10) {
			o.FS = mem.reboot(seeded(seed))
			if got := texts(readAll(t, mustReader(t, mustOpen(t, "d", o), "r"))); !slices.Equal(got, want) {
				t.Errorf("after %d failed syncs and a power cut: %q, want %q", failures, got, want)
			}
		}
	}
}

// If they cannot be made durable, SyncRecords says so.
func TestRecordsThatOpenCannotSyncAreNotDurable(t *testing.T) {
	mem := newMemFS()
	o := Options{FS: mem, Sync: -1, CursorEvery: never}
	mustAppend(t, mustOpen(t, "d", o), "a", "b")
	clear(mem.locked) // killed
	mem.syncs = errors.New("disk failed")
	l := mustOpen(t, "d", o)
	mem.syncs = nil
	mustAppend(t, l, "c")
	if safe, end, err := l.SyncRecords(); safe != 3 || end != 4 || err != nil {
		t.Errorf("durable from %d to %d, %v, want 3 to 4", safe, end, err)
	}
}

// A folder that somebody made in the place of a cursor file does not keep cursors from
// being written.
func TestAFolderInThePlaceOfACursorFile(t *testing.T) {
	for _, names := range [][]string{{"cursors.a"}, {"cursors.b"}, {"cursors.a", "cursors.b"}} {
		dir := t.TempDir()
		filled(t, dir)
		for _, name := range names {
			if err := errors.Join(os.Remove(filepath.Join(dir, name)), os.Mkdir(filepath.Join(dir, name), 0o700)); err != nil {
				t.Fatal(err)
			}
		}
		l := mustOpen(t, dir, Options{})
		r := mustReader(t, l, "r")
		for seq := range Seq(4) {
			r.Commit(seq + 1)
			if err := l.Sync(); err != nil {
				t.Errorf("%q: %v", names, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		l, report, err := Open(dir, Options{})
		if err != nil || report.CursorsLost || len(report.Problems) > 0 {
			t.Fatalf("%q: %v, %+v", names, err, report)
		}
		if next, _ := l.Cursor("r"); next != 5 {
			t.Errorf("%q: the cursor is %d, want 5", names, next)
		}
		l.Close()
	}
}
