package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// spans are what a person looks at, with the distance of points in a small panel.
var spans = []struct {
	name     string
	length   time.Duration
	interval time.Duration
}{{"a day", day, 30 * time.Minute}, {"a month", 30 * day, 12 * time.Hour}, {"a year", 365 * day, 7 * day}}

// looking returns the view of a dashboard over a span that ends at noon, with the first
// values of its variables. The values of queried ones are what their queries answer.
func (w *world) looking(t *testing.T, c *pgx.Conn, d dashboardFile, length, interval time.Duration) view {
	t.Helper()
	v := view{from: noon.Add(-length), to: noon, interval: interval, values: map[string][]string{}, multi: map[string]bool{}}
	for _, variable := range d.Templating.List {
		v.multi[variable.Name] = variable.Multi || variable.IncludeAll
		values, err := w.valuesOf(t, c, v, variable)
		if err != nil {
			t.Fatalf("%s: the variable %s: %v", d.File, variable.Name, err)
		}
		v.values[variable.Name] = values
	}
	return v
}

// valuesOf returns the values that a person sees chosen: of a query all if all can be
// chosen, else the first.
func (w *world) valuesOf(t *testing.T, c *pgx.Conn, v view, variable variableJSON) ([]string, error) {
	switch variable.Type {
	case "query":
		values, err := w.choices(t, c, v, variable)
		if err != nil || len(values) == 0 {
			return nil, fmt.Errorf("its query answers nothing: %w", err)
		}
		if variable.Multi || variable.IncludeAll {
			return values, nil
		}
		return values[:1], nil
	case "constant", "textbox":
		return []string{text(variable.Query)}, nil
	case "custom", "interval":
		var values []string
		if json.Unmarshal(variable.Current.Value, &values) == nil && len(values) > 0 {
			return values, nil
		}
		if current := text(variable.Current.Value); current != "" && current != "null" {
			return []string{current}, nil
		}
		first, _, _ := strings.Cut(text(variable.Query), ",")
		if label, value, ok := strings.Cut(first, " : "); ok && label != "" {
			first = value
		}
		return []string{strings.TrimSpace(first)}, nil
	case "datasource":
		return []string{"hearth"}, nil
	}
	return nil, fmt.Errorf("the tests do not know the type %q", variable.Type)
}

// choices returns what the query of a variable answers: the column __value, else the
// values of all columns.
func (w *world) choices(t *testing.T, c *pgx.Conn, v view, variable variableJSON) (out []string, err error) {
	if variable.Datasource == nil {
		return nil, fmt.Errorf("no data source")
	}
	var frames []frame
	if variable.Datasource.Type == "influxdb" {
		frames, err = w.flux(t.Context(), v, queryOf(variable))
	} else {
		frames, err = query(t.Context(), c, v, queryOf(variable), "table")
	}
	for _, f := range frames {
		column := "__value"
		if !slices.Contains(f.columns, column) {
			column = f.columns[len(f.columns)-1]
		}
		for _, value := range f.column(column) {
			out = append(out, fmt.Sprint(value))
		}
	}
	return out, err
}

// Every query of every committed dashboard answers rows. Those of one shape, which read
// other fields, are run over a day, a month and a year in turn: each takes InfluxDB 1.8 some
// tenths of a second. DASHBOARD_SPANS=all runs each over all three.
func TestEveryQueryAnswersRows(t *testing.T) {
	w := theWorld(t)
	all := os.Getenv("DASHBOARD_SPANS") == "all"
	shapes := map[string]int{}
	for _, d := range readDashboards(t, committed) {
		var running sync.WaitGroup
		slots := make(chan *pgx.Conn, 4)
		for range cap(slots) {
			slots <- w.connect(t)
		}
		views := w.views(t, d)
		d.each(func(p panelJSON) {
			for _, target := range p.Targets {
				shape := p.Type + shapeOf(target)
				shapes[shape]++
				for n := range spans {
					if !all && n != shapes[shape]%len(spans) {
						continue
					}
					running.Go(func() {
						c := <-slots
						defer func() { slots <- c }()
						w.check(t, c, spans[n].name, views[n], d, p, target)
					})
				}
			}
		})
		running.Wait()
	}
}

