// Package sqlite is hearth's store in one SQLite file, for a machine without InfluxDB
// and PostgreSQL.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	readers     = 4
	busyTimeout = "5000" // ms to wait for a lock: another process may have the file open

	// Page caches of the connections, together 16 MB. The kernel caches pages too.
	writerCache = "-8000" // KiB
	readerCache = "-2000"

	// A commit writes each page that it changes, and the newest values of each field
	// are on a page of their own. With small pages a house writes less than half as
	// many bytes. The page size is fixed when the file is created.
	pageSize   = "1024"
	checkpoint = "4000"     // pages of the write-ahead log
	logBytes   = "67108864" // of the write-ahead log's file that are kept after a long read has made it grow
)

// Open opens or creates the file at path and migrates its schema. Then it moves
// readings that versions before 8 stored to their new tables, some ten thousand a
// second, and calls each progress with the number moved so far and of all. If the
// program ends meanwhile, the next Open continues the move. If the file is damaged, the
// error is a *DamagedError.
func Open(ctx context.Context, path string, progress ...func(moved, total int64)) (*store.Store, error) {
	return OpenWatched(ctx, path, nil, progress...)
}

// OpenWatched is Open. The store calls damaged whenever it finds the file damaged later.
func OpenWatched(ctx context.Context, path string, damaged func(*DamagedError), progress ...func(moved, total int64)) (*store.Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return open(path, "rwc", damaged, func(write *sql.DB) error {
		if err := store.MigrateDB(ctx, write, store.SQLite); err != nil {
			return err
		}
		return moveReadings(ctx, write, func(moved, total int64) {
			for _, p := range progress {
				p(moved, total)
			}
		})
	})
}

// OpenExisting opens the file at path, and neither creates nor migrates it. If there is no
// file, the error is fs.ErrNotExist; if migrations are missing, store.ErrNotMigrated; if it
// is damaged, a *DamagedError.
func OpenExisting(ctx context.Context, path string) (*store.Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return open(path, "rw", nil, func(write *sql.DB) error { return store.CheckVersion(ctx, write, store.SQLite) })
}

// open opens the file in SQLite's mode rwc, which creates it, or rw. prepare is called with
// the connection for writing before the store is returned.
func open(path, mode string, damaged func(*DamagedError), prepare func(write *sql.DB) error) (*store.Store, error) {
	if err := inspect(path); err != nil {
		return nil, err
	}
	write, err := pool(path, 1, damaged, url.Values{"mode": {mode}, "_txlock": {"immediate"}}, "cache_size("+writerCache+")")
	if err != nil {
		return nil, err
	}
	if err := prepare(write); err != nil {
		if err = asDamage(path, err); !isDamage(err) {
			err = fmt.Errorf("open the store %s: %w", path, err)
		}
		return nil, errors.Join(err, write.Close())
	}
	read, err := pool(path, readers, damaged, url.Values{"mode": {mode}}, "query_only(1)", "cache_size("+readerCache+")")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return store.New(newSeries(read, write), read, write, store.SQLite), nil
}

// pool returns a pool of n connections. Times are stored as integers of microseconds,
// so that they compare and read back as in PostgreSQL. synchronous is FULL: a commit is
// on disk when it returns, because callers then delete the messages from their spool.
func pool(path string, n int, damaged func(*DamagedError), q url.Values, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	q.Set("_time_integer_format", "unix_micro")
	q.Set("_inttotime", "1")
	if q.Get("mode") != "rw" { // which leaves the file as it is
		q.Set("_journal_mode", "WAL") // not a pragma: the driver sets it after the pragmas, and page_size must come first
	}
	q["_pragma"] = append([]string{
		"busy_timeout(" + busyTimeout + ")", "page_size(" + pageSize + ")", "wal_autocheckpoint(" + checkpoint + ")", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "journal_size_limit(" + logBytes + ")",
	}, pragmas...)
	c, err := sqlite.NewConnector("file:" + (&url.URL{Path: abs}).EscapedPath() + "?" + q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db := sql.OpenDB(cachingConnector{c, damaged})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return db, nil
}
