package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	sqlDeadline = 8 * time.Second // of one call, even if the caller's deadline is later
	tries       = 3               // of a transaction that fails by a conflict or a lost connection
	chunkRows   = 500             // rows in one statement: both databases allow 32,766 parameters
)

// txn is a transaction and the dialect of its database.
type txn struct {
	*sql.Tx
	dialect Dialect
}

// tx runs fn in one transaction. what names the operation in errors. fn may run again:
// after a deadlock, or if the connection was lost before the commit was sent. On SQLite,
// concurrent calls share a commit.
func (s *Store) tx(ctx context.Context, what string, fn func(context.Context, *txn) error) error {
	if t, ok := s.Series.(transactor); ok {
		return s.transactIn(ctx, t, what, nil, fn)
	}
	ctx, cancel := context.WithTimeout(ctx, sqlDeadline)
	defer cancel()
	var err error
	for range tries {
		var again bool
		if again, err = s.txOnce(ctx, fn); !again {
			break
		}
	}
	return explain(what, err)
}

func (s *Store) txOnce(ctx context.Context, fn func(context.Context, *txn) error) (again bool, err error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return lost(err), err
	}
	defer tx.Rollback()
	if err := fn(ctx, &txn{tx, s.dialect}); err != nil {
		return lost(err) || collided(err), err
	}
	err = tx.Commit()
	return collided(err), err
}

// query runs a select outside of a transaction and returns its rows, each converted by
// scan. It retries after a lost connection.
func query[T any](ctx context.Context, s *Store, what string, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, sqlDeadline)
	defer cancel()
	var out []T
	var err error
	for range tries {
		if out, err = Rows(ctx, s.read, scan, text, args...); !lost(err) {
			break
		}
	}
	return out, explain(what, err)
}

// Querier is a database or a transaction of it.
type Querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// Rows runs a select and returns its rows, each converted by scan.
func Rows[T any](ctx context.Context, q Querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// now returns the time by the database's clock, which all replicas share. Leases expire
// by it.
func (s *Store) now(ctx context.Context, tx *txn) (t time.Time, err error) {
	if s.dialect == SQLite {
		return time.Now().UTC(), nil // clock: SQLite has no other, and all processes with the file are on one machine
	}
	err = tx.QueryRowContext(ctx, "select clock_timestamp()").Scan(scanTime{&t})
	return t, err
}

// explain wraps err with the operation, what. A missing table or column becomes
// ErrNotMigrated, and a value that PostgreSQL cannot store ErrUnstorable. It returns
// errors that callers act on as they are.
func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrRunning), errors.Is(err, ErrFenced), errors.Is(err, ErrNotMigrated), errors.Is(err, ErrFull):
		return err
	case notMigrated(err):
		return fmt.Errorf("%w (%s: %v)", ErrNotMigrated, what, err)
	}
	if _, ok := errors.AsType[*SpentError](err); ok {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && (strings.HasPrefix(e.Code, "22") || strings.HasPrefix(e.Code, "54")) { // invalid value, value too large
		return fmt.Errorf("%s: %w: %w", what, ErrUnstorable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func notMigrated(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "42P01" || e.Code == "42703" || e.Code == "3F000" // no such table, column, schema
	}
	return strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "no such column")
}

// collided reports whether the database rolled back the transaction because of a
// conflict with another.
func collided(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// lost reports whether a pooled connection was lost, as after a restart of the server.
func lost(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false // a new connection failed: a retry would too
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "57P01" || e.Code == "57P02"
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// values returns the parameters of that many rows and columns: "($1,$2),($3,$4)".
func (t *txn) values(rows, columns int) string {
	var b strings.Builder
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(" + t.params(1+r*columns, columns) + ")")
	}
	return b.String()
}

// params returns n parameters, "$1,$2", numbered from first. first must be one more than
// the number of parameters before them. For SQLite it returns "?,?": SQLite searches a
// numbered parameter among all others, which takes seconds if there are thousands.
func (t *txn) params(first, n int) string {
	if t.dialect == SQLite {
		return strings.TrimSuffix(strings.Repeat("?,", n), ",")
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// stamp returns a time as it is stored: in microseconds, as PostgreSQL does, and NULL for
// the zero time.
func stamp(t time.Time) sql.NullTime {
	return sql.NullTime{Time: micros(t), Valid: !t.IsZero()}
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// scanTime scans a time that stamp returned; NULL becomes the zero time.
type scanTime struct{ to *time.Time }

func (s scanTime) Scan(v any) error {
	var n sql.NullTime
	if err := n.Scan(v); err != nil {
		return err
	}
	*s.to = time.Time{}
	if n.Valid {
		*s.to = n.Time.UTC()
	}
	return nil
}

// clean replaces invalid UTF-8 and removes NUL bytes: PostgreSQL refuses both in texts.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

func encode[T any](v T) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// scanJSON scans a value that encode returned.
type scanJSON[T any] struct{ to *T }

func (s scanJSON[T]) Scan(v any) error {
	switch v := v.(type) {
	case []byte:
		return json.Unmarshal(v, s.to)
	case string:
		return json.Unmarshal([]byte(v), s.to)
	}
	return fmt.Errorf("JSON column holds %T", v)
}
