package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// Aggregate sums up windows in the database.
func (s *series) Aggregate(ctx context.Context, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
	return s.inOneState(ctx, "read windows of "+q.Name, func(ctx context.Context, tx *sql.Tx) error {
		lines, err := seriesOf(ctx, tx, q.Name, q.Tags)
		if err != nil {
			return err
		}
		for _, l := range lines {
			fields, err := l.numbers(ctx, tx, q)
			if err != nil {
				return err
			}
			for _, f := range fields {
				ws, err := l.windows(ctx, tx, q, f)
				if err != nil {
					return err
				}
				if len(ws) == 0 {
					continue
				}
				if err := fn(l.tags, f, ws); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// numbers returns which fields the query is about are numbers.
func (l line) numbers(ctx context.Context, tx *sql.Tx, q store.Query) ([]string, error) {
	all, err := list(ctx, tx, func(rows *sql.Rows) (f string, err error) { return f, rows.Scan(&f) },
		`select distinct key from readings, json_each(fields) where series = ? and time >= ? and time < ? order by key`,
		l.id, store.Nanos(q.From), store.Nanos(q.To))
	return slices.DeleteFunc(all, func(f string) bool { return len(q.Fields) > 0 && !slices.Contains(q.Fields, f) }), err
}

// windows counts them from the one that From is in, so that their numbers are
// not negative.
func (l line) windows(ctx context.Context, tx *sql.Tx, q store.Query, field string) ([]store.Window, error) {
	first, step := q.First().UnixNano(), int64(q.Step)
	return list(ctx, tx, func(rows *sql.Rows) (w store.Window, err error) {
		var n int64
		err = rows.Scan(&n, &w.Mean, &w.Min, &w.Max, &w.Count, &w.Last)
		w.Start = time.Unix(0, first+n*step).UTC()
		return w, err
	}, `with points as (select time, fields ->> ?1 as value from readings where series = ?2 and time >= ?3 and time < ?4 and value is not null)
		select n, mean, least, most, count, (select value from points where time = newest)
		from (select (time - ?5) / ?6 as n, avg(value) as mean, min(value) as least, max(value) as most, count(*) as count, max(time) as newest
			from points group by n) order by n`,
		`$."`+field+`"`, l.id, store.Nanos(q.From), store.Nanos(q.To), first, step)
}

// Extents returns the measurements that have readings in a span, by name.
func (s *series) Extents(ctx context.Context, from, to time.Time) ([]store.Extent, error) {
	var out []store.Extent
	err := s.inOneState(ctx, "read what there is", func(ctx context.Context, tx *sql.Tx) (err error) {
		out, err = list(ctx, tx, func(rows *sql.Rows) (e store.Extent, err error) {
			var first, last int64
			err = rows.Scan(&e.Name, &first, &last)
			e.First, e.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
			return e, err
		}, `select name, min(first), max(last) from (select name,
				(select min(time) from readings where series = id and time >= ?1 and time < ?2) as first,
				(select max(time) from readings where series = id and time >= ?1 and time < ?2) as last from series)
			where first is not null group by name order by name`, store.Nanos(from), store.Nanos(to))
		return err
	})
	return out, err
}

// inOneState runs fn on one state of the file.
func (s *series) inOneState(ctx context.Context, what string, fn func(context.Context, *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer tx.Rollback()
	if err := fn(ctx, tx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func list[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
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
