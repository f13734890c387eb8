package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	driver "modernc.org/sqlite"

	"github.com/hearth-home/hearth/shared/store"
)

// Salvaged says what was copied from a damaged file.
type Salvaged struct {
	Rows   map[string]int64 // copied, by table
	Broken map[string]int   // places where rows of a table could not be read, by table
}

// Total returns the number of rows copied.
func (s Salvaged) Total() (n int64) {
	for _, rows := range s.Rows {
		n += rows
	}
	return n
}

// Gaps returns the number of places with rows that could not be read.
func (s Salvaged) Gaps() (n int) {
	for _, gaps := range s.Broken {
		n += gaps
	}
	return n
}

// Salvage copies all rows that can be read in the file from to a new file to, and says how
// many there are. It changes nothing in from, and works on copies beside to. No process may
// use from. Readings of a version before 8 that were never moved are not copied.
func Salvage(ctx context.Context, from, to string) (Salvaged, error) {
	dir, err := os.MkdirTemp(filepath.Dir(to), "salvage-")
	if err != nil {
		return Salvaged{}, err
	}
	defer os.RemoveAll(dir)
	var best Salvaged
	found := ""
	// The log may belong to another database, and only the beginning may be overwritten.
	for i, prepare := range []func(string) error{withLog(from), withoutLog(from), withBeginning(from), withFirstPage(from)} {
		broken, fresh := filepath.Join(dir, fmt.Sprint("broken-", i, ".db")), filepath.Join(dir, fmt.Sprint("fresh-", i, ".db"))
		if err := prepare(broken); err != nil {
			return best, err
		}
		got, err := salvage(ctx, broken, fresh)
		if err != nil {
			return best, err
		}
		if found == "" || got.Total() > best.Total() {
			best, found = got, fresh
		}
		if got.Total() > 0 && got.Gaps() == 0 {
			break
		}
	}
	return best, os.Rename(found, to)
}

func withoutLog(from string) func(string) error {
	return func(to string) error { return copyFile(from, to) }
}

func withLog(from string) func(string) error {
	return func(to string) error {
		err := copyFile(from+"-wal", to+"-wal")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return copyFile(from, to)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// salvage copies the rows of the file broken to the new file fresh.
func salvage(ctx context.Context, broken, fresh string) (Salvaged, error) {
	s := Salvaged{map[string]int64{}, map[string]int{}}
	st, err := Open(ctx, fresh) // the tables of this version
	if err != nil {
		return s, err
	}
	if err := st.Close(); err != nil {
		return s, err
	}
	from, err := openBroken(broken)
	if err != nil {
		return s, err
	}
	defer from.Close()
	to, err := pool(fresh, 1, nil, url.Values{"mode": {"rw"}}, "synchronous(NORMAL)")
	if err != nil {
		return s, err
	}
	defer to.Close()
	if _, err := to.ExecContext(ctx, `pragma foreign_keys = 0`); err != nil { // what a row refers to may be lost
		return s, err
	}
	tables, err := tablesOf(ctx, to)
	if err != nil {
		return s, err
	}
	for _, t := range tables {
		if err := copyTable(ctx, from, to, t, &s); err != nil {
			return s, fmt.Errorf("salvage the table %s: %w", t.name, err)
		}
	}
	if err := dropOrphans(ctx, to, &s); err != nil {
		return s, err
	}
	return s, rollUpAgain(ctx, to, s)
}

// openBroken opens a file whose schema may have mistakes: it is read as far as it goes. A log
// is applied. Other pragmas than this one would read the schema first, and fail.
func openBroken(path string) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}, "_time_integer_format": {"unix_micro"}, "_inttotime": {"1"}, "_pragma": {"writable_schema(1)"}}
	c, err := driver.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	return db, nil
}

// dropOrphans deletes rows that refer to one that was lost: its number will be used again.
func dropOrphans(ctx context.Context, db *sql.DB, s *Salvaged) error {
	for _, r := range []struct{ table, column, to, id string }{
		{"fields", "series", "series", "id"}, {"points", "field", "fields", "id"}, {"texts", "field", "fields", "id"},
		{"rollups_5m", "field", "fields", "id"}, {"rollups_1h", "field", "fields", "id"}, {"device_ids", "device", "devices", "id"},
	} {
		res, err := db.ExecContext(ctx, fmt.Sprintf(`delete from %s where %s not in (select %s from %s)`, r.table, r.column, r.id, r.to))
		if err != nil {
			return fmt.Errorf("salvage the table %s: %w", r.table, err)
		}
		if n, _ := res.RowsAffected(); n > 0 { // SQLite always knows
			s.Rows[r.table] -= n
			s.Broken[r.table]++
		}
	}
	return nil
}

