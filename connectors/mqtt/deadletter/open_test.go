package deadletter

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// open opens the letters of a folder. put stands for the spool: it gets the messages
// of each write. All records stay pending.
func open(t *testing.T, dir string, most int, put func([]message.Message) (spool.Seq, error)) *Letters {
	t.Helper()
	l, err := Open(t.Context(), Options{Dir: dir, Max: most, MaxBytes: 1 << 30, Now: time.Now, Log: slog.New(slog.DiscardHandler), // clock: tests that look at times give their own
		Redact:  func(s string, n int) string { return s[:min(len(s), n)] },
		Room:    func() int64 { return math.MaxInt64 },
		Pending: func(string, spool.Seq) bool { return true },
		Append: func(_ context.Context, records ...[]byte) (spool.Seq, error) {
			ms := make([]message.Message, len(records))
			for i, r := range records {
				var err error
				if ms[i], err = message.Decode(r); err != nil {
					t.Error(err)
				}
			}
			return put(ms)
		}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
