package local

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/testserver"
)

// ranOnce returns a repository whose database has the readings of one run.
func ranOnce(t *testing.T) (root, file string) {
	t.Helper()
	root = repository(t)
	r := launch(t, root)
	r.settled()
	file = r.databaseFile()
	r.stop()
	return root, file
}

// notesOf returns the notes of the page, which is there whatever happens.
func (r *running) notesOf() string {
	r.t.Helper()
	var d status.Data
	code, body := r.call("GET", "/status.json")
	if code != http.StatusOK {
		r.t.Errorf("the page answered %d", code)
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(slices.Concat(d.Errors, d.Notes), "|")
}

func rewrite(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The platform starts on a file that is no database, changes nothing in it, and says on the
// page which command copies what can be read. After the command it goes on.
func TestADamagedDatabaseIsNamedAndSalvaged(t *testing.T) {
	noise := bytes.Repeat([]byte{0xa5, 0x11, 0x7e}, 2000)
	for name, damage := range map[string]func([]byte) []byte{
		"a text":            func([]byte) []byte { return []byte("I overwrote it\n") },
		"a cut file":        func(b []byte) []byte { return b[:len(b)/2] },
		"another beginning": func(b []byte) []byte { return append(slices.Clone(noise[:1024]), b[1024:]...) },
		"noise":             func(b []byte) []byte { return noise },
	} {
		t.Run(name, func(t *testing.T) {
			root, file := ranOnce(t)
			rewrite(t, file, damage)
			damaged, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := launch(t, root)
			if note := r.notesOf(); !strings.Contains(note, file) || !strings.Contains(note, ".bin/hearth database salvage") {
				t.Errorf("the page says %q", note)
			}
			if code, body := r.call("POST", "/function/weather"); code != http.StatusServiceUnavailable || strings.Contains(body, "salvage") {
				t.Errorf("a call: %d %s", code, body)
			}
			if _, _, err := r.Salvage(t.Context()); err == nil || !strings.Contains(err.Error(), "stop it") {
				t.Errorf("salvage beside hearth up: %v", err)
			}
			r.stop()
			if n := strings.Count(r.logs.String(), "database salvage"); n != 1 {
				t.Errorf("it is logged %d times:\n%s", n, r.logs)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the damaged file was changed: %v", err)
			}
			h, err := Open(root, nil, &testserver.Output{})
			if err != nil {
				t.Fatal(err)
			}
			_, kept, err := h.Salvage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(kept); err != nil || !bytes.Equal(after, damaged) || filepath.Dir(kept) != filepath.Dir(file) {
				t.Errorf("it is kept as %q, %v", kept, err)
			}
			if _, again, err := h.Salvage(t.Context()); err != nil || again != "" {
				t.Errorf("a good database was salvaged to %q, %v", again, err)
			}
			r = launch(t, root)
			r.settled()
			if a := r.invoke(""); a.Status != "ok" || r.notesOf() != "" {
				t.Errorf("after the salvage: %+v, %q", a, r.notesOf())
			}
		})
	}
}

func TestAPartOfTheDatabaseThatCannotBeReadIsFoundAfterTheStart(t *testing.T) {
	root, file := ranOnce(t)
	rewrite(t, file, func(b []byte) []byte { // the last two pages
		return append(b[:len(b)-2048], bytes.Repeat([]byte{0xa5}, 2048)...)
	})
	r := launch(t, root)
	r.eventually("the page says so", func() bool {
		note := r.notesOf()
		return strings.Contains(note, "is damaged") && strings.Contains(note, "database salvage") && !strings.Contains(note, "the page say why")
	})
	if code, body := r.call("POST", "/function/weather"); code != http.StatusServiceUnavailable || !strings.Contains(body, "the log and the page say why") {
		t.Errorf("a call: %d %s, want 503: to write would damage more", code, body)
	}
}

// The file is overwritten in place while it is in use.
func TestADatabaseThatIsOverwrittenWhileItRunsTakesNothingMore(t *testing.T) {
	root, file := ranOnce(t)
	r := launch(t, root)
	r.invoke("")
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 64<<10), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil { // not closed: that would end this process's locks on the file
		t.Fatal(err)
	}
	r.eventually("the page says so", func() bool {
		r.call("POST", "/function/weather")
		return strings.Contains(r.notesOf(), "database salvage")
	})
	if code, _ := r.call("POST", "/function/weather"); code != http.StatusServiceUnavailable {
		t.Errorf("a call: %d", code)
	}
	r.stop()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOtherThingsThatAreNoDatabase(t *testing.T) {
	root, file := ranOnce(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		damage func()
		want   string // in the log
	}{
		"a folder": {func() {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is no file: a folder or another thing has its name"},
		"an empty file": {func() { write(t, file, "") }, "is empty: hearth begins with a new one"},
		"a newer version": {func() {
			write(t, file, string(good))
			db, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `insert into schema_version (version, name) values (99, 'x')`); err != nil {
				t.Fatal(err)
			}
		}, "newer than this program"},
	} {
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.RemoveAll(file + end); err != nil {
				t.Fatal(err)
			}
		}
		c.damage()
		r := launch(t, root)
		if !r.has(c.want) {
			t.Errorf("%s: %s", name, r.logs)
		}
		if note := r.notesOf(); name != "an empty file" && !strings.Contains(note, c.want) || strings.Contains(note, "salvage") {
			t.Errorf("%s: the page says %q", name, note)
		}
		r.stop()
	}
}

// What was put back is used again.
func TestARemovedDatabaseTakesNothingMore(t *testing.T) {
	root, file := ranOnce(t)
	r := launch(t, root)
	if a := r.invoke(""); a.Status != "ok" {
		t.Fatalf("%+v", a)
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	if code, _ := r.call("POST", "/function/weather"); code != http.StatusServiceUnavailable {
		t.Errorf("a call: %d, want 503: its readings would go to a file without a name", code)
	}
	if note := r.notesOf(); !strings.Contains(note, "was removed or replaced while hearth runs") {
		t.Errorf("the page says %q", note)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if a := r.invoke(""); a.Status != "ok" {
		t.Errorf("after it was put back: %+v", a)
	}
	r.eventually("a page without the note", func() bool { return r.notesOf() == "" })
	if !strings.Contains(r.logs.String(), "the database can be used again") {
		t.Errorf("that is not logged:\n%s", r.logs)
	}
}
