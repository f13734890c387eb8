package deadletter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

// TestTheOldestLettersAreDroppedAtTheCaps of number and of bytes, and the mirror gets a
// notice of each.
func TestTheOldestLettersAreDroppedAtTheCaps(t *testing.T) {
	for name, tt := range map[string]struct {
		most     int
		maxBytes int64
		payload  int
		want     int
	}{
		"number of letters":         {10, 1 << 20, 10, 10},
		"bytes":                     {1000, 50_000, 1000, 12},
		"a letter larger than cap":  {1000, 100, 1000, 1},
		"one percent more than cap": {200, 1 << 30, 10, 199},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 301
			dir := t.TempDir()
			l, o := opened(t, dir, func(int) bool { return false })
			l.o.Max, l.o.MaxBytes = tt.most, tt.maxBytes
			start, i := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), 0
			l.o.Now = func() time.Time { return start.Add(time.Duration(i) * time.Second) }
			for i = range n {
				if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: fmt.Sprintf("house/%03d", i), Payload: make([]byte, tt.payload)}, "no"); err != nil {
					t.Fatal(err)
				}
			}
			s, ds := l.Stats(), l.List(Query{})
			if s.Letters != tt.want || len(ds) != tt.want || int(s.Dropped) != n-tt.want || o.notices != n+n-tt.want {
				t.Errorf("%+v after %d letters and %d notices, want %d kept", s, n, o.notices, tt.want)
			}
			for k, d := range ds {
				if want := fmt.Sprintf("house/%03d", n-len(ds)+k); d.Topic != want {
					t.Errorf("kept %s, want %s", d.Topic, want)
				}
			}
			if again, _ := opened(t, dir, nil); again.Stats().Bytes != s.Bytes || again.Stats().Letters != s.Letters {
				t.Errorf("after a restart %+v, want %+v", again.Stats(), s)
			}
		})
	}
}

// TestManyLettersAreDroppedInFewWrites: each write waits for the disk, and other calls
// wait for it.
func TestManyLettersAreDroppedInFewWrites(t *testing.T) {
	const n = 10_000
	l, o := opened(t, t.TempDir(), func(int) bool { return false })
	for i := range n {
		d := &Letter{ID: fmt.Sprint("id", i), Function: "f", Topic: "house/x"}
		l.letters[fileName("f", d.ID)] = d
	}
	l.o.Max = n
	if err := l.Add("f", &message.Message{Arrival: 1, Topic: "house/y"}, "no"); err != nil {
		t.Fatal(err)
	}
	if dropped := l.Stats().Dropped; dropped != n/100+1 || o.writes != 2 {
		t.Errorf("%d dropped at the cap in %d writes, want %d in 2", dropped, o.writes, n/100+1)
	}
	o.writes, o.notices = 0, 0
	left := l.Stats().Letters
	if dropped, err := l.drop(Query{All: true}); err != nil || dropped != left || o.notices != left || o.writes > n/noticeCount+1 {
		t.Errorf("dropped %d of %d, %v, with %d notices in %d writes", dropped, left, err, o.notices, o.writes)
	}
}

// TestLettersGiveUpRoomOfTheDisk for a new letter, if the disk has none beside what the
// spool needs, but never more than that letter takes: others may have filled the disk.
func TestLettersGiveUpRoomOfTheDisk(t *testing.T) {
	for name, tt := range map[string]struct {
		room int64
		want int // letters kept of 10 and another one
	}{
		"room enough":                 {1 << 20, 11},
		"room for a half":             {7_000, 10},
		"no room":                     {0, 10},
		"the spool needs all of them": {-1 << 30, 10},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := opened(t, t.TempDir(), func(int) bool { return false })
			add := func(i int) {
				t.Helper()
				if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: fmt.Sprintf("house/%02d", i), Payload: make([]byte, 10_000)}, "no"); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 10 {
				add(i)
			}
			l.o.Room = func() int64 { return tt.room }
			add(10)
			if s := l.Stats(); s.Letters != tt.want || int(s.Dropped) != 11-tt.want {
				t.Errorf("%+v, want %d letters", s, tt.want)
			}
			add(10) // rejected again: the file is written beside the one that it replaces
			ds := l.List(Query{})
			if d := ds[len(ds)-1]; d.Topic != "house/10" || d.Count != 2 || l.Stats().Letters < tt.want-1 {
				t.Errorf("%+v, %+v", l.Stats(), d)
			}
			l.Yield(20_000)
			if s := l.Stats(); s.Letters != len(ds)-2 {
				t.Errorf("%d letters after they gave up the room of two, want %d", s.Letters, len(ds)-2)
			}
		})
	}
}

// TestADroppedLetterTakesNoRoomWhileItsNoticeWaits: the spool, for which the notice
// waits, may be waiting for that room. The next drop or start reports it.
func TestADroppedLetterTakesNoRoomWhileItsNoticeWaits(t *testing.T) {
	dir, full := t.TempDir(), true
	l, o := opened(t, dir, func(int) bool { return full })
	for i := range 3 {
		if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: "house/x", Payload: make([]byte, 100_000)}, "no"); err != nil {
			t.Fatal(err)
		}
	}
	drop := func(id string) {
		t.Helper()
		if n, err := l.drop(Query{ID: id}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	drop("1")
	files, err := filepath.Glob(filepath.Join(dir, "*"+goneExt))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() > 1000 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	// As a kill leaves it, before the rest is cut off.
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`"payload":"AAAA"}`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	again, atStart := opened(t, dir, func(int) bool { return false })
	again.reportAll(t.Context())
	if atStart.notices != 3 || again.Stats().Letters != 2 {
		t.Errorf("%d notices and %d letters after a restart, want 3 and 2", atStart.notices, again.Stats().Letters)
	}
	full, o.notices = false, 0
	drop("2")
	if o.notices != 2 {
		t.Errorf("%d notices once the spool takes them, want one of each dropped letter", o.notices)
	}
}

// TestLowerCapsHoldFromTheStart: the mirror gets a notice of each letter that goes.
func TestLowerCapsHoldFromTheStart(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"number": func(o *Options) { o.Max = 4 },
		"bytes":  func(o *Options) { o.MaxBytes = 4 * blockBytes },
	} {
		t.Run(name, func(t *testing.T) {
			l, o := opened(t, t.TempDir(), func(int) bool { return false })
			for i := range 10 {
				if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: "house/x", Payload: []byte("x")}, "no"); err != nil {
					t.Fatal(err)
				}
			}
			lower := l.o
			change(&lower)
			again, err := Open(t.Context(), lower)
			if err != nil {
				t.Fatal(err)
			}
			o.notices = 0
			again.reportAll(t.Context())
			if s := again.Stats(); s.Letters != 4 || s.Dropped != 6 || o.notices != 10 {
				t.Errorf("%+v after %d notices, want 4 letters, 6 dropped and 10 notices", s, o.notices)
			}
		})
	}
}
