package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	readDeadline  = 8 * time.Second
	writeDeadline = 10 * time.Second
	deletedAtOnce = 20_000 // points, so that others can write meanwhile
)

// series keeps Readings in two tables: what is measured, and its points.
type series struct {
	read, write *sql.DB
	group       group
	mu          sync.Mutex
	ids         map[string]int64 // of committed series, by reading.Series
}

func newSeries(read, write *sql.DB) *series {
	s := &series{read: read, write: write, ids: map[string]int64{}}
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

// BetweenAtMost returns the readings of one measurement with
// from <= time < to, ordered by series and time.
func (s *series) BetweenAtMost(ctx context.Context, limit int, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	var out []reading.Reading
	err := s.each(ctx, name, tags, `
		select time, fields, texts from readings where series = ? and time >= ? and time < ? order by time`,
		[]any{store.Nanos(from), store.Nanos(to)}, func(r reading.Reading) error {
			if len(out) == limit {
				return fmt.Errorf("%w than %d readings: ask for a shorter time", store.ErrTooMany, limit)
			}
			out = append(out, r)
			return nil
		})
	return out, err
}

// Latest returns the newest reading of every series that is not older than
// since.
func (s *series) Latest(ctx context.Context, name string, since time.Time) ([]reading.Reading, error) {
	var out []reading.Reading
	err := s.each(ctx, name, nil, `
		select time, fields, texts from readings where series = ? and time >= ? order by time desc limit 1`,
		[]any{store.Nanos(since)}, func(r reading.Reading) error {
			out = append(out, r)
			return nil
		})
	return out, err
}

// DeleteRange deletes series by series, in parts. The rows of the series stay:
// their ids are remembered.
func (s *series) DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	if err := store.CheckDelete(name, tags); err != nil {
		return err
	}
	var lines []line
	err := s.inOneState(ctx, "delete readings of "+name, func(ctx context.Context, tx *sql.Tx) (err error) {
		lines, err = seriesOf(ctx, tx, name, tags)
		return err
	})
	for _, l := range lines {
		for more := true; more && err == nil; {
			err = s.group.do(ctx, &part{fn: func(ctx context.Context, tx *sql.Tx) (err error) {
				more, err = l.deleteSome(ctx, tx, store.Nanos(from), store.Nanos(to))
				return err
			}}, s.commit)
		}
	}
	if err != nil {
		return fmt.Errorf("delete readings of %s: %w", name, err)
	}
	return nil
}

func (l line) deleteSome(ctx context.Context, tx *sql.Tx, from, to int64) (more bool, err error) {
	end := to
	err = tx.QueryRowContext(ctx, `select time from readings where series = ? and time >= ? and time < ? order by time limit 1 offset ?`,
		l.id, from, to, deletedAtOnce).Scan(&end)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	more = err == nil
	_, err = tx.ExecContext(ctx, `delete from readings where series = ? and time >= ? and time < ?`, l.id, from, end)
	return more, err
}

// Ping does nothing: the store pings the pools.
func (s *series) Ping(context.Context) error { return nil }

// Close does nothing: the store closes the pools.
func (s *series) Close() error { return nil }

// each calls fn for the rows that text gives for each series.
func (s *series) each(ctx context.Context, name string, tags map[string]string, text string, args []any, fn func(reading.Reading) error) error {
	return s.inOneState(ctx, "read "+name, func(ctx context.Context, tx *sql.Tx) error {
		lines, err := seriesOf(ctx, tx, name, tags)
		if err != nil {
			return fmt.Errorf("its series: %w", err)
		}
		stmt, err := tx.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, l := range lines {
			if err := l.each(ctx, stmt, name, args, fn); err != nil {
				return err
			}
		}
		return nil
	})
}

// line is one series.
type line struct {
	id   int64
	tags map[string]string
}

func seriesOf(ctx context.Context, tx *sql.Tx, name string, want map[string]string) ([]line, error) {
	rows, err := tx.QueryContext(ctx, `select id, tags from series where name = ? order by key`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []line
	for rows.Next() {
		var l line
		var tags []byte
		if err := errors.Join(rows.Scan(&l.id, &tags), json.Unmarshal(tags, &l.tags)); err != nil {
			return nil, err
		}
		if has(l.tags, want) {
			out = append(out, l)
		}
	}
	return out, rows.Err()
}

func has(tags, want map[string]string) bool {
	for k, v := range want {
		if tags[k] != v {
			return false
		}
	}
	return true
}

func (l line) each(ctx context.Context, stmt *sql.Stmt, name string, args []any, fn func(reading.Reading) error) error {
	rows, err := stmt.QueryContext(ctx, append([]any{l.id}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r := reading.Reading{Name: name, Tags: l.tags}
		var nanos int64
		var fields, texts []byte
		if err := rows.Scan(&nanos, &fields, &texts); err != nil {
			return err
		}
		if err := errors.Join(json.Unmarshal(fields, &r.Fields), json.Unmarshal(texts, &r.Text)); err != nil {
			return err
		}
		r.Time = time.Unix(0, nanos).UTC()
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}
