package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"

	"github.com/hearth-home/hearth/shared/reading"
)

// daysSpan is the span of one request for days. It keeps each answer within its
// deadline and maxValues.
const daysSpan = 30 * day

// Aggregate requests windows shorter than a day as they are. It requests calendar days
// as windows of dayPart, span by span, for the caller to merge.
func (i *influx) Aggregate(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	if q.Step < day {
		return i.aggregate(ctx, q, fn)
	}
	q.Step = dayPart
	q, err := i.narrow(ctx, q)
	for from, end := q.From, q.To; err == nil && from.Before(end); from = q.To {
		q.From, q.To = from, floor(from, dayPart).Add(daysSpan)
		if q.To.After(end) {
			q.To = end
		}
		err = i.aggregate(ctx, q, fn)
	}
	return err
}

// narrow cuts the span of a long query to that of the measurement's readings.
func (i *influx) narrow(ctx context.Context, q Query) (Query, error) {
	if q.To.Sub(q.From) <= 3*daysSpan {
		return q, nil
	}
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return q, err
	}
	extent := i.extent
	if v1 {
		extent = i.extentV1
	}
	e, err := extent(ctx, q.Name, q.From, q.To)
	if e.First.IsZero() {
		q.To = q.From
		return q, err
	}
	q.From = e.First
	if end := e.Last.Add(1); end.Before(q.To) {
		q.To = end
	}
	return q, err
}

// aggregate computes the windows by InfluxQL on InfluxDB 1.x, otherwise by Flux.
func (i *influx) aggregate(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return err
	}
	if v1 {
		return i.aggregateV1(ctx, q, fn)
	}
	last, err := i.points(ctx, q.Name, i.flux(q.Name, q.Tags, q.From, q.To)+` |> last()`, maxReadings)
	if err != nil {
		return err
	}
	fields := map[string]bool{} // numbers that q asks for; Flux cannot average strings
	for _, r := range last {
		for f := range r.Fields {
			fields[f] = fields[f] || q.wants(f)
		}
	}
	maps.DeleteFunc(fields, func(_ string, wanted bool) bool { return !wanted })
	if len(fields) == 0 {
		return nil
	}
	all, err := i.windows(ctx, q, i.fluxWindows(q, slices.Sorted(maps.Keys(fields))), func(field string) string { return field })
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := fn(s.tags, s.field, s.inOrder()); err != nil {
			return err
		}
	}
	return nil
}

// fluxWindows returns a Flux script with one result for each aggregate of a window.
// InfluxDB computes such a result in its storage engine. It cannot do so for one result
// that combines all aggregates.
func (i *influx) fluxWindows(q Query, fields []string) string {
	var b strings.Builder
	for n, f := range fields {
		fields[n] = `r._field == ` + literal(f)
	}
	fmt.Fprintf(&b, "data = %s |> filter(fn: (r) => %s)\n", i.flux(q.Name, q.Tags, q.From, q.To), strings.Join(fields, " or "))
	for _, name := range []string{"mean", "min", "max", "last", "count"} {
		fmt.Fprintf(&b, "data |> aggregateWindow(every: %ds, fn: %s, createEmpty: false, timeSrc: \"_start\") |> yield(name: %q)\n",
			q.Step/time.Second, name, name)
	}
	return b.String()
}

// fieldWindows are the windows of one field of a series.
type fieldWindows struct {
	tags    map[string]string
	field   string
	windows map[int64]*Window // by start in unix seconds
}

// inOrder returns the windows that have values, by start.
func (w *fieldWindows) inOrder() []Window {
	out := make([]Window, 0, len(w.windows))
	for _, at := range slices.Sorted(maps.Keys(w.windows)) {
		if v := w.windows[at]; v.Count > 0 {
			out = append(out, *v)
		}
	}
	return out
}

