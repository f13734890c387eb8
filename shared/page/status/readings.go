package status

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	day    = 24 * time.Hour
	behind = 30 * day // older readings are not shown
)

// Measurement is the latest readings of one measurement.
type Measurement struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	About  string   `json:"about"`
	Series []Series `json:"series"`
	More   int      `json:"more,omitempty"`
	Span   string   `json:"-"` // time span of the small graphs: "24 h"
	Dense  bool     `json:"-"` // each series has one number only: they fit side by side
}

// Series is the latest reading of one series: of a place, a symbol.
type Series struct {
	Label  string    `json:"label"`
	Time   time.Time `json:"time"`
	Day    string    `json:"day,omitempty"` // of a reading of a whole day, as 2026-11-23: the same in every zone
	Sample bool      `json:"sample,omitempty"`
	Values []Value   `json:"values"` // the first is the headline
	Texts  []string  `json:"texts,omitempty"`
}

// Value is one number.
type Value struct {
	Key   string  `json:"key"`
	Title string  `json:"title"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Text  string  `json:"text,omitempty"` // the word for the value, shown in place of the number
	Spark Spark   `json:"-"`

	format catalogue.Format
}

// Number writes the value and its unit as markup.
func (v Value) Number() template.HTML { return show(v.Value, v.Unit, v.format) }

// readAll returns the latest readings of the measurements that are not of devices.
func readAll(ctx context.Context, st *store.Store, ms []catalogue.Measurement, now time.Time) ([]Measurement, error) {
	out := []Measurement{}
	var errs error
	for _, m := range ms {
		if m.OfDevices() {
			continue
		}
		shown, err := readOne(ctx, st, m, now)
		errs = errors.Join(errs, err)
		if len(shown.Series) > 0 {
			out = append(out, shown)
		}
		if err != nil && ctx.Err() != nil {
			break // the time is up: show what was read
		}
	}
	return out, errs
}

// readOne returns the latest reading of each series of a measurement, with its graphs.
// They are in the order of the catalogue: longer terms come after shorter ones.
func readOne(ctx context.Context, st *store.Store, m catalogue.Measurement, now time.Time) (Measurement, error) {
	out := Measurement{Name: m.Name, Title: m.Title, About: m.About}
	newest, err := newestOf(ctx, st, m, now)
	if err != nil || len(newest) == 0 {
		return out, err
	}
	q := graphQuery(m, now)
	series, err := st.Windows(ctx, q)
	if err != nil {
		return out, err
	}
	slices.SortFunc(newest, func(a, b reading.Reading) int {
		return cmp.Or(cmp.Compare(m.Place(a.Tags), m.Place(b.Tags)), strings.Compare(a.Series(), b.Series()))
	})
	out.Span = span(q.To.Sub(q.From))
	graphs := graphsOf(m.Name, q, series)
	for _, r := range newest[:min(len(newest), maxDense)] {
		out.Series = append(out.Series, seriesOf(m, r, graphs[r.Series()]))
	}
	out.Dense = !slices.ContainsFunc(out.Series, func(s Series) bool { return len(s.Values) != 1 || len(s.Texts) > 0 })
	if !out.Dense {
		out.Series = out.Series[:min(len(out.Series), maxListed)]
	}
	out.More = len(newest) - len(out.Series)
	return out, nil
}

// graphsOf returns the graphs by series.
func graphsOf(name string, q store.Query, series []store.WindowSeries) map[string]graph {
	out := map[string]graph{}
	for _, s := range series {
		key := reading.Reading{Name: name, Tags: s.Tags}.Series()
		out[key] = graph{q, append(out[key].series, s)}
	}
	return out
}

// newestOf returns the latest reading of each series; of a forecast the next one.
func newestOf(ctx context.Context, st *store.Store, m catalogue.Measurement, now time.Time) ([]reading.Reading, error) {
	if m.Ahead == 0 {
		return st.Latest(ctx, m.Name, now.Add(-behind))
	}
	points, err := st.Between(ctx, m.Name, nil, now, now.Add(day))
	return first(points), err
}

// graphQuery is the query for the small graphs: the last day, of a forecast the next
// day, of daily values the last month.
func graphQuery(m catalogue.Measurement, now time.Time) store.Query {
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

// seriesOf returns what is shown of a reading. Its graphs are those in g.
func seriesOf(m catalogue.Measurement, r reading.Reading, g graph) Series {
	s := Series{Label: label(m, r.Tags), Time: r.Time, Sample: r.Tags[catalogue.SampleLabel] != "", Values: []Value{}}
	if m.Day {
		s.Day = r.Time.UTC().Format(time.DateOnly)
	}
	for _, f := range fieldsOfReading(m, r) {
		v := Value{Key: f.Key, Title: f.Title, Unit: f.Unit, Value: r.Fields[f.Key], Text: f.Word(r.Fields[f.Key]), format: f.Format()}
		v.Spark = line(g.of(f.Key).buckets(), v.Unit, v.format)
		s.Values = append(s.Values, v)
	}
	for _, k := range m.Text {
		if r.Text[k] != "" && !slices.Contains(m.HideText, k) {
			s.Texts = append(s.Texts, r.Text[k])
		}
	}
	return s
}

// fieldsOfReading returns the fields of a reading that are shown, in the order of
// the catalogue. An open measurement has fields of its own, which come last.
func fieldsOfReading(m catalogue.Measurement, r reading.Reading) (out []catalogue.Field) {
	keys := slices.SortedFunc(maps.Keys(r.Fields), func(a, b string) int {
		ms := []catalogue.Measurement{m}
		return cmp.Or(find(ms, a).compare(find(ms, b)), strings.Compare(a, b))
	})
	for _, k := range keys {
		f, ok := m.Field(k)
		if !ok {
			f = catalogue.Field{Title: catalogue.Title(k), Unit: catalogue.KeyUnit(k)}
		}
		f.Key, f.Title = k, f.TitleOf(k)
		if f.Show != catalogue.Hidden {
			out = append(out, f)
		}
	}
	return out
}

// label joins the values of the labels of a reading, in the order of the catalogue.
func label(m catalogue.Measurement, tags map[string]string) string {
	var parts []string
	for _, k := range m.Labels {
		if v := tags[k]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " · ")
}
