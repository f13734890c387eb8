package deliver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/spool"
)

// If the cursors may be lost, a function without one gets all messages that are in the
// spool, rather than none of them.
func TestAFunctionWithoutACursorGetsTheWholeSpoolIfCursorsAreLost(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			dir := t.TempDir()
			keep := open(t, "http://127.0.0.1:1", dir)
			if err := errors.Join(keep.unclaimed.Close(), keep.spool.RemoveReader(unclaimedReader)); err != nil {
				t.Fatal(err)
			}
			keep.put("house/x", "before")
			if err := keep.spool.Close(); err != nil {
				t.Fatal(err)
			}
			g := mqtttest.NewGateway(t)
			var got mqtttest.Tally
			g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
			r, _ := start(t, g, dir, func(s *setting) { s.options.FromOldest = lost })
			r.put("house/x", "after")
			want := map[string]int{"after": 1}
			if lost {
				want["before"] = 1
			}
			mqtttest.Until(t, "the messages", func() bool { return got.N() >= len(want) })
			if seen := got.Seen(); seen["before"] != want["before"] {
				t.Errorf("the function got %v, want %v", seen, want)
			}
		})
	}
}

// An eviction does not wait for records that are lost at the end of the spool.
func TestAnEvictionDoesNotWaitForLostRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	const perSegment = 2000
	open := func() *spool.Log {
		l, _, err := spool.Open(dir, spool.Options{SegmentBytes: perSegment})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	lane := message.LaneName("f", 1)
	if _, err := l.Reader(lane); err != nil {
		t.Fatal(err)
	}
	m := message.Message{Topic: "house/x", Payload: make([]byte, 1000)}
	for range 4 { // each in a segment of its own
		if _, err := l.Append(t.Context(), m.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(segments) != 4 {
		t.Fatalf("%q, %v", segments, err)
	}
	for i, size := range []int64{1, 0} {
		if err := os.Truncate(segments[2+i], size); err != nil {
			t.Fatal(err)
		}
	}
	l = open()
	defer l.Close()
	q := &quota{spool: l, cap: 100, now: time.Now}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if lost, err := q.evict(ctx, "f", func(*message.Message) bool { return true }); lost != 2 || err != nil {
		t.Errorf("%d messages are evicted, %v, want the two that are whole", lost, err)
	}
	if names := message.Lanes(l, "f"); !slices.Equal(names, []spool.Seq{1}) {
		t.Errorf("lanes %d", names)
	}
}
