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

// A 1.x answers InfluxQL about ten times faster than Flux, which reads every
// value there; 2.x aggregates where the values are.

// speaksInfluxQL reports whether the server is a 1.x. It asks once.
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
		return false, influxError("ask InfluxDB for its version", err)
	}
	i.version.Store(&v)
	return i.speaksInfluxQL(ctx)
}

func (i *influx) server() string { return strings.TrimSuffix(i.client.HTTPService().ServerURL(), "/") }

// table is one series of an answer.
type table[T any] struct {
	Tags   map[string]string
	Values [][]T // a row each, the time (in seconds or "ns") first
}

// influxQL runs a statement and calls fn for every table of the answer, which
// comes in parts.
func influxQL[T any](ctx context.Context, i *influx, what, epoch, q string, fn func(table[T]) error) (err error) {
	defer func() {
		if err != nil {
			i.version.Store(nil) // it may be another server by now
		}
	}()
	db, _, _ := strings.Cut(i.bucket, "/")
	form := url.Values{"db": {db}, "q": {q}, "epoch": {epoch}, "chunked": {"true"}}
	return i.post(ctx, what, i.server()+"/query", "application/x-www-form-urlencoded", form.Encode(), func(res *http.Response) error {
		for parts := json.NewDecoder(res.Body); ; {
			var part struct {
				Error   string
				Results []struct {
					Error  string
					Series []table[T]
				}
			}
			if err := parts.Decode(&part); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if part.Error != "" {
				return errors.New(part.Error)
			}
			for _, r := range part.Results {
				if r.Error != "" {
					return errors.New(r.Error)
				}
				for _, t := range r.Series {
					if err := fn(t); err != nil {
						return err
					}
				}
			}
		}
	})
}

// from returns the measurement as InfluxQL names it in the bucket "db/rp".
func (i *influx) from(name string) string {
	if db, policy, ok := strings.Cut(i.bucket, "/"); ok && policy != "" {
		return ident(db) + "." + ident(policy) + "." + ident(name)
	}
	return ident(name)
}

// where returns a condition for InfluxQL.
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

// numbersV1 returns which fields of the measurement are numbers, of those asked
// for.
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

const fieldsAtOnce = 20 // of one statement: a row has five columns for each, mostly empty where devices differ

// aggregateV1 answers a query by InfluxQL.
func (i *influx) aggregateV1(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	fields, err := i.numbersV1(ctx, q)
	for some := range slices.Chunk(fields, fieldsAtOnce) {
		if err == nil {
			err = i.windowsV1(ctx, q, some, fn)
		}
	}
	return err
}

func (i *influx) windowsV1(ctx context.Context, q Query, fields []string, fn func(map[string]string, string, []Window) error) error {
	columns := make([]string, len(fields))
	for n, f := range fields {
		columns[n] = fmt.Sprintf(`mean(%[1]s),min(%[1]s),max(%[1]s),last(%[1]s),count(%[1]s)`, ident(f))
	}
	text := fmt.Sprintf(`SELECT %s FROM %s%s GROUP BY time(%ds),* fill(none)`,
		strings.Join(columns, ","), i.from(q.Name), where(q.Tags, q.From, q.To), q.Step/time.Second)
	return influxQL(ctx, i, "read windows of "+q.Name, "s", text, func(t table[*float64]) error {
		maps.DeleteFunc(t.Tags, func(_, v string) bool { return v == "" }) // series without the tag
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

// windowsOf reads the five columns of a field, from the one given on.
func windowsOf(rows [][]*float64, column int) ([]Window, error) {
	var out []Window
	for _, row := range rows {
		if len(row) < column+5 || row[0] == nil {
			return nil, fmt.Errorf("a row of %d columns", len(row))
		}
		v := row[column : column+5]
		if v[4] == nil || *v[4] == 0 {
			continue // another field has values here
		}
		if v[0] == nil || v[1] == nil || v[2] == nil || v[3] == nil {
			return nil, errors.New("a window without a mean, minimum, maximum or last value")
		}
		out = append(out, Window{Start: time.Unix(int64(*row[0]), 0).UTC(), Mean: *v[0], Min: *v[1], Max: *v[2], Last: *v[3], Count: int(*v[4])})
	}
	return out, nil
}

// deleteV1 refuses where the database has another retention policy than the one:
// a DELETE cannot name a policy and deletes in all.
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

// extentV1 reads the oldest and the newest row. Flux includes the end of a range
// here, so that what its last() answers may lie beyond.
func (i *influx) extentV1(ctx context.Context, name string, from, to time.Time) (e Extent, err error) {
	e.Name = name
	one := `SELECT * FROM ` + i.from(name) + where(nil, from, to) + ` ORDER BY time %s LIMIT 1`
	err = influxQL(ctx, i, "read when "+name+" begins and ends", "ns", fmt.Sprintf(one+";"+one, "ASC", "DESC"), func(t table[json.RawMessage]) error {
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

// wants reports whether the query is about the field.
func (q Query) wants(field string) bool {
	return len(q.Fields) == 0 || slices.Contains(q.Fields, field)
}
