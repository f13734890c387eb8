package store_test

import (
	"errors"
	"path/filepath"
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
		files []string
		ok    bool
	}{
		"in_order":   {[]string{"0001_a.sql", "0002_b.sql"}, true},
		"gap":        {[]string{"0001_a.sql", "0003_b.sql"}, false},
		"twice":      {[]string{"0001_a.sql", "0001_b.sql"}, false},
		"from_two":   {[]string{"0002_a.sql"}, false},
		"unnumbered": {[]string{"0001_a.sql", "b.sql"}, false},
		"short":      {[]string{"1_a.sql"}, false},
		"other_file": {[]string{"0001_a.sql", "0002_b.txt"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{}
			for _, f := range tc.files {
				dir[f] = &fstest.MapFile{Data: []byte("select 1")}
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

func TestTablesThatVanishAreNotMigrated(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := begin(t, s, "weather", long)
		for _, table := range []string{"leases", "runs", "targets", "outbox", "quotas"} {
			s.Exec(t, `drop table `+table)
		}
		_, err1 := s.Begin(t.Context(), store.Run{Function: "weather"}, long, nil)
		_, err2 := s.Runs(t.Context(), "weather", 1)
		_, err3 := s.Targets(t.Context(), "weather")
		err4 := s.Finish(t.Context(), r, nil, nil)
		err5 := s.Take(t.Context(), store.Quota{Key: "k", Limit: 1}, 1, true, noon)
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if !errors.Is(err, store.ErrNotMigrated) {
				t.Errorf("call %d: %v", i+1, err)
			}
		}
	})
}

func TestMigratingAtOnceIsDoneOnce(t *testing.T) {
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
