package main_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// frame is a table as Grafana's data sources return it: columns by name, a value nil for
// null. Of a time series in Flux the group's columns are labels of its values.
type frame struct {
	labels  map[string]string
	columns []string
	rows    [][]any
}

// column returns the values of a column that are not null.
func (f frame) column(name string) (out []any) {
	i := slices.Index(f.columns, name)
	for _, r := range f.rows {
		if i >= 0 && r[i] != nil {
			out = append(out, r[i])
		}
	}
	return out
}

// fixedNow makes now() in Flux that of the test data. It is written behind the imports.
func fixedNow(query string) string {
	option := "option now = () => " + noon.Format(time.RFC3339) + "\n"
	at := 0
	for _, m := range importLine.FindAllStringIndex(query, -1) {
		at = m[1]
	}
	return query[:at] + option + query[at:]
}

var importLine = regexp.MustCompile(`(?m)^\s*import\s+("[^"]+"|\w+\s+"[^"]+")\s*\n`)

// flux runs a query on InfluxDB as its data source does.
func (w *world) flux(ctx context.Context, v view, query string) ([]frame, error) {
	v.bucket = w.bucket
	body := url.Values{"query": {fixedNow(v.inFlux(query))}}
	return fluxCSV(ctx, w.influx, body.Get("query"))
}

func fluxCSV(ctx context.Context, server, query string) ([]frame, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/api/v2/query?org=home", strings.NewReader(query))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/vnd.flux")
	req.Header.Set("Accept", "text/csv")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return nil, fmt.Errorf("%d: %s", res.StatusCode, text)
	}
	return readFrames(res.Body)
}

// readFrames reads annotated CSV.
func readFrames(body io.Reader) (frames []frame, err error) {
	r := csv.NewReader(body)
	r.FieldsPerRecord = -1
	var types, groups, header []string
	table := ""
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return nil, err
		}
		switch record[0] {
		case "#datatype":
			types, header, table = record, nil, ""
			continue
		case "#group":
			groups = record
			continue
		case "#default":
			continue
		}
		if header == nil {
			header = record
			if slices.Contains(header, "error") && len(header) <= 4 {
				next, _ := r.Read()
				return nil, fmt.Errorf("the query fails: %v", next)
			}
			continue
		}
		if record[2] != table || len(frames) == 0 {
			table = record[2]
			frames = append(frames, newFrame(header, types, groups, record))
		}
		f := &frames[len(frames)-1]
		row, err := f.row(header, types, record)
		if err != nil {
			return nil, err
		}
		f.rows = append(f.rows, row)
	}
}

// newFrame returns an empty frame. A table with _value and a time is a time series, whose
// texts are labels: of all its rows, Grafana takes those of the first.
func newFrame(header, types, groups, first []string) frame {
	f := frame{labels: map[string]string{}}
	if slices.Contains(header, "_value") && slices.Contains(types, "dateTime:RFC3339") {
		f.columns = []string{"_time", "_value"}
		if !slices.Contains(header, "_time") {
			f.columns[0] = header[slices.Index(types, "dateTime:RFC3339")]
		}
		for i, name := range header {
			if i > 2 && !strings.HasPrefix(name, "_") && types[i] == "string" {
				f.labels[name] = first[i]
				if groups[i] != "true" {
					f.labels[name+" of the first row only"] = first[i]
				}
			}
		}
		if i := slices.Index(header, "_field"); i >= 0 {
			f.labels["_field"] = first[i]
		}
		return f
	}
	f.columns = slices.Clone(header[3:])
	return f
}

func (f frame) row(header, types, record []string) ([]any, error) {
	row := make([]any, len(f.columns))
	for n, name := range f.columns {
		i := slices.Index(header, name)
		if i < 0 || i >= len(record) || record[i] == "" {
			continue
		}
		var err error
		switch types[i] {
		case "double":
			row[n], err = strconv.ParseFloat(record[i], 64)
		case "long", "unsignedLong":
			row[n], err = strconv.ParseInt(record[i], 10, 64)
		case "dateTime:RFC3339", "dateTime:RFC3339Nano":
			row[n], err = time.Parse(time.RFC3339Nano, record[i])
		case "boolean":
			row[n], err = strconv.ParseBool(record[i])
		default:
			row[n] = record[i]
		}
		if err != nil {
			return nil, err
		}
	}
	return row, nil
}

// clockSchema has a now() that returns the time of the test data. It is searched before
// PostgreSQL's own.
const clockSchema = `
	create schema if not exists clock;
	create or replace function clock.now() returns timestamptz language sql stable as $$ select timestamptz '2026-11-25 12:07:00Z' $$;`

// connect returns a connection as Grafana has it: it knows nothing of hearth's schema.
func (w *world) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), w.sql)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.WithoutCancel(t.Context())) })
	for _, text := range []string{clockSchema, `set search_path = clock, pg_catalog, "$user", public`, `set default_transaction_read_only = on`} {
		if _, err := c.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// query runs SQL as the PostgreSQL data source does.
func query(ctx context.Context, c *pgx.Conn, v view, text, format string) ([]frame, error) {
	text, err := v.inSQL(text)
	if err != nil {
		return nil, err
	}
	rows, err := c.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	f := frame{}
	for _, d := range rows.FieldDescriptions() {
		f.columns = append(f.columns, d.Name)
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		f.rows = append(f.rows, values)
	}
	if format == "time_series" && !slices.Contains(f.columns, "time") {
		return nil, fmt.Errorf("a time series needs a column \"time\": %v", f.columns)
	}
	return []frame{f}, rows.Err()
}
