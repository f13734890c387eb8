package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func TestACancelledWriteHarmsNoOther(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var stored sync.Map
	var all sync.WaitGroup
	for w := range 100 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if w%2 == 1 {
				cancel()
			}
			name := fmt.Sprint("writer-", w)
			r := reading.Reading{Name: "m", Tags: map[string]string{"writer": name}, Fields: map[string]float64{"v": 1}, Time: noon}
			err := s.Write(ctx, []reading.Reading{r})
			if err == nil {
				stored.Store(name, true)
			} else if w%2 == 0 {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
	rs, err := s.Between(t.Context(), "m", nil, noon, noon.Add(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		stored.Delete(r.Tags["writer"])
	}
	stored.Range(func(name, _ any) bool {
		t.Errorf("Write of %v returned no error, but its reading is not stored", name)
		return true
	})
}

func TestCommitsAreDurable(t *testing.T) {
	s, err := pool(filepath.Join(t.TempDir(), "hearth.db"), 1, nil, url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "page_size": "1024", "wal_autocheckpoint": "4000", "journal_size_limit": "67108864"} {
		var got string
		if err := s.QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", pragma, got, err, want)
		}
	}
}

func TestAnExistingFileIsNeitherCreatedNorMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	if _, err := OpenExisting(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenExisting(t.Context(), path); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("an empty file: %v", err)
	}
	oldPath := filepath.Join(t.TempDir(), "hearth.db")
	oldFile(t, oldPath, 1)
	if _, err := OpenExisting(t.Context(), oldPath); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("version 7: %v", err)
	}
	if n := rows(t, oldPath); n != 3 {
		t.Errorf("%d readings of version 7, want 3", n)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		t.Errorf("the empty file: %+v, %v", info, err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	beside, err := OpenExisting(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if err := beside.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
