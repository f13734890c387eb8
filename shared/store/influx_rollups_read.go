package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"

	"github.com/hearth-home/hearth/shared/reading"
)

// ReadRollups reads by InfluxQL on InfluxDB 1.x, otherwise by Flux.
func (i *influx) ReadRollups(ctx context.Context, resolution time.Duration, q Query, fn func(map[string]string, string, []Rollup) error) error {
	of, v1, err := i.toRead(ctx, resolution, &q)
	switch {
	case err != nil || !q.From.Before(q.To):
		return err
	case v1:
		return of.readRollupsV1(ctx, q, fn)
	default:
		return of.readRollups(ctx, q, fn)
	}
}

// AggregateRollups computes by InfluxQL on InfluxDB 1.x, otherwise by Flux.
func (i *influx) AggregateRollups(ctx context.Context, resolution time.Duration, q Query, fn func(map[string]string, string, []Window) error) error {
	of, v1, err := i.toRead(ctx, resolution, &q)
	if err == nil && q.Step >= day {
		q, err = of.narrow(ctx, q)
	}
	switch {
	case err != nil || !q.From.Before(q.To):
		return err
	case v1:
		return of.aggregateRollupsV1(ctx, q, fn)
	default:
		return of.aggregateRollups(ctx, q, fn)
	}
}

// ValuesIn reads by InfluxQL on InfluxDB 1.x, otherwise by Flux.
func (i *influx) ValuesIn(ctx context.Context, q Query, spans []TimeSpan, fn func(map[string]string, string, []Value) error) error {
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return err
	}
	clamped := make([]TimeSpan, 0, len(spans))
	for _, s := range spans {
		if s = (TimeSpan{clamp(s.From), clamp(s.To)}); s.From.Before(s.To) {
			clamped = append(clamped, s)
		}
	}
	if v1 {
		return i.valuesInV1(ctx, q, clamped, fn)
	}
	return i.valuesIn(ctx, q, clamped, fn)
}

// ReadingsAreFaster is false for InfluxDB 2.x: which is faster there has not been measured.
func (i *influx) ReadingsAreFaster(ctx context.Context, resolution time.Duration, q Query, spans int) (bool, error) {
	of, v1, err := i.toRead(ctx, resolution, &q)
	if err != nil || !v1 {
		return false, err
	}
	return of.readingsAreFasterV1(ctx, q, spans)
}

// toRead returns i with the bucket of a resolution, and whether the server is 1.x. It
// limits the query's span to times that can be stored.
func (i *influx) toRead(ctx context.Context, resolution time.Duration, q *Query) (of *influx, v1 bool, err error) {
	if of, err = i.of(resolution); err != nil {
		return nil, false, err
	}
	q.From, q.To = clamp(q.From), clamp(q.To)
	v1, err = of.speaksInfluxQL(ctx)
	return of, v1, err
}

// readable returns an error unless the token may read the bucket.
func (i *influx) readable(ctx context.Context) error {
	_, err := i.points(ctx, "the bucket "+i.bucket, i.flux("hearth", nil, earliest, earliest.Add(time.Second)), 1)
	return err
}

// rollupRows returns the Flux query for some aggregates of the query's fields. Rows are at
// whole seconds, so a range that ends a nanosecond before a second has the same rows;
// InfluxDB 1.8 includes a range's end.
func (i *influx) rollupRows(q Query, aggregates ...string) string {
	condition := `r._field =~ /:(` + strings.Join(aggregates, "|") + `)$/`
	if len(q.Fields) > 0 {
		var any []string
		for _, f := range q.Fields {
			for _, a := range aggregates {
				any = append(any, `r._field == `+literal(f+":"+a))
			}
		}
		condition = strings.Join(any, " or ")
	}
	stop := q.To.Add(time.Second - 1).Truncate(time.Second).Add(-1)
	return i.flux(q.Name, q.Tags, q.From, stop) + ` |> filter(fn: (r) => ` + condition + `)`
}

// readRollups reads rows by Flux.
func (i *influx) readRollups(ctx context.Context, q Query, fn func(map[string]string, string, []Rollup) error) error {
	points, err := i.points(ctx, q.Name, i.rollupRows(q, "sum", "min", "max", "last", "count", "suspect"), maxReadings)
	if err != nil {
		return err
	}
	all := map[string]*RollupSeries{}
	for _, p := range sorted(points) {
		if !matches(p.Tags, q.Tags) {
			continue
		}
		for field, count := range p.Fields {
			field, counts := strings.CutSuffix(field, ":count")
			if !counts || count == 0 {
				continue
			}
			key := p.Series() + "\x00" + field
			if all[key] == nil {
				all[key] = &RollupSeries{Tags: p.Tags, Field: field}
			}
			all[key].Rows = append(all[key].Rows, Rollup{Start: p.Time, Sum: p.Fields[field+":sum"], Min: p.Fields[field+":min"],
				Max: p.Fields[field+":max"], Last: p.Fields[field+":last"], Count: int(count), Suspect: int(p.Fields[field+":suspect"])})
		}
	}
	for _, s := range all {
		if err := fn(s.Tags, s.Field, s.Rows); err != nil {
			return err
		}
	}
	return nil
}

// rolledDays is the span of one request for days of roll-ups.
const rolledDays = 3 * daysSpan

