package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// DamagedError is a file that holds no usable database. Salvage copies what can be read.
type DamagedError struct {
	Path string
	What string // what is wrong with it
}

// Folder reports whether it is a folder, or another thing that is no file: there is nothing to
// salvage.
func (e *DamagedError) Folder() bool { return e.What == noFile }

const noFile = "is no file: a folder or another thing has its name; move it away"

func (e *DamagedError) Error() string { return "the database " + e.Path + " " + e.What }

// inspect returns an error if path is something else than a file. It does not read the
// file: closing it would end the locks of this process on it.
func inspect(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &DamagedError{path, noFile}
	}
	return nil // SQLite creates it, or says why it cannot
}

// asDamage returns err as a *DamagedError if SQLite found the file damaged.
func asDamage(path string, err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff { // the rest says where
	case lib.SQLITE_CORRUPT:
		return &DamagedError{path, fmt.Sprintf("is damaged: parts of it were overwritten, cut off or belong to another database (SQLite's error %d)", e.Code())}
	case lib.SQLITE_NOTADB:
		return &DamagedError{path, "is no SQLite database: its beginning was overwritten or encrypted"}
	}
	return err
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*DamagedError](err)
	return ok
}

// Check reads the whole file at path and returns a *DamagedError if it is damaged. Other
// processes may use it meanwhile. If ctx ends before, the error is nil.
func Check(ctx context.Context, path string) error {
	db, err := pool(path, 1, nil, url.Values{"mode": {"rw"}}, "query_only(1)", "cache_size("+readerCache+")")
	if err != nil {
		return err
	}
	defer db.Close()
	var found string
	err = db.QueryRowContext(ctx, `pragma quick_check(1)`).Scan(&found)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return asDamage(path, err)
	case found != "ok":
		return &DamagedError{path, "is damaged: " + found}
	}
	return nil
}

// watch is called when SQLite finds the file damaged; it may be nil.
type watch func(*DamagedError)

// tell calls w if err says that the file is damaged, and returns err.
func (w watch) tell(err error) error {
	if w == nil || err == nil || err == io.EOF {
		return err
	}
	if e, ok := errors.AsType[*DamagedError](asDamage("", err)); ok {
		w(e)
	}
	return err
}

func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.sqliteStmt.ExecContext(ctx, args)
	return r, s.damaged.tell(err)
}

func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.sqliteStmt.QueryContext(ctx, args)
	if err != nil || s.damaged == nil {
		return r, s.damaged.tell(err)
	}
	return &watchedRows{r, s.damaged}, nil
}

// watchedRows are rows of a query: the damage may be on a page behind that of the first
// row.
type watchedRows struct {
	driver.Rows
	damaged watch
}

func (r *watchedRows) Next(dest []driver.Value) error { return r.damaged.tell(r.Rows.Next(dest)) }
