package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// manyWindows is the number of windows from which one grouping statement is faster
// than a statement for each window.
const manyWindows = 5000

// Aggregate computes the windows in the database.
func (s *series) Aggregate(ctx context.Context, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
	return s.inSnapshot(ctx, "read windows of "+q.Name, func(ctx context.Context, tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, q.Name, q.Tags)
		if err != nil {
			return err
		}
		for _, l := range all {
			for _, c := range l.columns {
				if c.text || len(q.Fields) > 0 && !slices.Contains(q.Fields, c.name) {
					continue
				}
				ws, err := c.windows(ctx, tx, q)
				if err != nil {
					return err
				}
				if len(ws) == 0 {
					continue
				}
				if err := fn(l.tags, c.name, ws); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// windows computes one window after the other, and skips those without a value. It
// groups all rows in one statement instead if q has many windows shorter than a day.
func (c column) windows(ctx context.Context, tx *sql.Tx, q store.Query) ([]store.Window, error) {
	if q.Step < 24*time.Hour && q.To.Sub(q.From)/q.Step > manyWindows {
		return c.groupedWindows(ctx, tx, q)
	}
	var out []store.Window
	for from, to := store.Nanos(q.From), store.Nanos(q.To); ; {
		next, err := store.Rows(ctx, tx, func(rows *sql.Rows) (t int64, err error) { return t, rows.Scan(&t) },
			`select time from points where field = ? and time >= ? and time < ? order by time limit 1`, c.id, from, to)
		if len(next) == 0 || err != nil {
			return out, err
		}
		start, end := q.Window(time.Unix(0, next[0]))
		until := min(end.UnixNano(), to)
		w := store.Window{Start: start}
		var newest int64
		if err := tx.QueryRowContext(ctx, `select avg(value), min(value), max(value), count(*), max(time) from points where field = ? and time >= ? and time < ?`,
			c.id, next[0], until).Scan(&w.Mean, &w.Min, &w.Max, &w.Count, &newest); err != nil {
			return nil, err
		}
		if err := tx.QueryRowContext(ctx, `select value from points where field = ? and time = ?`, c.id, newest).Scan(&w.Last); err != nil {
			return nil, err
		}
		out, from = append(out, w), until
	}
}

// groupedWindows computes all windows in one statement. It numbers them from the window
// that contains From, because integer division rounds negative numbers towards zero.
func (c column) groupedWindows(ctx context.Context, tx *sql.Tx, q store.Query) ([]store.Window, error) {
	start, _ := q.Window(q.From)
	first, step := start.UnixNano(), int64(q.Step)
	return store.Rows(ctx, tx, func(rows *sql.Rows) (w store.Window, err error) {
		var n int64
		err = rows.Scan(&n, &w.Mean, &w.Min, &w.Max, &w.Count, &w.Last)
		w.Start = time.Unix(0, first+n*step).UTC()
		return w, err
	}, `select n, mean, least, most, count, (select value from points where field = ?1 and time = newest) from (
			select (time - ?4) / ?5 as n, avg(value) as mean, min(value) as least, max(value) as most, count(*) as count, max(time) as newest
			from points where field = ?1 and time >= ?2 and time < ?3 group by n) order by n`,
		c.id, store.Nanos(q.From), store.Nanos(q.To), first, step)
}

// Extents returns the measurements that have readings in a span, by name.
func (s *series) Extents(ctx context.Context, from, to time.Time) ([]store.Extent, error) {
	var out []store.Extent
	err := s.inSnapshot(ctx, "read the extents of the measurements", func(ctx context.Context, tx *sql.Tx) (err error) {
		out, err = store.Rows(ctx, tx, func(rows *sql.Rows) (e store.Extent, err error) {
			var first, last int64
			err = rows.Scan(&e.Name, &first, &last)
			e.First, e.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
			return e, err
		}, `select name, min(first), max(last) from (
				select s.name,
					(select min(time) from points where field = f.id and time >= ?1 and time < ?2) as first,
					(select max(time) from points where field = f.id and time >= ?1 and time < ?2) as last
				from fields f join series s on s.id = f.series where not is_text
				union all select s.name,
					(select min(time) from texts where field = f.id and time >= ?1 and time < ?2),
					(select max(time) from texts where field = f.id and time >= ?1 and time < ?2)
				from fields f join series s on s.id = f.series where is_text)
			where first is not null group by name order by name`, store.Nanos(from), store.Nanos(to))
		return err
	})
	return out, err
}

// inSnapshot runs fn in a read transaction, which sees one state of the file. what
// names the call in errors.
func (s *series) inSnapshot(ctx context.Context, what string, fn func(context.Context, *sql.Tx) error) error {
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
