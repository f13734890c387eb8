package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// ReadyForRollups returns nil: the file has their tables.
func (s *series) ReadyForRollups(context.Context) error { return nil }

// RollupNames returns the measurements that have rows in the table of a resolution.
func (s *series) RollupNames(ctx context.Context, resolution time.Duration) (names []string, err error) {
	table, err := rollupTable(resolution)
	if err != nil {
		return nil, err
	}
	err = s.inSnapshot(ctx, "read which measurements have roll-ups", func(ctx context.Context, tx *sql.Tx) (err error) {
		names, err = store.Rows(ctx, tx, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) },
			`select distinct s.name from fields f join series s on s.id = f.series where exists (select 1 from `+table+` r where r.field = f.id)`)
		return err
	})
	return names, err
}

// rollupTable returns the table of the roll-ups of a resolution.
func rollupTable(resolution time.Duration) (string, error) {
	switch resolution {
	case store.FiveMinutes:
		return "rollups_5m", nil
	case store.Hour:
		return "rollups_1h", nil
	}
	return "", fmt.Errorf("there are no roll-ups of %s", resolution)
}

// rollups are rows to be written.
type rollups struct {
	table string
	all   []fieldRollups
}

// fieldRollups are the rows of one field.
type fieldRollups struct {
	series reading.Reading // of which name and tags count
	field  string
	rows   []store.Rollup
}

// WriteRollups stores the rows in one transaction.
func (s *series) WriteRollups(ctx context.Context, resolution time.Duration, name string, all []store.RollupSeries) error {
	table, err := rollupTable(resolution)
	if err != nil {
		return err
	}
	w := &rollups{table: table}
	for _, a := range all {
		f, err := normalRollups(name, a)
		if err != nil {
			return fmt.Errorf("write roll-ups of %s: %w: %w", name, store.ErrUnstorable, err)
		}
		if len(f.rows) > 0 {
			w.all = append(w.all, f)
		}
	}
	if len(w.all) == 0 {
		return nil
	}
	if err := s.group.do(ctx, &call{rollups: w}, s.commit); err != nil {
		return fmt.Errorf("write roll-ups of %s: %w", name, err)
	}
	return nil
}

// normalRollups returns the rows with the names that readings of the series are stored with.
func normalRollups(name string, a store.RollupSeries) (fieldRollups, error) {
	f := fieldRollups{rows: a.Rows}
	for i, r := range a.Rows {
		if nanos := store.Nanos(r.Start); nanos == math.MinInt64 || nanos == math.MaxInt64 ||
			math.IsNaN(r.Sum) || math.IsNaN(r.Min) || math.IsNaN(r.Max) || math.IsNaN(r.Last) || r.Count <= 0 {
			return f, fmt.Errorf("the roll-up of %q is %v", a.Field, r)
		}
		if i > 0 {
			continue
		}
		one, err := store.Normal([]reading.Reading{{Name: name, Tags: a.Tags, Fields: map[string]float64{a.Field: 0}, Time: r.Start}})
		if err != nil {
			return f, err
		}
		f.series = one[0]
		for field := range one[0].Fields {
			f.field = field
		}
	}
	return f, nil
}

// rollup is a row of a table of roll-ups.
type rollup struct {
	field, start int64 // start is in unix nanoseconds
	store.Rollup
}

// putRollups writes the rows in the order of the table's key. known and fresh are as in put.
func putRollups(ctx context.Context, tx *sql.Tx, w *rollups, known, fresh ids) error {
	var rows []rollup
	for _, f := range w.all {
		series, err := seriesID(ctx, tx, f.series, known, fresh)
		if err != nil {
			return err
		}
		id, err := fieldID(ctx, tx, field{series, f.field, false}, known, fresh)
		if err != nil {
			return err
		}
		for _, r := range f.rows {
			rows = append(rows, rollup{id, r.Start.UnixNano(), r})
		}
	}
	slices.SortStableFunc(rows, func(a, b rollup) int { return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.start, b.start)) })
	return insertRows(ctx, tx, `insert into `+w.table+` (field, start, sum, min, max, last, count, suspect)`, 8,
		`on conflict (field, start) do update set sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
			count = excluded.count, suspect = excluded.suspect`,
		len(rows), func(args []any, i int) []any {
			r := rows[i]
			return append(args, r.field, r.start, r.Sum, r.Min, r.Max, r.Last, r.Count, r.Suspect)
		})
}

// DeleteRollups deletes field by field, in batches.
func (s *series) DeleteRollups(ctx context.Context, resolution time.Duration, name string, tags map[string]string, from, to time.Time) error {
	table, err := rollupTable(resolution)
	if err != nil {
		return err
	}
	return s.deleteRows(ctx, "delete roll-ups of "+name, name, tags, from, to, func(c column) rowsOf {
		if c.text {
			return rowsOf{}
		}
		return rowsOf{table, "start", c.id}
	})
}
