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

const (
	rowsAtOnce = 64      // rows in one insert statement, at most
	maxKnown   = 200_000 // fields whose ids are cached: beyond it the cache begins anew
)

// field is the key of one field of a series. Its values are numbers, or texts.
type field struct {
	series int64
	name   string
	text   bool
}

// ids caches the row ids of series and fields.
type ids struct {
	series map[string]int64 // by reading.Series
	fields map[field]int64
}

func newIDs() ids { return ids{map[string]int64{}, map[field]int64{}} }

// add copies the ids of more.
func (i ids) add(more ids) {
	if len(i.fields)+len(more.fields) > maxKnown || len(i.series)+len(more.series) > maxKnown {
		clear(i.series)
		clear(i.fields)
	}
	maps.Copy(i.series, more.series)
	maps.Copy(i.fields, more.fields)
}

// value is a row of the table points or texts; time is in unix nanoseconds.
type value[V float64 | string] struct {
	field, time int64
	v           V
}

// put writes the readings. known has the ids of committed rows; put adds to fresh the
// ids of rows that this transaction inserts.
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

// putValues writes the values in the order of the table's key, which keeps the pages
// of the file full. Of two values with the same key the later wins.
func putValues[V float64 | string](ctx context.Context, tx *sql.Tx, table string, values []value[V]) error {
	slices.SortStableFunc(values, func(a, b value[V]) int { return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.time, b.time)) })
	return insertRows(ctx, tx, `insert into `+table+` (field, time, value)`, 3, `on conflict (field, time) do update set value = excluded.value`,
		len(values), func(args []any, i int) []any { return append(args, values[i].field, values[i].time, values[i].v) })
}

// insertRows writes rows of some columns in statements that begin and end with texts. add
// appends the values of a row.
func insertRows(ctx context.Context, tx *sql.Tx, begin string, columns int, end string, rows int, add func(args []any, row int) []any) error {
	one := `(?` + strings.Repeat(`,?`, columns-1) + `)`
	args := make([]any, 0, columns*rowsAtOnce)
	for at := 0; at < rows; {
		n := rowsAtOnce
		for n > rows-at {
			n /= 2 // few distinct sizes: each is a statement that is compiled once
		}
		args = args[:0]
		for i := range n {
			args = add(args, at+i)
		}
		if _, err := tx.ExecContext(ctx, begin+` values `+one+strings.Repeat(`,`+one, n-1)+` `+end, args...); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// seriesID returns the id of r's series and inserts the series if it is new.
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

// fieldID returns the id of the field and inserts the field if it is new.
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

// idOf returns the id that the statement find selects. If there is no row, it returns
// the id of the row that insert inserts.
func idOf(ctx context.Context, tx *sql.Tx, find string, findArgs []any, insert string, insertArgs []any) (id int64, err error) {
	err = tx.QueryRowContext(ctx, find, findArgs...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, insert, insertArgs...).Scan(&id)
	}
	return id, err
}
