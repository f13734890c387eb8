package intake

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// cutLetter is a call of Options.TooLarge.
type cutLetter struct {
	message.Message
	size   int
	reason string
}

// newTestWriter returns a writer with a spool in dir. cut collects its calls of
// Options.TooLarge.
func newTestWriter(t *testing.T, dir string) (w *writer, l *spool.Log, cut *[]cutLetter) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	l, _, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{MaxBytes: 64 << 20, Policy: spool.RefuseNewest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	recent, err := ReadRecent(t.Context(), l, 64<<20/8, log)
	if err != nil {
		t.Fatal(err)
	}
	cut = new([]cutLetter)
	return newWriter(Options{Spool: l, Recent: recent, Now: time.Now, Log: log, Refused: func(error) {}, TooLarge: func(m *message.Message, size int, reason string) error {
		*cut = append(*cut, cutLetter{*m, size, reason})
		return nil
	}}), l, cut
}

// messagesIn returns all messages of a spool.
func messagesIn(t *testing.T, l *spool.Log) (ms []message.Message) {
	t.Helper()
	r, err := l.ReaderAt("test", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(r.Close(), l.RemoveReader("test")); err != nil {
			t.Error(err)
		}
	}()
	for r.Lag().Records > uint64(0) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		recs, err := r.Next(ctx, 1000, 1<<20)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range recs {
			m, err := message.Decode(rec.Data)
			if err != nil {
				t.Fatal(err)
			}
			ms = append(ms, m)
			r.Commit(rec.Seq)
		}
	}
	return ms
}