// windows runs the script of fluxWindows or fluxRollupWindows. The result is by series and
// the field that fieldOf returns for a field of the bucket.
func (i *influx) windows(ctx context.Context, q Query, flux string, fieldOf func(string) string) (map[string]*fieldWindows, error) {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	what := "read windows of " + q.Name
	result, err := api.NewQueryAPI(i.org, i.client.HTTPService()).Query(ctx, flux)
	if err != nil {
		return nil, i.failed(what, err)
	}
	defer result.Close()
	out := map[string]*fieldWindows{}
	var s *fieldWindows // of the current record
	for n := 0; result.Next(); n++ {
		if n == maxValues {
			return nil, fmt.Errorf("%s: %w: more than %d values", what, ErrTooMany, maxValues)
		}
		record := result.Record()
		field := fieldOf(record.Field())
		if tags := tagsOf(record); s == nil || s.field != field || !maps.Equal(s.tags, tags) {
			key := reading.Reading{Name: q.Name, Tags: tags}.Series() + "\x00" + field
			if s = out[key]; s == nil {
				s = &fieldWindows{tags, field, map[int64]*Window{}}
				out[key] = s
			}
		}
		if !matches(s.tags, q.Tags) {
			continue
		}
		if err := s.put(record.Time(), q.Step, record.Result(), record.Value()); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	return out, i.failed(what, result.Err())
}

// put stores one aggregate (mean, min, …) of the window that contains at. InfluxDB
// begins the first window at the query's start, so put rounds at down to a step.
func (w *fieldWindows) put(at time.Time, step time.Duration, aggregate string, value any) error {
	var v float64
	switch n := value.(type) {
	case float64:
		v = n
	case int64:
		v = float64(n)
	default:
		return fmt.Errorf("the %s of %q is a %T", aggregate, w.field, value)
	}
	start := floor(at, step)
	to := w.windows[start.Unix()]
	if to == nil {
		to = &Window{Start: start}
		w.windows[start.Unix()] = to
	}
	switch aggregate {
	case "mean", "sum": // the caller divides a sum
		to.Mean = v
	case "min":
		to.Min = v
	case "max":
		to.Max = v
	case "last":
		to.Last = v
	case "count":
		to.Count = int(v)
	case "suspect":
		to.Suspect = int(v)
	}
	return nil
}

// floor returns the start of the window that contains t. step is in whole seconds, and
// windows are aligned to the unix epoch.
func floor(t time.Time, step time.Duration) time.Time {
	s, seconds := t.Unix(), int64(step/time.Second)
	return time.Unix(s-((s%seconds)+seconds)%seconds, 0).UTC()
}

// Extents returns the measurements that have readings in a span, by name.
func (i *influx) Extents(ctx context.Context, from, to time.Time) ([]Extent, error) {
	from, to = clamp(from), clamp(to)
	if !from.Before(to) {
		return nil, nil
	}
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return nil, err
	}
	names, extent := i.names, i.extent
	if v1 {
		names, extent = i.namesV1, i.extentV1
	}
	all, err := names(ctx, from, to)
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	var out []Extent
	for _, name := range all {
		e, err := extent(ctx, name, from, to)
		if err != nil {
			return nil, err
		}
		if !e.First.IsZero() {
			out = append(out, e)
		}
	}
	return out, nil
}

// extent returns when the measurement's first and last readings are, by Flux.
func (i *influx) extent(ctx context.Context, name string, from, to time.Time) (Extent, error) {
	e := Extent{Name: name}
	for _, end := range []string{"first", "last"} {
		points, err := i.points(ctx, name, i.flux(name, nil, from, to)+` |> `+end+`()`, maxReadings)
		if err != nil {
			return e, err
		}
		for p := range points {
			e.include(time.Unix(0, p.nanos).UTC())
		}
	}
	return e, nil
}

// include widens e to contain at.
func (e *Extent) include(at time.Time) {
	if e.First.IsZero() || at.Before(e.First) {
		e.First = at
	}
	if at.After(e.Last) {
		e.Last = at
	}
}

// names returns the measurements that have readings in a span, by Flux.
func (i *influx) names(ctx context.Context, from, to time.Time) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	// The query of schema.measurements. That function itself is limited to the last 30
	// days in some versions 2.x.
	result, err := api.NewQueryAPI(i.org, i.client.HTTPService()).Query(ctx, fmt.Sprintf(
		`from(bucket: %s) |> range(start: %s, stop: %s) |> keep(columns: ["_measurement"]) |> group() |> distinct(column: "_measurement")`,
		literal(i.bucket), from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano)))
	if err != nil {
		return nil, i.failed("read the measurements", err)
	}
	defer result.Close()
	var out []string
	for result.Next() {
		name, ok := result.Record().Value().(string)
		if !ok {
			return nil, fmt.Errorf("read the measurements: a name is a %T", result.Record().Value())
		}
		out = append(out, name)
	}
	return out, i.failed("read the measurements", result.Err())
}
