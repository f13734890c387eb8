package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// InfluxDB 1.x answers InfluxQL about ten times faster than Flux: there, Flux reads
// every value, while 2.x aggregates in its storage engine.

// speaksInfluxQL reports whether the server is InfluxDB 1.x. It asks the server for its
// version at the first call and after a failed InfluxQL statement.
func (i *influx) speaksInfluxQL(ctx context.Context) (bool, error) {
	if v := i.version.Load(); v != nil {
		return strings.HasPrefix(strings.TrimPrefix(*v, "v"), "1."), nil
	}
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.server()+"/ping", nil)
	if err != nil {
		return false, err
	}
	var v string
	if err := i.client.HTTPService().DoHTTPRequest(req, nil, func(res *http.Response) error {
		v = res.Header.Get("X-Influxdb-Version")
		return res.Body.Close()
	}); err != nil {
		return false, i.failed("ask InfluxDB for its version", err)
	}
	i.version.Store(&v)
	return i.speaksInfluxQL(ctx)
}

func (i *influx) server() string { return strings.TrimSuffix(i.client.HTTPService().ServerURL(), "/") }

// table is one series of an answer. A long series comes in several tables.
type table[T any] struct {
	Statement int `json:"-"` // number of the statement that it answers, from 0
	Tags      map[string]string
	Values    [][]T // rows; the first column is the time, in the epoch's unit
}

// influxQL runs statements and calls fn for every table of the answer. epoch is the
// unit of times: "s" or "ns".
func influxQL[T any](ctx context.Context, i *influx, what, epoch, q string, fn func(table[T]) error) (err error) {
	defer func() {
		if err != nil {
			i.version.Store(nil) // the server may have been upgraded: ask for its version again
		}
	}()
	db, _, _ := strings.Cut(i.bucket, "/")
	form := url.Values{"db": {db}, "q": {q}, "epoch": {epoch}, "chunked": {"true"}}
	return i.post(ctx, what, i.server()+"/query", "application/x-www-form-urlencoded", form.Encode(), func(res *http.Response) error {
		for d := json.NewDecoder(res.Body); ; { // a chunked answer is a sequence of JSON objects
			var c answerChunk[T]
			if err := d.Decode(&c); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if err := c.each(fn); err != nil {
				return err
			}
		}
	})
}

// answerChunk is one JSON object of an answer.
type answerChunk[T any] struct {
	Error   string
	Results []struct {
		Statement int `json:"statement_id"`
		Error     string
		Series    []table[T]
	}
}

