package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/spool"
)

func TestTheRemovalOfALetterIsReportedOnce(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("the spool is full")
	var reported []string
	start := func(err error) *Letters {
		return open(t, dir, 10, func(ms []message.Message) (spool.Seq, error) {
			for _, m := range ms {
				reported = append(reported, string(m.Payload))
			}
			return 1, err
		})
	}
	g := start(full)
	if err := g.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	if n, err := g.drop(Query{All: true}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for range 2 { // the first start reports it, the second does not
		reported = nil
		g = start(nil)
		if n := g.Stats().Letters; n != 0 {
			t.Errorf("%d letters after the removal, want none", n)
		}
		g.reportAll(t.Context())
		if !slices.ContainsFunc(reported, func(s string) bool { return strings.Contains(s, `"gone":true`) }) && full != nil {
			t.Errorf("reported %q, want a notice of the removal", reported)
		}
		full = nil
	}
	if len(reported) != 0 {
		t.Errorf("reported again: %q", reported)
	}
}

// TestManyLettersAreReportedInFewWrites: each write waits for the disk, and an SD card
// syncs a few dozen times a second.
func TestManyLettersAreReportedInFewWrites(t *testing.T) {
	const n = 2000
	dir := t.TempDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		d := &Letter{ID: fmt.Sprint("id", i), Function: "f", Topic: "house/x", Count: 1, Payload: make([]byte, 10*(i%100))}
		if i%200 == 0 {
			d.Payload = make([]byte, 1<<20)
		}
		b, _ := json.Marshal(d)
		ext := ""
		if i%10 == 0 {
			ext = goneExt
		}
		if err := os.WriteFile(filepath.Join(dir, fileName("f", d.ID)+ext), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writes, reported, arrivals := 0, map[string]int{}, map[int64]bool{}
	g := open(t, dir, n, func(ms []message.Message) (spool.Seq, error) {
		writes++
		size := 0
		for _, m := range ms {
			size += len(m.Payload)
			reported[m.Topic]++
			arrivals[m.Arrival] = true
		}
		if size > 2*noticeBytes {
			t.Errorf("%d bytes in one write, want about %d", size, noticeBytes)
		}
		return 1, nil
	})
	g.reportAll(t.Context())
	if len(reported) != n || len(arrivals) != n {
		t.Errorf("notices of %d letters with %d different times, want %d", len(reported), len(arrivals), n)
	}
	if writes > n/50 {
		t.Errorf("%d writes for %d letters", writes, n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+goneExt)); len(left) > 0 {
		t.Errorf("%d removed letters would be reported again", len(left))
	}
}
