package deadletter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// Whatever the length of one file of the folder, the letters start with all that is whole:
// a letter that is cut is left out, and no other.
func TestOpenWithEveryLengthOfAFile(t *testing.T) {
	dir := t.TempDir()
	put := func([]message.Message) (spool.Seq, error) { return 7, nil }
	l := open(t, dir, 10, put)
	for i := range 3 {
		if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: "house/x", Payload: []byte("x")}, "no"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Replay(t.Context(), Query{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Request(Request{Query: Query{ID: "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.remove(fileName("f", "3")); err != nil { // its notice is not in the spool yet
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(content) {
			if err := os.WriteFile(name, content[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			checkLetters(t, fmt.Sprintf("%s cut to %d bytes", e.Name(), n), open(t, dir, 10, put), filepath.Ext(name) == letterExt)
			if err := os.WriteFile(name, content, 0o600); err != nil { // Open may have written it anew
				t.Fatal(err)
			}
		}
	}
}

// checkLetters wants both letters, or if one is cut the other one.
func checkLetters(t *testing.T, what string, l *Letters, oneIsCut bool) {
	t.Helper()
	want := 2
	if oneIsCut {
		want = 1
	}
	if letters := l.List(Query{}); len(letters) != want || l.Stats().Letters != want {
		t.Errorf("%s: %d letters, want %d", what, len(letters), want)
	}
}

// A file that only looks like a letter is not listed: no call could name it.
func TestAFileThatIsNoLetterIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.json": "{}", "b.f.json": `{"id":"c","function":"f"}`, "d.f.json": "null", "e.f.json.gone": "{}", "f.f.json": "[]", "g.json": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, dir, 10, func([]message.Message) (spool.Seq, error) { return 1, nil })
	if n := len(l.List(Query{})); n != 0 || len(l.unreported) != 0 {
		t.Errorf("%d letters and %d removed ones, want none", n, len(l.unreported))
	}
}

func TestAnInterruptEndsOpen(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 10, func([]message.Message) (spool.Seq, error) { return 1, nil })
	if err := l.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, l.o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
}
