package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

func TestTheMirrorHearsThatALetterIsGone(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("the spool is full")
	var told []string
	open := func(err error) *graveyard {
		g, e := openGraveyard(dir, 10, time.Now, func(s string, _ int) string { return s })
		if e != nil {
			t.Fatal(e)
		}
		g.news = func(_ context.Context, ms ...Message) (spool.Seq, error) {
			for _, m := range ms {
				told = append(told, string(m.Payload))
			}
			return 1, err
		}
		return g
	}
	g := open(full)
	if err := g.add("f", &Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	if n, err := g.drop(Query{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for range 2 { // told once it can be, and then no more
		told = nil
		g = open(nil)
		if n, _ := g.counts(); n != 0 {
			t.Errorf("%d letters are back", n)
		}
		g.announce(t.Context())
		if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, `"gone":true`) }) && full != nil {
			t.Errorf("told %q, want that it is gone", told)
		}
		full = nil
	}
	if len(told) != 0 {
		t.Errorf("told again: %q", told)
	}
}

// TestManyLettersAreToldAtOnce: each write waits for the disk, and an SD card
// takes a few dozen a second.
func TestManyLettersAreToldAtOnce(t *testing.T) {
	const n = 2000
	dir := t.TempDir()
	open := func() *graveyard {
		g, err := openGraveyard(dir, n, time.Now, func(s string, n int) string { return s[:min(len(s), n)] })
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	open() // makes the folder
	for i := range n {
		d := &DeadLetter{ID: fmt.Sprint("id", i), Function: "f", Topic: "house/x", Count: 1, Payload: make([]byte, 10*(i%100))}
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
	g := open()
	writes, told, arrivals := 0, map[string]int{}, map[int64]bool{}
	g.news = func(_ context.Context, ms ...Message) (spool.Seq, error) {
		writes++
		size := 0
		for _, m := range ms {
			size += len(m.Payload)
			told[m.Topic]++
			arrivals[m.Arrival] = true
		}
		if size > 2*newsBytes {
			t.Errorf("%d bytes at once, want about %d", size, newsBytes)
		}
		return 1, nil
	}
	g.announce(t.Context())
	if len(told) != n || len(arrivals) != n {
		t.Errorf("told of %d letters at %d times, want %d", len(told), len(arrivals), n)
	}
	if writes > n/50 {
		t.Errorf("%d writes for %d letters", writes, n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+goneExt)); len(left) > 0 {
		t.Errorf("%d would be told again", len(left))
	}
}
