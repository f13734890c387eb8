package deadletter

import (
	"fmt"
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
		"bytes":                     {1000, 20_000, 1000, 12},
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
