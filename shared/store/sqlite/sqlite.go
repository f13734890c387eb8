// Package sqlite gives hearth's store on one file, for one machine without
// InfluxDB and PostgreSQL.
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

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	readers     = 4
	busyTimeout = "5000" // ms; another process may have the file open
	cacheKiB    = "-16000"
)

// Open opens or makes the file and brings its schema up to date.
func Open(ctx context.Context, path string) (*store.Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	write, err := pool(path, 1, url.Values{"_txlock": {"immediate"}})
	if err != nil {
		return nil, err
	}
	if err := store.MigrateDB(ctx, write, store.SQLite); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), write.Close())
	}
	read, err := pool(path, readers, url.Values{}, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return store.New(newSeries(read, write), read, write, store.SQLite), nil
}

// pool opens n connections. Times are integers of microseconds, so that they
// compare and come back as in PostgreSQL. A commit is on the disk when it
// returns, because a spool is advanced on it.
func pool(path string, n int, q url.Values, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	q.Set("_time_integer_format", "unix_micro")
	q.Set("_inttotime", "1")
	q["_pragma"] = append([]string{
		"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(" + cacheKiB + ")", "temp_store(MEMORY)",
	}, pragmas...)
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: abs}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return db, nil
}
