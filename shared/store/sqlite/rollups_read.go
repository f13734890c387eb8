package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

const rowsInCall = 10_000 // rows that a caller gets at once

// eachNumber calls fn, in one read transaction, with each numeric field that q asks for.
func (s *series) eachNumber(ctx context.Context, what string, q store.Query, fn func(context.Context, *sql.Tx, storedSeries, column) error) error {
	return s.inSnapshot(ctx, what+q.Name, func(ctx context.Context, tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, q.Name, q.Tags)
		if err != nil {
			return err
		}
		for _, l := range all {
			for _, c := range l.columns {
				if c.text || len(q.Fields) > 0 && !slices.Contains(q.Fields, c.name) {
					continue
				}
				if err := fn(ctx, tx, l, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// inParts calls fn with the rows of a query, at most rowsInCall at once.
func inParts[T any](ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) (T, error), fn func([]T) error, text string, args ...any) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var part []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return err
		}
		if part = append(part, v); len(part) < rowsInCall {
			continue
		}
		if err := fn(part); err != nil {
			return err
		}
		part = nil // fn may keep the rows
	}
	if err := rows.Err(); err != nil || len(part) == 0 {
		return err
	}
	return fn(part)
}

// ReadRollups reads field by field.
func (s *series) ReadRollups(ctx context.Context, resolution time.Duration, q store.Query, fn func(map[string]string, string, []store.Rollup) error) error {
	table, err := rollupTable(resolution)
	if err != nil {
		return err
	}
	return s.eachNumber(ctx, "read roll-ups of ", q, func(ctx context.Context, tx *sql.Tx, l storedSeries, c column) error {
		return inParts(ctx, tx, scanRollup, func(rows []store.Rollup) error { return fn(l.tags, c.name, rows) },
			`select start, sum, min, max, last, count, suspect from `+table+` where field = ? and start >= ? and start < ? order by start`,
			c.id, store.Nanos(q.From), store.Nanos(q.To))
	})
}

func scanRollup(rows *sql.Rows) (r store.Rollup, err error) {
	var start int64
	err = rows.Scan(&start, &r.Sum, &r.Min, &r.Max, &r.Last, &r.Count, &r.Suspect)
	r.Start = time.Unix(0, start).UTC()
	return r, err
}

// AggregateRollups computes the windows in the database. A calendar day in which the
// zone's clocks change comes as two windows.
func (s *series) AggregateRollups(ctx context.Context, resolution time.Duration, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
	table, err := rollupTable(resolution)
	if err != nil {
		return err
	}
	return s.eachNumber(ctx, "read windows of ", q, func(ctx context.Context, tx *sql.Tx, l storedSeries, c column) error {
		ws, err := c.rolledWindows(ctx, tx, table, q)
		if len(ws) == 0 || err != nil {
			return err
		}
		return fn(l.tags, c.name, ws)
	})
}

// rolledWindows computes the windows of one field in one statement, for calendar days in
// one for each span without a change of the zone's clocks.
func (c column) rolledWindows(ctx context.Context, tx *sql.Tx, table string, q store.Query) ([]store.Window, error) {
	var first, last sql.NullInt64
	if err := tx.QueryRowContext(ctx, `select (select start from `+table+` where field = ?1 and start >= ?2 and start < ?3 order by start limit 1),
		(select start from `+table+` where field = ?1 and start >= ?2 and start < ?3 order by start desc limit 1)`,
		c.id, store.Nanos(q.From), store.Nanos(q.To)).Scan(&first, &last); err != nil || !first.Valid {
		return nil, err
	}
	var out []store.Window
	for _, g := range grids(q, first.Int64, last.Int64+1) {
		ws, err := store.Rows(ctx, tx, func(rows *sql.Rows) (w store.Window, err error) {
			var n, suspect int64
			err = rows.Scan(&n, &w.Mean, &w.Min, &w.Max, &w.Count, &suspect, &w.Last)
			w.Start, _ = q.Window(time.Unix(0, max(g.from, g.start+n*int64(q.Step))))
			if q.Suspects {
				w.Suspect = int(suspect)
			}
			return w, err
		}, `select n, mean, least, most, count, suspect, (select last from `+table+` where field = ?1 and start = newest) from (
				select (start - ?4) / ?5 as n, sum(sum) / sum(count) as mean, min(min) as least, max(max) as most, sum(count) as count, sum(suspect) as suspect,
					max(start) as newest
				from `+table+` where field = ?1 and start >= ?2 and start < ?3 group by n) order by n`,
			c.id, g.from, g.to, g.start, int64(q.Step))
		if err != nil {
			return nil, err
		}
		out = append(out, ws...)
	}
	return out, nil
}

// grid is a span in which the windows of a query are equally long. Times are in unix
// nanoseconds.
type grid struct {
	from, to int64
	start    int64 // of the window that contains from, if it were as long as the others
}

// grids divides a span into grids: where windows are calendar days, at the changes of the
// zone's clocks.
func grids(q store.Query, from, to int64) (out []grid) {
	if q.Step < 24*time.Hour {
		start, _ := q.Window(time.Unix(0, from))
		return []grid{{from, to, start.UnixNano()}}
	}
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	for from < to {
		at := time.Unix(0, from).In(zone)
		_, seconds := at.Zone()
		shift := int64(time.Duration(seconds)*time.Second + 3*24*time.Hour) // windows begin at midnight, weeks on Monday, as 1969-12-29
		in := (from + shift) % int64(q.Step)
		if in < 0 {
			in += int64(q.Step)
		}
		g := grid{from, to, from - in}
		if _, end := at.ZoneBounds(); !end.IsZero() && end.Before(time.Unix(0, to)) {
			g.to = end.UnixNano()
		}
		out, from = append(out, g), g.to
	}
	return out
}

// ValuesIn reads field by field, all spans in one statement: its outer loop is over the
// spans, so that the values come in order.
func (s *series) ValuesIn(ctx context.Context, q store.Query, spans []store.TimeSpan, fn func(map[string]string, string, []store.Value) error) error {
	list := make([][2]int64, len(spans))
	for i, span := range spans {
		list[i] = [2]int64{store.Nanos(span.From), store.Nanos(span.To)}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return s.eachNumber(ctx, "read values of ", q, func(ctx context.Context, tx *sql.Tx, l storedSeries, c column) error {
		return inParts(ctx, tx, scanValue, func(values []store.Value) error { return fn(l.tags, c.name, values) },
			`select p.time, p.value from json_each(?) s cross join points p where p.field = ? and p.time >= s.value ->> 0 and p.time < s.value ->> 1`, string(text), c.id)
	})
}

// ReadingsAreFaster is false: a span costs ValuesIn little more than its values.
func (*series) ReadingsAreFaster(context.Context, time.Duration, store.Query, int) (bool, error) {
	return false, nil
}

func scanValue(rows *sql.Rows) (v store.Value, err error) {
	var nanos int64
	err = rows.Scan(&nanos, &v.V)
	v.Time = time.Unix(0, nanos).UTC()
	return v, err
}
