package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cell is a number of an answer, or none. Times in nanoseconds do not fit in a float64.
type cell struct {
	n  int64
	v  float64
	ok bool
}

// UnmarshalJSON reads a JSON number or null.
func (c *cell) UnmarshalJSON(b []byte) (err error) {
	if *c = (cell{}); string(b) == "null" {
		return nil
	}
	c.ok = true
	if c.n, err = strconv.ParseInt(string(b), 10, 64); err == nil {
		c.v = float64(c.n)
		return nil
	}
	c.v, err = strconv.ParseFloat(string(b), 64)
	return err
}

// readingsPerStatement is how many readings InfluxDB 1.8 aggregates in the time that one
// more statement takes for each series, however few values it reads: 0.45 ms of CPU for
// 1,000 readings, 0.7 ms for a series of a statement.
const readingsPerStatement = 1500

// readingsAreFasterV1 compares the number of readings with that of ValuesIn's statements.
func (i *influx) readingsAreFasterV1(ctx context.Context, q Query, spans int) (bool, error) {
	fields, err := i.rolledV1(ctx, q)
	if err != nil {
		return false, err
	}
	readings, statements := 0.0, 0.0
	for group := range slices.Chunk(fields, fieldsAtOnce) {
		text := fmt.Sprintf(`SELECT %s FROM %s%s GROUP BY *`, columns(group, `sum("%[1]s:count")`), i.from(q.Name), where(q.Tags, q.From, q.To))
		if err := influxQL(ctx, i, "count readings of "+q.Name, "s", text, func(t table[float64]) error {
			statements += float64(spans)
			for _, row := range t.Values {
				for _, n := range row[min(1, len(row)):] {
					readings += n
				}
			}
			return nil
		}); err != nil {
			return false, err
		}
	}
	return readings <= statements*readingsPerStatement, nil
}

// bySeriesV1 returns the clause that divides the rows of the measurement by series. InfluxDB
// 1.8 needs a third less time for a short span by the names of tags than by *.
func (i *influx) bySeriesV1(ctx context.Context, name string) (string, error) {
	var keys []string
	err := influxQL(ctx, i, "read the tags of "+name, "s", `SHOW TAG KEYS FROM `+i.from(name), func(t table[string]) error {
		for _, row := range t.Values {
			for _, key := range row {
				keys = append(keys, ident(key))
			}
		}
		return nil
	})
	if len(keys) == 0 {
		return "", err
	}
	return " GROUP BY " + strings.Join(keys, ","), err
}

// valuesInV1 reads values by InfluxQL, with a statement for each span.
func (i *influx) valuesInV1(ctx context.Context, q Query, spans []TimeSpan, fn func(map[string]string, string, []Value) error) error {
	fields, err := i.numbersV1(ctx, q)
	if err != nil {
		return err
	}
	bySeries, err := i.bySeriesV1(ctx, q.Name)
	if err != nil {
		return err
	}
	total := 0
	for group := range slices.Chunk(fields, fieldsAtOnce) {
		for some := range slices.Chunk(spans, statementsAtOnce) {
			var text strings.Builder
			for _, s := range some {
				fmt.Fprintf(&text, "SELECT %s FROM %s%s%s;", columns(group, `"%[1]s"`), i.from(q.Name), where(q.Tags, s.From, s.To), bySeries)
			}
			if err := influxQL(ctx, i, "read values of "+q.Name, "ns", text.String(), func(t table[cell]) error {
				if total += len(t.Values) * len(group); total > maxValues {
					return fmt.Errorf("%w: more than %d values", ErrTooMany, maxValues)
				}
				return eachField(t, q, group, 1, func(field string, column int) error {
					if values := valuesOf(t.Values, column); len(values) > 0 {
						return fn(t.Tags, field, values)
					}
					return nil
				})
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

func valuesOf(rows [][]cell, column int) []Value {
	out := make([]Value, 0, len(rows))
	for _, row := range rows {
		if c := row[column]; c.ok {
			out = append(out, Value{time.Unix(0, row[0].n).UTC(), c.v})
		}
	}
	return out
}