// rollUpAgain has all hours rolled up again whose readings are not expired, if roll-ups
// are lost, or notes of the hours that are to be rolled up.
func rollUpAgain(ctx context.Context, db *sql.DB, s Salvaged) error {
	if s.Broken["rollups_5m"]+s.Broken["rollups_1h"]+s.Broken["dirty_hours"] == 0 {
		return nil
	}
	if _, err := db.ExecContext(ctx, `update rolled set upto = max(since, raw_expired) where upto > max(since, raw_expired)`); err != nil {
		return fmt.Errorf("have the readings rolled up again: %w", err)
	}
	return nil
}

// table is a table of the schema of this version.
type table struct {
	name    string
	columns []string
	types   []string // of the columns, in small letters
	outer   string   // the first column of a key of two
	key     string   // an integer in whose order the table is stored
}

func tablesOf(ctx context.Context, db *sql.DB) (out []table, err error) {
	names, err := store.Rows(ctx, db, func(rows *sql.Rows) (s string, err error) { err = rows.Scan(&s); return s, err },
		`select name from sqlite_schema where type = 'table' and name not like 'sqlite%' and name <> 'schema_version' order by rowid`)
	for _, name := range names {
		t := table{name: name, key: "rowid"}
		switch name { // stored by field and time
		case "points", "texts":
			t.outer, t.key = "field", "time"
		case "rollups_5m", "rollups_1h":
			t.outer, t.key = "field", "start"
		}
		columns, err := columnsOf(ctx, db, name)
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			t.columns = append(t.columns, c.name)
		}
		out = append(out, t)
	}
	return out, err
}

// salvagedColumn is a column of a table and its declared type, in small letters.
type salvagedColumn struct{ name, kind string }

func columnsOf(ctx context.Context, db *sql.DB, table string) ([]salvagedColumn, error) {
	return store.Rows(ctx, db, func(rows *sql.Rows) (c salvagedColumn, err error) { err = rows.Scan(&c.name, &c.kind); return c, err },
		`select name, lower(type) from pragma_table_info($1)`, table)
}

// copyTable copies a table. A table that the broken file lacks is lost, unless the file is of
// an older version.
func copyTable(ctx context.Context, from, to *sql.DB, t table, s *Salvaged) error {
	known, err := columnsOf(ctx, from, t.name)
	if err != nil {
		s.Broken[t.name]++
		return lost(err)
	}
	if t = t.with(known); len(t.columns) == 0 {
		if !older(ctx, from, to) {
			s.Broken[t.name]++
		}
		return nil
	}
	c := &copier{from: from, to: to, table: t}
	if t.outer == "" {
		err = c.span(ctx, "1")
	} else {
		err = c.spans(ctx, t.outer)
	}
	s.Rows[t.name] += c.rows
	if c.gaps > 0 {
		s.Broken[t.name] = c.gaps
	}
	return err
}

// with returns the table with only those of its columns that are known.
func (t table) with(known []salvagedColumn) table {
	columns := t.columns
	t.columns, t.types = nil, nil
	for _, c := range columns {
		if i := slices.IndexFunc(known, func(k salvagedColumn) bool { return k.name == c }); i >= 0 {
			t.columns, t.types = append(t.columns, c), append(t.types, known[i].kind)
		}
	}
	return t
}

// older reports whether the broken file is known to be of an older version.
func older(ctx context.Context, broken, fresh *sql.DB) bool {
	const newest = `select max(version) from schema_version`
	had, ok, err := firstOf(ctx, broken, newest)
	has, _, freshErr := firstOf(ctx, fresh, newest)
	return ok && err == nil && freshErr == nil && had < has
}

// lost returns nil for errors of a damaged file, so that the rest is read, and other errors.
func lost(err error) error {
	if _, damaged := errors.AsType[*DamagedError](asDamage("", err)); damaged || err != nil && strings.Contains(err.Error(), "malformed") {
		return nil
	}
	return err
}

// firstOf returns the first integer of a query; ok is false if it has no row.
func firstOf(ctx context.Context, db *sql.DB, query string, args ...any) (v int64, ok bool, err error) {
	err = db.QueryRowContext(ctx, query, args...).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return v, err == nil, cmp.Or(err, ctx.Err())
}
