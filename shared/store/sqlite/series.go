package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	readDeadline  = 8 * time.Second
	writeDeadline = 10 * time.Second
	deleteBatch   = 20_000 // rows deleted in one transaction, so that other calls can write in between
)

// series stores readings, one row for each value.
type series struct {
	read, write *sql.DB
	group       group
	known       ids // of committed rows; guarded by group.lock
}

func newSeries(read, write *sql.DB) *series {
	s := &series{read: read, write: write, known: newIDs()}
	s.group.lock = make(chan struct{}, 1)
	return s
}

// Write stores rs in one transaction.
func (s *series) Write(ctx context.Context, rs []reading.Reading) error {
	if len(rs) == 0 {
		return nil
	}
	if err := s.Transact(ctx, rs, nil); err != nil {
		return fmt.Errorf("write readings: %w", err)
	}
	return nil
}

// Transact stores rs and runs fn in one transaction. Calls that arrive during a commit
// share the next one, but an error of fn undoes only its own call. fn may be nil. If fn
// panics, Transact panics with the same value.
func (s *series) Transact(ctx context.Context, rs []reading.Reading, fn func(context.Context, *sql.Tx) error) error {
	rs, err := store.Normal(rs)
	if err != nil {
		return err
	}
	return s.group.do(ctx, &call{rs: rs, fn: fn}, s.commit)
}

// DeleteRange deletes field by field, in batches. The rows of the tables series and
// fields stay, because their ids are cached.
func (s *series) DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	return s.deleteRows(ctx, "delete readings of "+name, name, tags, from, to, func(c column) rowsOf { return rowsOf{c.table(), "time", c.id} })
}

// rowsOf names the rows of a field in a table, by the table's column of times. Without a
// table it names none.
type rowsOf struct {
	table, time string
	field       int64
}

// deleteRows deletes the rows of each field. what names the call in errors.
func (s *series) deleteRows(ctx context.Context, what, name string, tags map[string]string, from, to time.Time, rows func(column) rowsOf) error {
	if err := store.CheckDelete(name, tags); err != nil {
		return err
	}
	var all []storedSeries
	err := s.inSnapshot(ctx, what, func(ctx context.Context, tx *sql.Tx) (err error) {
		all, err = seriesOf(ctx, tx, name, tags)
		return err
	})
	for _, l := range all {
		for _, c := range l.columns {
			r := rows(c)
			for more := r.table != ""; more && err == nil; {
				err = s.group.do(ctx, &call{fn: func(ctx context.Context, tx *sql.Tx) (err error) {
					more, err = r.deleteOneBatch(ctx, tx, store.Nanos(from), store.Nanos(to))
					return err
				}}, s.commit)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// deleteOneBatch deletes the oldest rows with from <= time < to, and reports whether there
// are more.
func (r rowsOf) deleteOneBatch(ctx context.Context, tx *sql.Tx, from, to int64) (more bool, err error) {
	end, where := to, ` from `+r.table+` where field = ? and `+r.time+` >= ? and `+r.time+` < ?`
	err = tx.QueryRowContext(ctx, `select `+r.time+where+` order by `+r.time+` limit 1 offset ?`, r.field, from, to, deleteBatch).Scan(&end)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	more = err == nil
	_, err = tx.ExecContext(ctx, `delete`+where, r.field, from, end)
	return more, err
}

// Ping does nothing: Store.Ping checks the same file.
func (s *series) Ping(context.Context) error { return nil }

// Close does nothing: Store.Close closes the connections.
func (s *series) Close() error { return nil }
