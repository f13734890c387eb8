// Package damage tests what the connector, the edge agent and make up do, as processes,
// when their folders are damaged, cannot be written or are full. They start, or say in one
// line why not and what to do. They stop when they are told to, whatever they wait for.
// And they go on without loss of what was acknowledged and is whole.
package damage

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/local/shrinkwrap"
)

// scratch is the folder of the compiled programs, removed at the end.
var scratch string

func TestMain(m *testing.M) { os.Exit(shrinkwrap.Main(m, &scratch)) }

// A damage changes the files in a folder.
type damage func(t *testing.T, dir string)

func none(*testing.T, string) {}

// all does several damages.
func all(damages ...damage) damage {
	return func(t *testing.T, dir string) {
		for _, d := range damages {
			d(t, dir)
		}
	}
}

// cut cuts a file to the size that its bytes give.
func cut(name string, size func(content []byte) int) damage {
	return func(t *testing.T, dir string) {
		t.Helper()
		name := filepath.Join(dir, name)
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.Truncate(name, int64(size(b)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func bytes(n int) func([]byte) int       { return func([]byte) int { return n } }
func part(percent int) func([]byte) int  { return func(b []byte) int { return len(b) * percent / 100 } }
func whole(records int) func([]byte) int { return func(b []byte) int { return starts(b)[records] } }
func header(records int) func([]byte) int {
	return func(b []byte) int { return starts(b)[records] + 7 }
}
func payload(records int) func([]byte) int {
	return func(b []byte) int { return starts(b)[records] + 16 + 9 }
}

// write replaces a file.
func write(name, text string) damage {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// remove removes the files and folders that match a pattern.
func remove(names ...string) damage {
	return func(t *testing.T, dir string) {
		t.Helper()
		for _, pattern := range names {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			for _, name := range files {
				err = errors.Join(err, os.RemoveAll(name))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// file puts a file where a folder was.
func file(name string) damage { return all(remove(name), write(name, "a file, not a folder")) }

// folder puts a folder where a file was.
func folder(name string) damage {
	return all(remove(name), func(t *testing.T, dir string) {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	})
}

// segment is the name of a spool's segment in its folder, counted from the newest: 0.
func segment(t *testing.T, dir string, fromNewest int) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) <= fromNewest {
		t.Fatalf("%s has %d segments, %v", dir, len(names), err)
	}
	return filepath.Base(names[len(names)-1-fromNewest])
}

// newest does to the newest segment of a spool, or with 1 to the one before it, what do
// makes of its name.
func newest(spool string, k int, do func(name string) damage) damage {
	return func(t *testing.T, dir string) {
		t.Helper()
		do(filepath.Join(spool, segment(t, filepath.Join(dir, spool), k)))(t, dir)
	}
}

// first does to the first file that matches a pattern what do makes of its name.
func first(pattern string, do func(name string) damage) damage {
	return func(t *testing.T, dir string) {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %q, %v", pattern, names, err)
		}
		name, err := filepath.Rel(dir, names[0])
		if err != nil {
			t.Fatal(err)
		}
		do(name)(t, dir)
	}
}

// starts returns where the records of a segment begin, and where the last one ends.
func starts(segment []byte) []int {
	out := []int{0}
	for at := 0; at+16 <= len(segment); {
		if at += 16 + int(binary.LittleEndian.Uint32(segment[at+4:])); at > len(segment) {
			break
		}
		out = append(out, at)
	}
	return out
}

// records returns the data of the whole records in a spool's folder, oldest first.
func records(t *testing.T, dir string) (out [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := starts(b)
		for i := range len(at) - 1 {
			out = append(out, b[at[i]+16:at[i+1]])
		}
	}
	return out
}

// copied returns a copy of a folder.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if err := errors.Join(os.Mkdir(to, 0o700), os.CopyFS(to, os.DirFS(dir))); err != nil {
		t.Fatal(err)
	}
	return to
}
