package deadletter

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

// TestTheOldestGoAtTheCaps: of letters and of bytes, and the mirror gets to know.
func TestTheOldestGoAtTheCaps(t *testing.T) {
	for name, tt := range map[string]struct {
		most     int
		maxBytes int64
		payload  int
		want     int
	}{
		"letters":                       {10, 1 << 20, 10, 10},
		"bytes":                         {1000, 20_000, 1000, 12},
		"one larger than all may be":    {1000, 100, 1000, 1},
		"letters, where a lot are kept": {200, 1 << 30, 10, 199},
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
			if s.Letters != tt.want || len(ds) != tt.want || int(s.Dropped) != n-tt.want || o.writes != n+n-tt.want {
				t.Errorf("%+v after %d letters and %d news, want %d kept", s, n, o.writes, tt.want)
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