// views returns a dashboard's view of each span.
func (w *world) views(t *testing.T, d dashboardFile) []view {
	t.Helper()
	c := w.connect(t)
	var out []view
	for _, span := range spans {
		out = append(out, w.looking(t, c, d, span.length, span.interval))
	}
	return out
}

// shapeOf returns a query without its texts and regular expressions.
func shapeOf(target targetJSON) string {
	return quoted.ReplaceAllString(target.Query, "x") + target.RawSQL
}

var quoted = regexp.MustCompile(`"[^"\n]*"|/\^[^\n]*?\$/|\^\S+:\|\$\)/`)

// check runs one query.
func (w *world) check(t *testing.T, c *pgx.Conn, span string, v view, d dashboardFile, p panelJSON, target targetJSON) {
	if target.Hide {
		t.Errorf("%s: a hidden query %s", where(d, p), target.RefID)
	}
	v = p.span(v)
	frames, err := w.answer(t, c, v, target)
	if err == nil {
		err = errors.Join(checkFrames(p, frames), named(p, frames))
	}
	if err != nil {
		t.Errorf("%s over %s: %v\n%s", where(d, p), span, err, w.sent(v, target))
	}
}

func (w *world) answer(t *testing.T, c *pgx.Conn, v view, target targetJSON) ([]frame, error) {
	if target.Query != "" {
		return w.flux(t.Context(), v, target.Query)
	}
	return query(t.Context(), c, v, target.RawSQL, target.Format)
}

// sent returns a query as the database gets it.
func (w *world) sent(v view, target targetJSON) string {
	v.bucket = w.bucket
	if target.Query != "" {
		return fixedNow(v.inFlux(target.Query))
	}
	text, _ := v.inSQL(target.RawSQL)
	return text
}

// named checks that the columns of a table that have settings of their own are in the answer.
func named(p panelJSON, frames []frame) error {
	for _, o := range p.FieldConfig.Overrides {
		name := text(o.Matcher.Options)
		if o.Matcher.ID == "byName" && p.Type == "table" && len(frames) > 0 && !slices.Contains(frames[0].columns, name) {
			return fmt.Errorf("there is no column %q, only %q", name, frames[0].columns)
		}
	}
	return nil
}

const (
	mostPoints = 15000 // of a series: ten times what a panel draws
	mostSeries = 1000  // of an answer
)

// checkFrames checks that there is a value that is not null, that no answer is cut off by
// Grafana's limits, and that no text is lost or ambiguous.
func checkFrames(p panelJSON, frames []frame) error {
	if len(frames) > mostSeries {
		return fmt.Errorf("%d series: Grafana takes %d", len(frames), mostSeries)
	}
	values := 0
	seen := map[string]bool{}
	for _, f := range frames {
		if len(f.rows) > mostPoints {
			return fmt.Errorf("%d points in a series", len(f.rows))
		}
		for _, row := range f.rows {
			for i, v := range row {
				if name := f.columns[i]; v != nil && name != "_time" && name != "time" && !strings.HasPrefix(name, "_st") {
					values++
				}
			}
		}
		for name := range f.labels {
			if strings.HasSuffix(name, " of the first row only") {
				return fmt.Errorf("the column %q is lost: group by it, or rename _value", strings.TrimSuffix(name, " of the first row only"))
			}
		}
		if key := fmt.Sprint(slices.Sorted(maps.Keys(f.labels)), f.labels, f.columns); p.Type != "table" && seen[key] {
			return fmt.Errorf("two series have the same labels %v", f.labels)
		} else {
			seen[key] = true
		}
		if err := ordered(p, f); err != nil {
			return err
		}
	}
	if values == 0 {
		return fmt.Errorf("no value in %d series", len(frames))
	}
	return nil
}

// ordered checks that the times of a graph's series rise.
func ordered(p panelJSON, f frame) error {
	i := slices.IndexFunc(f.columns, func(name string) bool { return name == "_time" || name == "time" })
	if i < 0 || p.Type == "table" {
		return nil
	}
	var last time.Time
	for _, row := range f.rows {
		at, ok := row[i].(time.Time)
		if !ok {
			continue
		}
		if at.Before(last) || at.Equal(last) && len(f.columns) == 2 {
			return fmt.Errorf("%v: %s comes after %s", f.labels, at, last)
		}
		last = at
	}
	return nil
}
