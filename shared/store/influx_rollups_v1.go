package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// statementsAtOnce is the number of statements in one request.
const statementsAtOnce = 500

// readableV1 returns an error unless the database has the retention policy of the bucket
// and no other.
func (i *influx) readableV1(ctx context.Context) error {
	db, policy, _ := strings.Cut(i.bucket, "/")
	var policies []string
	if err := influxQL(ctx, i, "read the retention policies of "+db, "s", `SHOW RETENTION POLICIES ON `+ident(db), func(t table[any]) error {
		for _, row := range t.Values {
			policies = append(policies, fmt.Sprint(row[:min(1, len(row))]...))
		}
		return nil
	}); err != nil {
		return err
	}
	if len(policies) != 1 || policy != "" && policies[0] != policy {
		return fmt.Errorf("the database %s has the retention policies %q, and hearth needs %q and no other: InfluxDB 1.x would delete in all of them", db, policies, policy)
	}
	return nil
}

// rolledV1 returns the fields of readings that have roll-ups in the bucket, limited to the
// query's fields.
func (i *influx) rolledV1(ctx context.Context, q Query) ([]string, error) {
	fields, err := i.numbersV1(ctx, Query{Name: q.Name})
	fields = slices.DeleteFunc(fields, func(f string) bool { return !strings.HasSuffix(f, ":count") || !q.wants(rolledField(f)) })
	for n, f := range fields {
		fields[n] = rolledField(f)
	}
	return fields, err
}

// columns returns what a statement selects of each field. format has %[1]s in the place of
// the field.
func columns(fields []string, format string) string {
	out := make([]string, len(fields))
	for n, f := range fields {
		out[n] = fmt.Sprintf(format, predicate.Replace(f))
	}
	return strings.Join(out, ",")
}

// The columns of roll-ups that rollupsOf reads, and how many they are.
const (
	rollupColumns    = `"%[1]s:sum","%[1]s:min","%[1]s:max","%[1]s:last","%[1]s:count","%[1]s:suspect"`
	aggregateColumns = `sum("%[1]s:sum"),min("%[1]s:min"),max("%[1]s:max"),last("%[1]s:last"),sum("%[1]s:count"),sum("%[1]s:suspect")`
	columnsOfRollup  = 6
)

// readRollupsV1 reads rows by InfluxQL.
func (i *influx) readRollupsV1(ctx context.Context, q Query, fn func(map[string]string, string, []Rollup) error) error {
	fields, err := i.rolledV1(ctx, q)
	if err != nil {
		return err
	}
	for group := range slices.Chunk(fields, fieldsAtOnce) {
		text := fmt.Sprintf(`SELECT %s FROM %s%s GROUP BY *`, columns(group, rollupColumns), i.from(q.Name), where(q.Tags, q.From, q.To))
		if err := influxQL(ctx, i, "read roll-ups of "+q.Name, "s", text, func(t table[*float64]) error {
			return eachField(t, q, group, columnsOfRollup, func(field string, column int) error {
				rows, err := rollupsOf(t.Values, column)
				if err != nil || len(rows) == 0 {
					return err
				}
				return fn(t.Tags, field, rows)
			})
		}); err != nil {
			return err
		}
	}
	return nil
}

// eachField calls fn for each field of a table whose columns are a time and some of each
// field, unless the table is of another series than the query's.
func eachField[T any](t table[T], q Query, fields []string, columns int, fn func(field string, column int) error) error {
	maps.DeleteFunc(t.Tags, func(_, v string) bool { return v == "" }) // GROUP BY returns "" for a tag that the series does not have
	if !matches(t.Tags, q.Tags) {
		return nil
	}
	for _, row := range t.Values {
		if len(row) != 1+columns*len(fields) {
			return fmt.Errorf("a row of %d columns", len(row))
		}
	}
	for n, f := range fields {
		if err := fn(f, 1+columns*n); err != nil {
			return err
		}
	}
	return nil
}

// rollupsOf reads the rows of a field from its columns, which begin at column.
func rollupsOf(rows [][]*float64, column int) ([]Rollup, error) {
	var out []Rollup
	for _, row := range rows {
		v := row[column : column+columnsOfRollup]
		if v[4] == nil || *v[4] == 0 {
			continue // only other fields have values at this time
		}
		if row[0] == nil || slices.Contains(v[:4], nil) {
			return nil, errIncomplete
		}
		r := Rollup{Start: time.Unix(int64(*row[0]), 0).UTC(), Sum: *v[0], Min: *v[1], Max: *v[2], Last: *v[3], Count: int(*v[4])}
		if v[5] != nil {
			r.Suspect = int(*v[5])
		}
		out = append(out, r)
	}
	return out, nil
}

var errIncomplete = errors.New("a roll-up without a sum, minimum, maximum or last value")

// stretch is a part of a query's span in which windows are of equal length.
type stretch struct {
	from, to     time.Time
	step, offset time.Duration // windows begin at offset after a multiple of step
}

// stretches divides the query's span. For calendar days, each stretch is between two
// changes of the zone's clocks, and its windows are days.
func (q Query) stretches() []stretch {
	if q.Step < day {
		return []stretch{{q.From, q.To, q.Step, 0}}
	}
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	var out []stretch
	for from := q.From; from.Before(q.To); {
		local := from.In(zone)
		to := q.To
		if _, end := local.ZoneBounds(); !end.IsZero() && end.Before(to) {
			to = end.UTC()
		}
		_, seconds := local.Zone()
		const inDay = int(day / time.Second)
		out = append(out, stretch{from, to, day, time.Duration(((-seconds%inDay)+inDay)%inDay) * time.Second})
		from = to
	}
	return out
}

// aggregateRollupsV1 computes windows by InfluxQL, days directly.
func (i *influx) aggregateRollupsV1(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	fields, err := i.rolledV1(ctx, q)
	if err != nil {
		return err
	}
	for group := range slices.Chunk(fields, fieldsAtOnce) {
		for stretches := range slices.Chunk(q.stretches(), statementsAtOnce) {
			var text strings.Builder
			for _, s := range stretches {
				fmt.Fprintf(&text, "SELECT %s FROM %s%s GROUP BY time(%ds,%ds),* fill(none);", columns(group, aggregateColumns), i.from(q.Name),
					where(q.Tags, s.from, s.to), s.step/time.Second, s.offset/time.Second)
			}
			if err := influxQL(ctx, i, "read windows of "+q.Name, "s", text.String(), func(t table[*float64]) error {
				return eachField(t, q, group, columnsOfRollup, func(field string, column int) error {
					rows, err := rollupsOf(t.Values, column)
					if err != nil || len(rows) == 0 {
						return err
					}
					return fn(t.Tags, field, q.windowsOf(rows, stretches[t.Statement%len(stretches)]))
				})
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// windowsOf returns sums of roll-ups as windows. A day that a change of the clocks cuts
// begins with its stretch.
func (q Query) windowsOf(rows []Rollup, s stretch) []Window {
	out := make([]Window, len(rows))
	for n, r := range rows {
		if q.Step >= day && r.Start.Before(s.from) {
			r.Start = s.from
		}
		out[n] = Window{Start: r.Start, Mean: r.Sum / float64(r.Count), Min: r.Min, Max: r.Max, Last: r.Last, Count: r.Count}
		if q.Suspects {
			out[n].Suspect = r.Suspect
		}
	}
	return out
}
