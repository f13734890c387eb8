package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// copier copies the rows of a table, in the order of its key, and steps over those that
// cannot be read.
type copier struct {
	from, to *sql.DB
	table
	rows int64
	gaps int
}

// spans copies the rows of each value of the column outer.
func (c *copier) spans(ctx context.Context, outer string) error {
	first := fmt.Sprintf(`select %s from %s where %[1]s > $1 order by %[1]s limit 1`, outer, c.name)
	for at := int64(math.MinInt64); ; {
		v, ok, err := firstOf(ctx, c.from, first, at)
		if err != nil {
			if lost(err) != nil || ctx.Err() != nil {
				return err
			}
			c.gaps++
			if at, ok = c.stepOver(ctx, at, first); !ok {
				return ctx.Err()
			}
			continue
		}
		if !ok {
			return nil
		}
		if err := c.span(ctx, fmt.Sprintf("%s = %d", outer, v)); err != nil {
			return err
		}
		at = v
	}
}

// span copies the rows that a condition selects.
func (c *copier) span(ctx context.Context, where string) error {
	next := fmt.Sprintf(`select %s from %s where %s and %[1]s > $1 order by %[1]s limit 1`, c.key, c.name, where)
	for at := int64(math.MinInt64); ; {
		last, err := c.copyAfter(ctx, where, at)
		if err == nil || lost(err) != nil || ctx.Err() != nil {
			return err
		}
		c.gaps++
		var ok bool
		if at, ok = c.stepOver(ctx, last, next); !ok {
			return ctx.Err()
		}
	}
}

// stepOver returns the smallest key after at behind which query, "the next key after $1", can
// be read again; ok is false if there is none. It takes steps that double, and then halves
// the last one.
func (c *copier) stepOver(ctx context.Context, at int64, query string) (after int64, ok bool) {
	good := func(k int64) bool { _, _, err := firstOf(ctx, c.from, query, k); return err == nil }
	low, step := at, int64(1)
	for {
		if low > math.MaxInt64-step {
			return 0, false
		}
		if ctx.Err() != nil {
			return 0, false
		}
		if good(low + step) {
			break
		}
		low += step
		if step <= math.MaxInt64/2 {
			step *= 2
		}
	}
	high := low + step
	for high-low > 1 {
		if middle := low + (high-low)/2; good(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, true
}

// copyAfter copies the rows with keys after at, in order, until one cannot be read. It
// returns the key of the last row copied, or at.
func (c *copier) copyAfter(ctx context.Context, where string, at int64) (last int64, err error) {
	columns := strings.Join(c.columns, ", ")
	rows, err := c.from.QueryContext(ctx, fmt.Sprintf(`select %s, %s from %s where %s and %[1]s > $1 order by %[1]s`, c.key, columns, c.name, where), at)
	if err != nil {
		return at, err
	}
	defer rows.Close()
	tx, err := c.to.BeginTx(ctx, nil)
	if err != nil {
		return at, err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf(`insert or ignore into %s (%s) values (?%s)`, c.name, columns, strings.Repeat(", ?", len(c.columns)-1)))
	if err != nil {
		return at, err
	}
	defer insert.Close()
	values, into := make([]any, len(c.columns)), []any{&at}
	for i := range values {
		into = append(into, &values[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return at, err
		}
		if !c.plausible(values) {
			c.gaps++
			continue
		}
		r, err := insert.ExecContext(ctx, values...)
		if err != nil {
			return at, fmt.Errorf("write: %w", err)
		}
		n, _ := r.RowsAffected() // SQLite always knows
		c.rows += n
	}
	err = rows.Err()
	if e := tx.Commit(); e != nil {
		return at, fmt.Errorf("write: %w", e)
	}
	return at, err
}

// plausible reports whether the values have the types of their columns: SQLite notices no
// damage within a row.
func (c *copier) plausible(values []any) bool {
	for i, v := range values {
		ok := true
		switch v := v.(type) {
		case int64, bool, time.Time:
			ok = c.types[i] != "text" && c.types[i] != "blob"
		case float64:
			ok = c.types[i] == "real" && !math.IsNaN(v) && !math.IsInf(v, 0)
		case string:
			ok = c.types[i] == "text" && utf8.ValidString(v)
		case []byte:
			ok = c.types[i] == "blob"
		}
		if !ok {
			return false
		}
	}
	return true
}
