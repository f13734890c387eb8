package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	perSegment   = 3
	messageBytes = 16 + 13 + 7 + 1 + 2 // a record of damagedSpool in its segment
)

// damagedSpool fills a spool of three segments whose function has stored everything, and
// returns its messages.
func damagedSpool(t *testing.T, dir string) (ms []message.Message) {
	t.Helper()
	l, _, err := spool.Open(dir, spool.Options{SegmentBytes: perSegment * messageBytes})
	if err != nil {
		t.Fatal(err)
	}
	recent, err := ReadRecent(t.Context(), l, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	function, err := l.Reader(message.LaneName("f", 1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * perSegment {
		m := message.Message{Arrival: int64(i + 1), Topic: "house/x", Payload: fmt.Appendf(nil, "m%d", i), Packet: uint16(i + 1), QoS: 1}
		seq, err := l.Append(t.Context(), m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		recent.add(&m, seq)
		function.Commit(seq)
		ms = append(ms, m)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return ms
}

// Whatever the length of the last two segments, and with a function that has stored
// records which are lost: the start does not wait for these, and redeliveries of all
// messages that are whole are recognised.
func TestReadRecentWithEveryLengthOfTheLastSegments(t *testing.T) {
	made := t.TempDir()
	ms := damagedSpool(t, made)
	for segment := 1; segment <= 2; segment++ {
		for n := range perSegment*messageBytes + 1 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(made)); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, fmt.Sprintf("%020d.log", segment*perSegment+1)), int64(n)); err != nil {
				t.Fatal(err)
			}
			whole := func(i int) bool { return i/perSegment != segment || i%perSegment < n/messageBytes }
			checkRecent(t, fmt.Sprintf("segment %d cut to %d bytes", segment, n), dir, ms, whole)
		}
	}
}

func checkRecent(t *testing.T, what, dir string, ms []message.Message, whole func(i int) bool) {
	t.Helper()
	l, _, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	recent, err := ReadRecent(t.Context(), l, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for i := range ms {
		if recent.has(fingerprint(&ms[i])) != whole(i) {
			t.Errorf("%s: message %d recognised: %v", what, i, !whole(i))
		}
	}
	if next, _ := l.Cursor(message.LaneName("f", 1)); l.Next() < next {
		t.Errorf("%s: the next record is %d, and the function has stored up to %d: it would miss it", what, l.Next(), next)
	}
}

func TestAnInterruptEndsReadRecent(t *testing.T) {
	dir := t.TempDir()
	damagedSpool(t, dir)
	l, _, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadRecent(ctx, l, 1<<20, slog.New(slog.DiscardHandler)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
}

// A segment that cannot be read, as one that another user owns, does not keep the
// connector from starting.
func TestASegmentThatCannotBeReadIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	damagedSpool(t, dir)
	l, _, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	name := filepath.Join(dir, fmt.Sprintf("%020d.log", 1))
	if err := errors.Join(os.Remove(name), os.Symlink(name, name)); err != nil { // opening it fails: too many levels of symbolic links
		t.Fatal(err)
	}
	if _, err := ReadRecent(t.Context(), l, 1<<20, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