// aggregateRollups computes windows by Flux. Calendar days are windows of an hour, or of
// dayPart in a zone that is not whole hours from UTC.
func (i *influx) aggregateRollups(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	if q.Step < day {
		return i.aggregateRollupsOnce(ctx, q, fn)
	}
	part := time.Hour
	for _, s := range q.stretches() {
		if s.offset%time.Hour != 0 {
			part = dayPart
		}
	}
	q.Step = part
	for from, end := q.From, q.To; from.Before(end); from = q.To {
		q.From, q.To = from, floor(from, part).Add(rolledDays)
		if q.To.After(end) {
			q.To = end
		}
		if err := i.aggregateRollupsOnce(ctx, q, fn); err != nil {
			return err
		}
	}
	return nil
}

// aggregateRollupsOnce computes windows by one Flux script.
func (i *influx) aggregateRollupsOnce(ctx context.Context, q Query, fn func(map[string]string, string, []Window) error) error {
	all, err := i.windows(ctx, q, i.fluxRollupWindows(q), rolledField)
	if err != nil {
		return err
	}
	for _, s := range all {
		for _, w := range s.windows {
			w.Mean /= float64(max(1, w.Count))
		}
		if err := fn(s.tags, s.field, s.inOrder()); err != nil {
			return err
		}
	}
	return nil
}

// fluxRollupWindows returns a Flux script with one result for each aggregate, as
// fluxWindows.
func (i *influx) fluxRollupWindows(q Query) string {
	aggregates := [][2]string{{"sum", "sum"}, {"min", "min"}, {"max", "max"}, {"last", "last"}, {"count", "sum"}}
	if q.Suspects {
		aggregates = append(aggregates, [2]string{"suspect", "sum"})
	}
	var b strings.Builder
	for _, a := range aggregates {
		fmt.Fprintf(&b, "%s |> aggregateWindow(every: %ds, fn: %s, createEmpty: false, timeSrc: \"_start\") |> yield(name: %q)\n",
			i.rollupRows(q, a[0]), q.Step/time.Second, a[1], a[0])
	}
	return b.String()
}

// rangesAtOnce is the number of ranges in one Flux script.
const rangesAtOnce = 50

// valuesIn reads values by Flux, with a result for each span.
func (i *influx) valuesIn(ctx context.Context, q Query, spans []TimeSpan, fn func(map[string]string, string, []Value) error) error {
	all := map[string]*fieldValues{}
	total := 0
	for some := range slices.Chunk(spans, rangesAtOnce) {
		if err := i.valuesOnce(ctx, q, some, all, &total); err != nil {
			return err
		}
	}
	for _, s := range all {
		slices.SortFunc(s.values, func(a, b Value) int { return a.Time.Compare(b.Time) }) // results come in any order
		if err := fn(s.tags, s.field, s.values); err != nil {
			return err
		}
	}
	return nil
}

// fieldValues are the values of one field of a series.
type fieldValues struct {
	tags   map[string]string
	field  string
	values []Value
}

// valuesOnce adds the values in some spans to all, by one Flux script.
func (i *influx) valuesOnce(ctx context.Context, q Query, spans []TimeSpan, all map[string]*fieldValues, total *int) error {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	what := "read values of " + q.Name
	result, err := api.NewQueryAPI(i.org, i.client.HTTPService()).Query(ctx, i.fluxValues(q, spans))
	if err != nil {
		return i.failed(what, err)
	}
	defer result.Close()
	var s *fieldValues // of the current record
	for result.Next() {
		record := result.Record()
		span, err := strconv.Atoi(record.Result())
		if err != nil || span < 0 || span >= len(spans) {
			return fmt.Errorf("%s: a result is called %q", what, record.Result())
		}
		r := reading.Reading{Name: q.Name, Fields: map[string]float64{}, Text: map[string]string{}}
		if err := keep(r, record.Field(), record.Value()); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		v, ok := r.Fields[record.Field()]
		if !ok || !record.Time().Before(spans[span].To) { // a text; or InfluxDB 1.8, which includes a range's end
			continue
		}
		if *total++; *total > maxValues {
			return fmt.Errorf("%s: %w: more than %d values", what, ErrTooMany, maxValues)
		}
		if r.Tags = tagsOf(record); s == nil || s.field != record.Field() || !maps.Equal(s.tags, r.Tags) {
			key := r.Series() + "\x00" + record.Field()
			if s = all[key]; s == nil {
				s = &fieldValues{tags: r.Tags, field: record.Field()}
				all[key] = s
			}
		}
		if matches(s.tags, q.Tags) {
			s.values = append(s.values, Value{record.Time().UTC(), v})
		}
	}
	return i.failed(what, result.Err())
}

// fluxValues returns a Flux script whose results are numbered as the spans. With a function,
// the time that InfluxDB needs to read the script grows with the number of spans, not with
// its square.
func (i *influx) fluxValues(q Query, spans []TimeSpan) string {
	var b strings.Builder
	fmt.Fprintf(&b, `values = (start, stop, name) => from(bucket: %s) |> range(start: start, stop: stop) |> filter(fn: (r) => %s)`, literal(i.bucket), fluxWhere(q.Name, q.Tags))
	if len(q.Fields) > 0 {
		any := make([]string, len(q.Fields))
		for n, f := range q.Fields {
			any[n] = `r._field == ` + literal(f)
		}
		b.WriteString(` |> filter(fn: (r) => ` + strings.Join(any, " or ") + `)`)
	}
	b.WriteString(" |> yield(name: name)\n")
	for n, s := range spans {
		fmt.Fprintf(&b, "values(start: %s, stop: %s, name: \"%d\")\n", s.From.Format(time.RFC3339Nano), s.To.Format(time.RFC3339Nano), n)
	}
	return b.String()
}
