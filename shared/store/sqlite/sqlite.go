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

	"modernc.org/sqlite"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	readers     = 4
	busyTimeout = "5000" // ms; another process may have the file open

	// Page caches, together 16 MB. The system keeps the file's pages as well.
	writerCache = "-8000" // KiB
	readerCache = "-2000"

	// A commit writes each page that it touches, and the newest values of each
	// field stand on a page of their own: with small pages, which a file gets
	// when it is made, a house writes less than half as much.
	pageSize   = "1024"
	checkpoint = "4000" // pages of the journal
)

// Open opens or makes the file and brings its schema up to date. Readings of
// before version 8 are moved to their new table first, some ten thousand a
// second: tell hears how many of how many are. A program that ends meanwhile
// goes on there when it is started again.
func Open(ctx context.Context, path string, tell ...func(moved, total int64)) (*store.Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	write, err := pool(path, 1, url.Values{"_txlock": {"immediate"}}, "cache_size("+writerCache+")")
	if err != nil {
		return nil, err
	}
	err = store.MigrateDB(ctx, write, store.SQLite)
	if err == nil {
		err = moveReadings(ctx, write, func(moved, total int64) {
			for _, t := range tell {
				t(moved, total)
			}
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), write.Close())
	}
	read, err := pool(path, readers, url.Values{}, "query_only(1)", "cache_size("+readerCache+")")
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
	q.Set("_journal_mode", "WAL") // the driver sets it after the pragmas, of which the page's size must come first
	q["_pragma"] = append([]string{
		"busy_timeout(" + busyTimeout + ")", "page_size(" + pageSize + ")", "wal_autocheckpoint(" + checkpoint + ")", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)",
	}, pragmas...)
	c, err := sqlite.NewConnector("file:" + (&url.URL{Path: abs}).EscapedPath() + "?" + q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db := sql.OpenDB(keeping{c})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return db, nil
}
