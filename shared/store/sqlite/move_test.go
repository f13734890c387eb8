package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const asChild = "HEARTH_TEST_OPEN" // environment variable: the file that a test's child process opens

// oldFile creates a file of version 7, which has one JSON row for each reading. It
// returns the readings as lines.
func oldFile(t *testing.T, path string, each int) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(text string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
			t.Fatalf("%.100s: %v", text, err)
		}
	}
	oldSchema(t, db, 7)
	var lines []string
	exec(`begin`)
	for s, tags := range []string{`{"device":"a"}`, `{"device":"it's \"b\""}`, `{}`} {
		r := reading.Reading{Name: "air", Tags: map[string]string{"device": []string{"a", `it's "b"`, ""}[s]}}
		exec(`insert into series (id, name, key, tags) values (?, 'air', ?, ?)`, s+1, r.Series(), tags)
		for i := range each {
			v := math.Sin(float64(i)) / 3
			r.Time = noon.Add(time.Duration(i)*time.Second + time.Duration(s))
			r.Fields, r.Text = map[string]float64{"odd name, \"quoted\"": v, "b": float64(i)}, nil
			fields, texts := fmt.Sprintf(`{"odd name, \"quoted\"":%v,"b":%d}`, v, i), `{}`
			if i%7 == 0 {
				r.Text, texts = map[string]string{"b": "text", "sky": ""}, `{"b":"text","sky":""}`
				r.Fields, fields = map[string]float64{"c": 1e21}, `{"c":1e+21}`
			}
			lines = append(lines, r.Line())
			exec(`insert into readings (series, time, fields, texts) values (?, ?, ?, ?)`, s+1, r.Time.UnixNano(), fields, texts)
		}
	}
	exec(`commit`)
	return lines
}

// oldSchema creates the tables of a version.
func oldSchema(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	files, err := filepath.Glob("../migrations/sqlite/*.sql")
	if err != nil || len(files) < version {
		t.Fatal(files, err)
	}
	texts := []string{`create table schema_version (version integer primary key, name text not null)`}
	for i, f := range files[:version] {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text), fmt.Sprintf(`insert into schema_version (version, name) values (%d, '%s')`, i+1, filepath.Base(f)))
	}
	for _, text := range texts {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%.100s: %v", text, err)
		}
	}
}

// TestMain also runs a test's child process, which opens a file and prints the progress.
// After each batch it waits for a byte on its standard input.
func TestMain(m *testing.M) {
	path := os.Getenv(asChild)
	if path == "" {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), path, func(moved, total int64) {
		fmt.Println("moved", moved, "of", total)
		os.Stdin.Read(make([]byte, 1))
	})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// After a kill during the move, the next Open continues it, and every value is stored
// once.
func TestTheMoveContinuesAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	want := oldFile(t, path, 12_000)
	for range 4 { // each child moves one or two of the 9 batches
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), asChild+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		goOn, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "moved ") {
			t.Fatalf("the child prints %q", lines.Text())
		}
		if _, err := goOn.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond) // kill it within the next batch
		child.Process.Kill()
		child.Wait()
	}
	if n := rows(t, path); n == 0 || n == len(want) {
		t.Fatalf("%d of %d readings are left to move: nothing was interrupted", n, len(want))
	}
	var progress []int64
	s, err := Open(t.Context(), path, func(moved, total int64) { progress = append(progress, moved, total) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := len(progress); n < 2 || progress[n-1] != progress[n-2] {
		t.Errorf("progress %v, want all moved at the end", progress)
	}
	rs, err := s.Between(t.Context(), "air", nil, noon, noon.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(rs))
	for i, r := range rs {
		got[i] = r.Line()
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d readings, want %d, or their values differ", len(got), len(want))
	}
	if n := rows(t, path); n != -1 {
		t.Errorf("the old table is still there, with %d rows", n)
	}
}

// Readings that a program of version 7 writes during the move are moved too, up to the
// drop of the table.
func TestReadingsThatAnOldProgramStillWritesAreMoved(t *testing.T) {
	for round := range 20 {
		path := filepath.Join(t.TempDir(), "hearth.db")
		want := len(oldFile(t, path, 3))
		writer, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)")
		if err != nil {
			t.Fatal(err)
		}
		stored := make(chan int, 1)
		go func() { // writes until the table is dropped
			n := 0
			for t.Context().Err() == nil {
				_, err := writer.ExecContext(t.Context(), `insert into readings (series, time, fields, texts) values (1, ?, '{"b":1}', '{}')`, noon.Add(time.Hour).UnixNano()+int64(n))
				if err != nil && strings.Contains(err.Error(), "no such table") {
					break
				}
				if err == nil {
					n++
				}
			}
			stored <- n
		}()
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		n := <-stored
		rs, err := s.Between(t.Context(), "air", nil, noon, noon.Add(24*time.Hour))
		if err != nil || len(rs) != want+n {
			t.Errorf("round %d: %d readings, %v; want %d and the %d of the old program", round, len(rs), err, want, n)
		}
		writer.Close()
		s.Close()
	}
}

// rows counts the readings left to move; -1: the old table is dropped.
func rows(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	switch err := db.QueryRowContext(t.Context(), `select count(*) from readings`).Scan(&n); {
	case err != nil && strings.Contains(err.Error(), "no such table"):
		return -1
	case err != nil:
		t.Fatal(err)
	}
	return n
}