// each calls fn for every table of the chunk. It returns the chunk's or fn's error.
func (c answerChunk[T]) each(fn func(table[T]) error) error {
	if c.Error != "" {
		return errors.New(c.Error)
	}
	for _, r := range c.Results {
		if r.Error != "" {
			return errors.New(r.Error)
		}
		for _, t := range r.Series {
			t.Statement = r.Statement
			if err := fn(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// from returns the measurement's InfluxQL name. The bucket is "db" or "db/rp", a
// database and its retention policy.
func (i *influx) from(name string) string {
	if db, policy, ok := strings.Cut(i.bucket, "/"); ok && policy != "" {
		return ident(db) + "." + ident(policy) + "." + ident(name)
	}
	return ident(name)
}

// where returns an InfluxQL condition for the tags and the span.
func where(tags map[string]string, from, to time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, ` WHERE time >= %d AND time < %d`, clamp(from).UnixNano(), clamp(to).UnixNano())
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(&b, ` AND %s = '%s'`, ident(k), quoted.Replace(tags[k]))
	}
	return b.String()
}

func ident(s string) string { return `"` + predicate.Replace(s) + `"` }

var quoted = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`)

// numbersV1 returns the fields of the query's measurement that are numbers, limited to
// the query's fields.
func (i *influx) numbersV1(ctx context.Context, q Query) ([]string, error) {
	var out []string
	err := influxQL(ctx, i, "read the fields of "+q.Name, "s", `SHOW FIELD KEYS FROM `+i.from(q.Name), func(t table[string]) error {
		for _, row := range t.Values {
			if len(row) == 2 && (row[1] == "float" || row[1] == "integer") && q.wants(row[0]) {
				out = append(out, row[0])
			}
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// fieldsAtOnce is the number of fields in one statement. A row has five columns for
// each field, and most are empty if the devices have different fields.
const fieldsAtOnce = 20

// aggregateV1 computes the windows of a query by InfluxQL.
func (i *influx) aggregateV1(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	fields, err := i.numbersV1(ctx, q)
	for group := range slices.Chunk(fields, fieldsAtOnce) {
		if err == nil {
			err = i.windowsV1(ctx, q, group, fn)
		}
	}
	return err
}

// windowsV1 computes the windows of some fields in one statement.
func (i *influx) windowsV1(ctx context.Context, q Query, fields []string, fn func(map[string]string, string, []Window) error) error {
	columns := make([]string, len(fields))
	for n, f := range fields {
		columns[n] = fmt.Sprintf(`mean(%[1]s),min(%[1]s),max(%[1]s),last(%[1]s),count(%[1]s)`, ident(f))
	}
	text := fmt.Sprintf(`SELECT %s FROM %s%s GROUP BY time(%ds),* fill(none)`,
		strings.Join(columns, ","), i.from(q.Name), where(q.Tags, q.From, q.To), q.Step/time.Second)
	return influxQL(ctx, i, "read windows of "+q.Name, "s", text, func(t table[*float64]) error {
		maps.DeleteFunc(t.Tags, func(_, v string) bool { return v == "" }) // GROUP BY returns "" for a tag that the series does not have
		if !matches(t.Tags, q.Tags) {
			return nil
		}
		for n, f := range fields {
			ws, err := windowsOf(t.Values, 1+5*n)
			if err != nil || len(ws) == 0 {
				if err != nil {
					return err
				}
				continue
			}
			if err := fn(t.Tags, f, ws); err != nil {
				return err
			}
		}
		return nil
	})
}

// windowsOf reads the windows of a field from its five columns, which begin at column.
func windowsOf(rows [][]*float64, column int) ([]Window, error) {
	var out []Window
	for _, row := range rows {
		if len(row) < column+5 || row[0] == nil {
			return nil, fmt.Errorf("a row of %d columns", len(row))
		}
		v := row[column : column+5]
		if slices.Contains(v, nil) || *v[4] == 0 {
			continue // only other fields have values in this window, or its first is being written: InfluxDB reads each column for itself
		}
		out = append(out, Window{Start: time.Unix(int64(*row[0]), 0).UTC(), Mean: *v[0], Min: *v[1], Max: *v[2], Last: *v[3], Count: int(*v[4])})
	}
	return out, nil
}

// deleteV1 deletes by InfluxQL. It returns an error if the database has more than one
// retention policy: a DELETE cannot name a policy and deletes in all of them.
func (i *influx) deleteV1(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	policies := 0
	if err := influxQL(ctx, i, "read the retention policies", "s", `SHOW RETENTION POLICIES`, func(t table[any]) error {
		policies += len(t.Values)
		return nil
	}); err != nil {
		return err
	}
	if policies > 1 {
		return fmt.Errorf("delete readings of %s: the database of bucket %q has %d retention policies, and InfluxDB 1.x would delete in all of them: give hearth a database of its own", name, i.bucket, policies)
	}
	return influxQL(ctx, i, "delete readings of "+name, "s", `DELETE FROM `+ident(name)+where(tags, from, to), func(table[any]) error { return nil })
}

// namesV1 returns the measurements of the database.
func (i *influx) namesV1(ctx context.Context, _, _ time.Time) ([]string, error) {
	var out []string
	err := influxQL(ctx, i, "read the measurements", "s", `SHOW MEASUREMENTS`, func(t table[string]) error {
		for _, row := range t.Values {
			out = append(out, row...)
		}
		return nil
	})
	return out, err
}

// extentV1 returns when the measurement's first and last readings are, by InfluxQL. In
// InfluxDB 1.8 Flux includes a range's end, so its last() may return a later reading.
func (i *influx) extentV1(ctx context.Context, name string, from, to time.Time) (e Extent, err error) {
	e.Name = name
	query := `SELECT * FROM ` + i.from(name) + where(nil, from, to) + ` ORDER BY time %s LIMIT 1`
	err = influxQL(ctx, i, "read when "+name+" begins and ends", "ns", fmt.Sprintf(query+";"+query, "ASC", "DESC"), func(t table[json.RawMessage]) error {
		for _, row := range t.Values {
			var nanos int64
			if len(row) == 0 {
				return errors.New("a row without a time")
			}
			if err := json.Unmarshal(row[0], &nanos); err != nil {
				return err
			}
			e.include(time.Unix(0, nanos).UTC())
		}
		return nil
	})
	return e, err
}

// wants reports whether the query includes the field.
func (q Query) wants(field string) bool {
	return len(q.Fields) == 0 || slices.Contains(q.Fields, field)
}
