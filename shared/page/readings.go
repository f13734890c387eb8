package page

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	day    = 24 * time.Hour
	behind = 30 * day // the oldest that counts as newest
)

// Measurement is the newest readings of one measurement.
type Measurement struct {
	Name   string   `json:"name"`
	About  string   `json:"about"`
	Series []Series `json:"series"`
	More   int      `json:"more,omitempty"`
	Span   string   `json:"-"` // of the small graphs: "24 h"
	Dense  bool     `json:"-"` // one number a series: they fit side by side
}

// Series is one line of it: a place, a symbol, a device.
type Series struct {
	Label  string    `json:"label"`
	Time   time.Time `json:"time"`
	Sample bool      `json:"sample,omitempty"`
	Values []Value   `json:"values"`
	Texts  []string  `json:"texts,omitempty"`
}

// Value is one number.
type Value struct {
	Key   string  `json:"key"`
	Title string  `json:"title"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Text  string  `json:"text,omitempty"` // what the value means, where that is a word
	Spark Spark   `json:"-"`
}

func measurements(ctx context.Context, st *store.Store, now time.Time) ([]Measurement, error) {
	out := []Measurement{}
	var errs error
	for _, m := range catalogue.All() {
		if ofDevices(m) {
			continue
		}
		shown, err := measurement(ctx, st, m, now)
		errs = errors.Join(errs, err)
		if len(shown.Series) > 0 {
			out = append(out, shown)
		}
		if err != nil && ctx.Err() != nil {
			break // the store is slow; show what there is
		}
	}
	return out, errs
}

func measurement(ctx context.Context, st *store.Store, m catalogue.Measurement, now time.Time) (Measurement, error) {
	out := Measurement{Name: m.Name, About: m.About}
	newest, err := newestOf(ctx, st, m, now)
	if err != nil || len(newest) == 0 {
		return out, err
	}
	q := window(m, now)
	series, err := st.Windows(ctx, q)
	if err != nil {
		return out, err
	}
	slices.SortFunc(newest, func(a, b reading.Reading) int {
		return cmp.Or(byTerm(label(m, a.Tags), label(m, b.Tags)), strings.Compare(a.Series(), b.Series()))
	})
	out.Dense = !slices.ContainsFunc(newest, func(r reading.Reading) bool { return len(r.Fields) != 1 || len(r.Text) > 0 })
	limit := maxListed
	if out.Dense {
		limit = maxDense
	}
	out.Span = span(q.To.Sub(q.From))
	bySeries := map[string][]store.WindowSeries{}
	for _, s := range series {
		key := reading.Reading{Name: m.Name, Tags: s.Tags}.Series()
		bySeries[key] = append(bySeries[key], s)
	}
	for _, r := range newest {
		if len(out.Series) == limit {
			out.More++
			continue
		}
		out.Series = append(out.Series, seriesOf(m, r, graph{q, bySeries[r.Series()]}))
	}
	return out, nil
}

var term = regexp.MustCompile(`^([0-9.]+)(m|y|month|year)$`)

// byTerm orders 1.5m, 2m, 1y, 10y as a person does, after all that is no term.
func byTerm(a, b string) int { return cmp.Compare(months(a), months(b)) }

func months(s string) float64 {
	parts := term.FindStringSubmatch(s)
	if parts == nil {
		return -1
	}
	n, _ := strconv.ParseFloat(parts[1], 64) // 0 for what is none
	if parts[2][0] == 'y' {
		n *= 12
	}
	return n
}

// newestOf returns the newest reading of each series, of a forecast the next.
func newestOf(ctx context.Context, st *store.Store, m catalogue.Measurement, now time.Time) ([]reading.Reading, error) {
	if m.Ahead == 0 {
		return st.Latest(ctx, m.Name, now.Add(-behind))
	}
	points, err := st.Between(ctx, m.Name, nil, now, now.Add(day))
	return first(points), err
}

// window is what the small graphs show: the last day, the next day of a
// forecast, or a month of what comes daily.
func window(m catalogue.Measurement, now time.Time) store.Query {
	switch {
	case m.Ahead > 0:
		return nextSteps(m.Name, day, now)
	case m.Cadence >= day/2:
		return lastSteps(m.Name, behind, now)
	default:
		return lastSteps(m.Name, day, now)
	}
}

// first returns the first reading of each series.
func first(points []reading.Reading) []reading.Reading {
	seen := map[string]bool{}
	var out []reading.Reading
	for _, p := range points {
		if !seen[p.Series()] {
			seen[p.Series()] = true
			out = append(out, p)
		}
	}
	return out
}

func seriesOf(m catalogue.Measurement, r reading.Reading, g graph) Series {
	draw := func(key, unit string) Spark { return line(g.of(key).buckets(), unit) }
	s := Series{Label: label(m, r.Tags), Time: r.Time, Sample: r.Tags[catalogue.SampleLabel] != ""}
	for _, f := range m.Fields {
		if v, ok := r.Fields[f.Key]; ok {
			s.Values = append(s.Values, Value{f.Key, f.Title, f.Unit, v, word(f, f.Key, v), draw(f.Key, f.Unit)})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Fields)) { // an open measurement has fields of its own
		if _, ok := m.Field(k); !ok {
			s.Values = append(s.Values, Value{k, plain(k), ending(k), r.Fields[k], "", draw(k, ending(k))})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Text)) {
		if r.Text[k] != "" {
			s.Texts = append(s.Texts, r.Text[k])
		}
	}
	return s
}

func label(m catalogue.Measurement, tags map[string]string) string {
	var parts []string
	for _, k := range m.Labels {
		if v := tags[k]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " · ")
}
