package sqlite

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// filled returns a file with 3,000 readings of 10 devices and their roll-ups, and 10
// functions.
func filled(t *testing.T, seed int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hearth.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for d := range 10 {
		var rs []reading.Reading
		for i := range 300 {
			rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": fmt.Sprint("d", seed, d)}, Time: noon.Add(time.Duration(i) * time.Minute),
				Fields: map[string]float64{"temperature_celsius": float64(i)}, Text: map[string]string{"note": fmt.Sprint(i)}})
		}
		if err := s.Write(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveFunction(t.Context(), store.Function{Name: fmt.Sprint("f", seed, d), LastSeen: noon}); err != nil {
			t.Fatal(err)
		}
	}
	fillRollups(t, s, seed)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// sentinel is the sum of the first roll-up of 5 minutes of each device in a filled file.
const sentinel = 123456.789e-6

func fillRollups(t *testing.T, s *store.Store, seed int) {
	t.Helper()
	for resolution, n := range map[time.Duration]int{store.FiveMinutes: 60, store.Hour: 5} {
		var all []store.RollupSeries
		for d := range 10 {
			r := store.RollupSeries{Tags: map[string]string{"device": fmt.Sprint("d", seed, d)}, Field: "temperature_celsius"}
			for i := range n {
				r.Rows = append(r.Rows, store.Rollup{Start: noon.Add(time.Duration(i) * resolution), Sum: sentinel + float64(i), Min: 1, Max: 2, Last: 1.5, Count: 5, Suspect: i % 2})
			}
			all = append(all, r)
		}
		if err := s.WriteRollups(t.Context(), resolution, "air", all); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.BeginRollups(t.Context(), "air", noon, noon); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.AdvanceRollups(t.Context(), "air", noon, noon.Add(5*time.Hour)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	hours, err := s.ClaimDirty(t.Context(), "air", "me", noon, noon.Add(3*time.Hour))
	if err == nil {
		err = s.RolledUp(t.Context(), "air", "me", hours)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// dump returns the rows of all tables as texts.
func dump(t *testing.T, path string) map[string]bool {
	t.Helper()
	db, err := pool(path, 1, nil, url.Values{"mode": {"rw"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables, err := tablesOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, table := range tables {
		rows, err := store.Rows(t.Context(), db, func(rows *sql.Rows) (string, error) {
			values, into := make([]any, len(table.columns)), make([]any, len(table.columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := rows.Scan(into...)
			return fmt.Sprint(table.name, values), err
		}, "select "+strings.Join(table.columns, ", ")+" from "+table.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out[r] = true
		}
	}
	return out
}

// overwrite replaces a part of a file by random bytes.
func overwrite(t *testing.T, path string, at, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.IntN(256))
	}
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// damages are ways in which a file is damaged, and the share of its rows that can be read.
var damages = []struct {
	name   string
	damage func(t *testing.T, path string, size int64)
	least  float64
}{
	{"nothing", func(*testing.T, string, int64) {}, 1},
	{"pages in the middle", func(t *testing.T, path string, size int64) { overwrite(t, path, size/2/1024*1024, 8*1024) }, 0.8},
	{"bytes in several places", func(t *testing.T, path string, size int64) {
		for i := range int64(5) {
			overwrite(t, path, size/3+i*20*1024, 600)
		}
	}, 0.5},
	{"cut off", func(t *testing.T, path string, size int64) { truncate(t, path, size*9/10) }, 0.2},
	{"header", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, 100) }, 1},
	{"half a header", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, 40) }, 1},
	{"the first page", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, page) }, 0.99},
	{"the first 4 KiB", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, 4*page) }, 0.99},
	{"the first 8 KiB", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, 8*page) }, 0.9},
	{"the first 32 KiB", func(t *testing.T, path string, _ int64) { overwrite(t, path, 0, 32*page) }, 0},
	{"log of another database", func(t *testing.T, path string, _ int64) {
		if err := os.WriteFile(path+"-wal", logOf(t), 0o600); err != nil {
			t.Fatal(err)
		}
	}, 0},
	{"log of random bytes", func(t *testing.T, path string, _ int64) {
		if err := os.WriteFile(path+"-wal", make([]byte, 5000), 0o600); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path+"-wal", 0, 5000)
	}, 1},
	{"text", func(t *testing.T, path string, _ int64) {
		if err := os.WriteFile(path, []byte("hello\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, 0},
	{"empty", func(t *testing.T, path string, _ int64) { truncate(t, path, 0) }, 0},
	{"random bytes", func(t *testing.T, path string, size int64) { overwrite(t, path, 0, size) }, 0},
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// logOf returns the log of a database that is in use.
func logOf(t *testing.T) []byte {
	t.Helper()
	path := filled(t, 2)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SaveFunction(t.Context(), store.Function{Name: "foreign", LastSeen: noon}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path + "-wal")
	if err != nil || len(b) == 0 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	return b
}

func TestSalvageKeepsWhatCanBeRead(t *testing.T) {
	whole := filled(t, 1)
	original := dump(t, whole)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "hearth.db"), filepath.Join(t.TempDir(), "new.db")
			if err := copyFile(whole, from); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(from)
			if err != nil {
				t.Fatal(err)
			}
			d.damage(t, from, info.Size())
			before, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Salvage(t.Context(), from, to)
			if err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(from); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the damaged file was changed: %v", err)
			}
			rows := dump(t, to)
			if got.Total() != int64(len(rows)) {
				t.Errorf("it says %d rows, and there are %d", got.Total(), len(rows))
			}
			t.Logf("%d of %d rows, %d gaps: %v", len(rows), len(original), got.Gaps(), got.Broken)
			if least := int(d.least * float64(len(original))); len(rows) < least {
				t.Errorf("%d of %d rows, want %d", len(rows), len(original), least)
			}
			if len(rows) < len(original) && got.Gaps() == 0 && d.name != "empty" {
				t.Errorf("%d of %d rows, and no gap is told", len(rows), len(original))
			}
			for r := range rows {
				if strings.HasPrefix(r, "rolled[") {
					continue // TestLostRollupsAreMadeAgain
				}
				if !original[r] && d.name != "log of another database" && d.name != "bytes in several places" { // SQLite has no checksums
					t.Errorf("a row that was not there: %.200s", r)
				}
			}
			s, err := Open(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.SaveFunction(t.Context(), store.Function{Name: "later", LastSeen: noon}); err != nil {
				t.Error(err)
			}
			if err := Check(t.Context(), to); err != nil {
				t.Error(err)
			}
		})
	}
}

