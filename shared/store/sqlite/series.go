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
	deletedAtOnce = 20_000 // rows, so that others can write meanwhile
)

// series keeps Readings as one row a value.
type series struct {
	read, write *sql.DB
	group       group
	known       ids // of what is committed; whoever has the group's turn uses it
}

func newSeries(read, write *sql.DB) *series {
	s := &series{read: read, write: write, known: newIDs()}
	s.group.turn = make(chan struct{}, 1)
	return s
}

// Write stores rs.
func (s *series) Write(ctx context.Context, rs []reading.Reading) error {
	if len(rs) == 0 {
		return nil
	}
	if err := s.Transact(ctx, rs, nil); err != nil {
		return fmt.Errorf("write readings: %w", err)
	}
	return nil
}

// Transact stores rs and runs fn in one transaction. Calls that come while
// another is being committed share the next commit; each fails alone.
func (s *series) Transact(ctx context.Context, rs []reading.Reading, fn func(context.Context, *sql.Tx) error) error {
	rs, err := store.Normal(rs)
	if err != nil {
		return err
	}
	return s.group.do(ctx, &part{rs: rs, fn: fn}, s.commit)
}

// DeleteRange deletes field by field, in parts. The rows of series and fields
// stay: their numbers are remembered.
func (s *series) DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	if err := store.CheckDelete(name, tags); err != nil {
		return err
	}
	var lines []line
	err := s.inOneState(ctx, "delete readings of "+name, func(ctx context.Context, tx *sql.Tx) (err error) {
		lines, err = linesOf(ctx, tx, name, tags)
		return err
	})
	for _, l := range lines {
		for _, c := range l.columns {
			for more := true; more && err == nil; {
				err = s.group.do(ctx, &part{fn: func(ctx context.Context, tx *sql.Tx) (err error) {
					more, err = c.deleteSome(ctx, tx, store.Nanos(from), store.Nanos(to))
					return err
				}}, s.commit)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("delete readings of %s: %w", name, err)
	}
	return nil
}

func (c column) deleteSome(ctx context.Context, tx *sql.Tx, from, to int64) (more bool, err error) {
	end := to
	err = tx.QueryRowContext(ctx, `select time from `+c.table()+` where field = ? and time >= ? and time < ? order by time limit 1 offset ?`,
		c.id, from, to, deletedAtOnce).Scan(&end)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	more = err == nil
	_, err = tx.ExecContext(ctx, `delete from `+c.table()+` where field = ? and time >= ? and time < ?`, c.id, from, end)
	return more, err
}

// Ping does nothing: the store pings the pools.
func (s *series) Ping(context.Context) error { return nil }

// Close does nothing: the store closes the pools.
func (s *series) Close() error { return nil }
