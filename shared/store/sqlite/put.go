package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/reading"
)

const rowsAtOnce = 64 // of one insert statement

// field is one field of a series: a line of numbers, or of texts.
type field struct {
	series int64
	name   string
	text   bool
}

// ids are the numbers of series and fields.
type ids struct {
	series map[string]int64 // by reading.Series
	fields map[field]int64
}

func newIDs() ids { return ids{map[string]int64{}, map[field]int64{}} }

// add takes over what another has.
func (i ids) add(more ids) {
	maps.Copy(i.series, more.series)
	maps.Copy(i.fields, more.fields)
}

// value is a row of points or texts.
type value[V float64 | string] struct {
	field, time int64
	v           V
}

// put writes the readings. known are the numbers of what is committed, fresh of
// what this transaction adds.
func put(ctx context.Context, tx *sql.Tx, rs []reading.Reading, known, fresh ids) error {
	numbers, texts := make([]value[float64], 0, 3*len(rs)), []value[string](nil)
	for _, r := range rs {
		series, err := seriesID(ctx, tx, r, known, fresh)
		if err != nil {
			return err
		}
		at := r.Time.UnixNano()
		for k, v := range r.Fields {
			id, err := fieldID(ctx, tx, field{series, k, false}, known, fresh)
			if err != nil {
				return err
			}
			numbers = append(numbers, value[float64]{id, at, v})
		}
		for k, v := range r.Text {
			id, err := fieldID(ctx, tx, field{series, k, true}, known, fresh)
			if err != nil {
				return err
			}
			texts = append(texts, value[string]{id, at, v})
		}
	}
	if err := putValues(ctx, tx, "points", numbers); err != nil {
		return err
	}
	return putValues(ctx, tx, "texts", texts)
}

// putValues writes the rows in the order that they have in the table, which
// keeps its pages full. Of two of one place the later wins.
func putValues[V float64 | string](ctx context.Context, tx *sql.Tx, table string, values []value[V]) error {
	slices.SortStableFunc(values, func(a, b value[V]) int { return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.time, b.time)) })
	args := make([]any, 0, 3*rowsAtOnce)
	for len(values) > 0 {
		n := rowsAtOnce
		for n > len(values) {
			n /= 2 // few sizes, so that each is compiled once
		}
		args = args[:0]
		for _, v := range values[:n] {
			args = append(args, v.field, v.time, v.v)
		}
		if _, err := tx.ExecContext(ctx, `insert into `+table+` (field, time, value) values (?,?,?)`+strings.Repeat(`,(?,?,?)`, n-1)+
			` on conflict (field, time) do update set value = excluded.value`, args...); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// seriesID returns the number of r's series, writing the series if it is new.
func seriesID(ctx context.Context, tx *sql.Tx, r reading.Reading, known, fresh ids) (int64, error) {
	key := r.Series()
	if id, ok := known.series[key]; ok {
		return id, nil
	}
	if id, ok := fresh.series[key]; ok {
		return id, nil
	}
	tags, err := json.Marshal(r.Tags)
	if err != nil {
		return 0, err
	}
	if len(r.Tags) == 0 {
		tags = []byte("{}")
	}
	id, err := idOf(ctx, tx, `select id from series where key = ?`, []any{key},
		`insert into series (name, key, tags) values (?, ?, ?) returning id`, []any{r.Name, key, string(tags)})
	fresh.series[key] = id
	return id, err
}

func fieldID(ctx context.Context, tx *sql.Tx, f field, known, fresh ids) (int64, error) {
	if id, ok := known.fields[f]; ok {
		return id, nil
	}
	if id, ok := fresh.fields[f]; ok {
		return id, nil
	}
	args := []any{f.series, f.name, f.text}
	id, err := idOf(ctx, tx, `select id from fields where series = ? and name = ? and is_text = ?`, args,
		`insert into fields (series, name, is_text) values (?, ?, ?) returning id`, args)
	fresh.fields[f] = id
	return id, err
}

// idOf finds a row or makes it.
func idOf(ctx context.Context, tx *sql.Tx, find string, findArgs []any, add string, addArgs []any) (id int64, err error) {
	err = tx.QueryRowContext(ctx, find, findArgs...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, add, addArgs...).Scan(&id)
	}
	return id, err
}
