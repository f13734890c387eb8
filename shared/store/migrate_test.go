package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
)

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	for name, tc := range map[string]struct {
		first string // first line of each file
		files []string
		ok    bool
	}{
		"in_order":      {"", []string{"0001_a.sql", "0002_b.sql"}, true},
		"gap":           {"", []string{"0001_a.sql", "0003_b.sql"}, false},
		"twice":         {"", []string{"0001_a.sql", "0001_b.sql"}, false},
		"from_two":      {"", []string{"0002_a.sql"}, false},
		"unnumbered":    {"", []string{"0001_a.sql", "b.sql"}, false},
		"short":         {"", []string{"1_a.sql"}, false},
		"other_file":    {"", []string{"0001_a.sql", "0002_b.txt"}, false},
		"serves_itself": {"-- serves: 1\n", []string{"0001_a.sql"}, true},
		"serves_later":  {"-- serves: 2\n", []string{"0001_a.sql"}, false},
		"serves_nobody": {"-- serves: all\n", []string{"0001_a.sql"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{}
			for _, f := range tc.files {
				dir[f] = &fstest.MapFile{Data: []byte(tc.first + "select 1")}
			}
			if err := store.Numbered(dir); (err == nil) != tc.ok {
				t.Errorf("%v: %v", tc.files, err)
			}
		})
	}
}

func TestOpenSaysThatTheDatabaseIsNotMigrated(t *testing.T) {
	c := store.Config{Influx: store.Influx{URL: "http://127.0.0.1:1"}, Database: planted(t, "database-url", testserver.Postgres(t))}
	if _, err := store.Open(t.Context(), c); !errors.Is(err, store.ErrNotMigrated) {
		t.Fatalf("before: %v", err)
	}
	for range 2 { // the second changes nothing
		if err := store.Migrate(t.Context(), c.Database); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("after: %v", err)
	}
	defer s.Close()

	s.Exec(t, `update schema_version set version = version + 100 where version = 1`)
	if s, err := store.Open(t.Context(), c); err == nil || errors.Is(err, store.ErrNotMigrated) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer database: %v, %v", s, err)
	}
	if err := store.Migrate(t.Context(), c.Database); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("migrating a newer database: %v", err)
	}
	s.Exec(t, `delete from schema_version where version > 1`)
	if _, err := store.Open(t.Context(), c); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("an older database: %v", err)
	}
}

// The migrations before these numbers have no such line.
func TestEachMigrationSaysWhichProgramsItServes(t *testing.T) {
	for dir, first := range map[string]int{"postgres": 6, "sqlite": 7} {
		files, err := filepath.Glob("migrations/" + dir + "/*.sql")
		if err != nil || len(files) < first {
			t.Fatal(files, err)
		}
		for _, f := range files[first-1:] {
			if text, err := os.ReadFile(f); err != nil || !strings.HasPrefix(string(text), "-- serves: ") {
				t.Errorf("%s does not begin with \"-- serves: \" and the number of migrations that the oldest program knows; %v", f, err)
			}
		}
	}
}

// An older program runs on a newer schema only if all newer migrations serve it.
// Otherwise both Open and Migrate refuse the schema.
func TestANewerSchemaIsUsedOnlyIfItServesTheProgram(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (newer func(serves []string), again func() error){
		"sqlite":   sqliteOfTheFuture,
		"postgres": postgresOfTheFuture,
	} {
		t.Run(name, func(t *testing.T) {
			newer, again := open(t)
			if err := again(); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct {
				serves []string // of each later migration
				runs   bool
			}{
				{[]string{"known"}, true},
				{[]string{"known", "1"}, true},
				{[]string{"known + 1"}, false},
				{[]string{"null"}, false},
				{[]string{"known + 1", "known"}, false},
			} {
				newer(tc.serves)
				err := again()
				if tc.runs != (err == nil) || err != nil && (!strings.Contains(err.Error(), "newer") || errors.Is(err, store.ErrNotMigrated)) {
					t.Errorf("serves %s: %v", tc.serves, err)
				}
			}
		})
	}
}

// future returns a function that replaces the migrations that this program does not
// know.
func future(t *testing.T, s *store.Store, known int) func([]string) {
	return func(serves []string) {
		s.Exec(t, fmt.Sprintf(`delete from schema_version where version > %d`, known))
		for i, v := range serves {
			s.Exec(t, fmt.Sprintf(`insert into schema_version (version, name, serves) values (%d, 'later', %s)`,
				known+i+1, strings.ReplaceAll(v, "known", strconv.Itoa(known))))
		}
	}
}

func sqliteOfTheFuture(t *testing.T) (func([]string), func() error) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return future(t, s, s.Version(t)), func() error {
		again, err := sqlite.Open(t.Context(), path)
		if err != nil {
			return err
		}
		return again.Close()
	}
}

func postgresOfTheFuture(t *testing.T) (func([]string), func() error) {
	c := store.Config{Influx: store.Influx{URL: "http://127.0.0.1:1"}, Database: planted(t, "database-url", testserver.Postgres(t))}
	if err := store.Migrate(t.Context(), c.Database); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return future(t, s, s.Version(t)), func() error {
		again, err := store.Open(t.Context(), c)
		if err != nil {
			return errors.Join(err, store.Migrate(t.Context(), c.Database))
		}
		return errors.Join(again.Close(), store.Migrate(t.Context(), c.Database))
	}
}

func TestAMissingTableIsErrNotMigrated(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, "weather", long)
		for _, table := range []string{"leases", "runs", "targets", "outbox", "quotas"} {
			s.Exec(t, `drop table `+table)
		}
		_, err1 := s.Begin(t.Context(), store.Run{Function: "weather"}, long, nil)
		_, err2 := s.Runs(t.Context(), "weather", 1)
		_, err3 := s.Targets(t.Context(), "weather")
		err4 := s.Finish(t.Context(), r, nil, store.Alerts{})
		err5 := s.Take(t.Context(), store.Quota{Key: "k", Limit: 1}, 1, true, noon)
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if !errors.Is(err, store.ErrNotMigrated) {
				t.Errorf("call %d: %v", i+1, err)
			}
		}
	})
}

func TestConcurrentMigrationsAreDoneOnce(t *testing.T) {
	database := planted(t, "database-url", testserver.Postgres(t))
	path := filepath.Join(t.TempDir(), "hearth.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := store.Migrate(t.Context(), database); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: "http://127.0.0.1:1"}, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestDataSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	for i := range 3 {
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		finish(t, s, begin(t, s, "weather", long), nil)
		if runs, err := s.Runs(t.Context(), "", 10); err != nil || len(runs) != i+1 {
			t.Errorf("%d runs, %v, want %d", len(runs), err, i+1)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