// Of roll-ups that are lost the readings may still be there.
func TestLostRollupsAreMadeAgain(t *testing.T) {
	for what, tc := range map[string]struct {
		damaged bool
		upto    time.Time
	}{"whole": {false, noon.Add(5 * time.Hour)}, "a page is lost": {true, noon}} {
		from, to := filled(t, 1), filepath.Join(t.TempDir(), "new.db")
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.LastIndex(b, binary.BigEndian.AppendUint64(nil, math.Float64bits(sentinel)))
		if at < 0 {
			t.Fatal("no roll-up in the file")
		}
		if tc.damaged {
			overwrite(t, from, int64(at/page*page), page)
		}
		got, err := Salvage(t.Context(), from, to)
		if err != nil || got.Broken["rollups_5m"]+got.Broken["rollups_1h"] > 0 != tc.damaged || got.Rows["points"] != 3000 {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
		s, err := Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r, dirty, ok, err := s.RolledOf(t.Context(), "air", noon, noon.Add(5*time.Hour))
		if err != nil || !ok || !r.Upto.Equal(tc.upto) || len(dirty) != 2 {
			t.Errorf("%s: %+v, %v, %v; want roll-ups up to %s", what, r, dirty, err, tc.upto)
		}
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	whole := filled(t, 1)
	for _, d := range damages {
		if d.name == "nothing" || strings.HasPrefix(d.name, "log of") || d.name == "empty" { // SQLite takes an empty file as a new one
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hearth.db")
			if err := copyFile(whole, path); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			d.damage(t, path, info.Size())
			s, err := Open(t.Context(), path)
			if err == nil { // it opens: reading it finds the damage
				err = errors.Join(Check(t.Context(), path), s.Close())
			}
			if e, ok := errors.AsType[*DamagedError](err); !ok || e.Path != path {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder: %v", err)
	}
	if err := Check(t.Context(), whole); err != nil {
		t.Errorf("a good file: %v", err)
	}
}

func TestDamageThatIsFoundLaterIsTold(t *testing.T) {
	path := filled(t, 1)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, info.Size()/2, info.Size()/3)
	var told []error
	s, err := OpenWatched(t.Context(), path, func(e *DamagedError) { told = append(told, e) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for d := range 10 {
		_, readErr := s.Between(t.Context(), "air", map[string]string{"device": fmt.Sprint("d", 1, d)}, noon, noon.Add(300*time.Minute))
		err = errors.Join(err, readErr)
	}
	if len(told) == 0 {
		t.Errorf("nothing is told, %v", err)
	}
}

// A list may have read many rows before it comes to the damage.
func TestDamageBehindTheFirstRowIsTold(t *testing.T) {
	path := filled(t, 1)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, info.Size()/2/page*page, 8*page)
	for _, text := range []string{"select * from points", "select * from texts", "select time from points order by field, time"} {
		told, n := 0, 0
		db, err := pool(path, 1, func(*DamagedError) { told++ }, url.Values{"mode": {"rw"}})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			n++
		}
		if n == 0 || !isDamage(asDamage(path, rows.Err())) || told != 1 {
			t.Errorf("%s: %d rows, %v, told %d times", text, n, rows.Err(), told)
		}
		if err := errors.Join(rows.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

func FuzzSchemaRows(f *testing.F) {
	leaf := make([]byte, page)
	copy(leaf, []byte{0x0d, 0, 0, 0, 1, 0, 20, 0, 0, 20})
	copy(leaf[20:], []byte{20, 7, 6, 23, 0, 0, 0, 0, 't', 'a', 'b', 'l', 'e'})
	f.Add(leaf)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < page {
			b = append(b, make([]byte, page-len(b))...)
		}
		if last, ok := schemaRows(b[:page]); ok && firstPage(100*page, []schemaLeaf{{7, last}, {9, last + 1}}) == nil {
			t.Error("no page")
		}
	})
}
