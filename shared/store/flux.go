package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	fluxquery "github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/hearth-home/hearth/shared/reading"
)

// Limits of one answer, so that a query for too much cannot exhaust the memory.
const (
	maxValues   = 5_000_000
	maxReadings = 1_000_000
)

// BetweenAtMost returns the readings of one measurement with from <= time < to,
// ordered by series and time.
func (i *influx) BetweenAtMost(ctx context.Context, limit int, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	if !clamp(from).Before(clamp(to)) {
		return nil, nil // Flux refuses an empty range
	}
	points, err := i.points(ctx, name, i.flux(name, tags, from, to), limit)
	if err != nil {
		return nil, err
	}
	out := make([]reading.Reading, 0, len(points))
	for _, p := range sorted(points) {
		if matches(p.Tags, tags) && p.Time.Before(to) { // InfluxDB 1.8 includes the range's stop
			out = append(out, p)
		}
	}
	return out, nil
}

// Latest returns the newest reading of every series that is not older than since. Flux
// returns the last value of each field; the values of the newest time form the reading.
func (i *influx) Latest(ctx context.Context, name string, since time.Time) ([]reading.Reading, error) {
	points, err := i.points(ctx, name, i.flux(name, nil, since, latest)+` |> last()`, maxReadings)
	if err != nil {
		return nil, err
	}
	var out []reading.Reading
	for _, r := range sorted(points) {
		if n := len(out) - 1; n >= 0 && out[n].Series() == r.Series() {
			out[n] = r
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

// flux returns the query for the values of a measurement. The query does not pivot
// them: so columns of numbers and of strings stay separate, and an empty string differs
// from a missing value.
func (i *influx) flux(name string, tags map[string]string, from, to time.Time) string {
	return fmt.Sprintf(`from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => %s)`,
		literal(i.bucket), clamp(from).Format(time.RFC3339Nano), clamp(to).Format(time.RFC3339Nano), fluxWhere(name, tags))
}

// fluxWhere returns the condition for the values of a measurement.
func fluxWhere(name string, tags map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `r._measurement == %s`, literal(name))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if tags[k] != "" {
			fmt.Fprintf(&b, ` and r[%s] == %s`, literal(k), literal(tags[k]))
		}
	}
	return b.String()
}

// literal returns s as a Flux string literal. It escapes dollar signs, which start an
// interpolation.
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for n := range len(s) {
		switch c := s[n]; {
		case c == '"', c == '\\', c == '$', c < ' ':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// clamp returns t, limited to the times that the stores can hold.
func clamp(t time.Time) time.Time {
	switch t = t.UTC(); {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// points runs a Flux query and merges its values into readings. More than limit
// readings are ErrTooMany.
func (i *influx) points(ctx context.Context, name, flux string, limit int) (map[point]reading.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	what := "read " + name
	result, err := api.NewQueryAPI(i.org, i.client.HTTPService()).Query(ctx, flux) // a shared QueryAPI has a data race
	if err != nil {
		return nil, i.failed(what, err)
	}
	defer result.Close()
	out := map[point]reading.Reading{}
	var current string // the series of the current table
	var tags map[string]string
	for n := 0; result.Next(); n++ {
		if n == maxValues || len(out) > limit {
			return nil, fmt.Errorf("%s: %w: more than %d readings", what, ErrTooMany, limit)
		}
		record := result.Record()
		if t := tagsOf(record); tags == nil || !maps.Equal(tags, t) {
			tags = t
			current = reading.Reading{Name: name, Tags: tags}.Series()
		}
		p := point{current, record.Time().UnixNano()}
		r, ok := out[p]
		if !ok {
			r = reading.Reading{Name: name, Tags: tags, Fields: map[string]float64{}, Text: map[string]string{}, Time: record.Time().UTC()}
			out[p] = r
		}
		if err := keep(r, record.Field(), record.Value()); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	if len(out) > limit {
		return nil, fmt.Errorf("%s: %w: more than %d readings", what, ErrTooMany, limit)
	}
	return out, i.failed(what, result.Err())
}

// tagsOf returns the record's tags: all string columns but those of Flux itself.
func tagsOf(r *fluxquery.FluxRecord) map[string]string {
	tags := map[string]string{}
	for k, v := range r.Values() {
		if s, ok := v.(string); ok && s != "" && !reserved(k) {
			tags[k] = s
		}
	}
	return tags
}

// keep adds a value to the maps of r.
func keep(r reading.Reading, field string, value any) error {
	switch v := value.(type) {
	case float64:
		r.Fields[field] = v
	case int64: // hearth writes no integers, but other programs may write to its bucket
		r.Fields[field] = float64(v)
	case string:
		r.Text[field] = v
	case nil: // an empty string, which the CSV answer cannot tell from no value
		r.Text[field] = ""
	default:
		return fmt.Errorf("field %q holds a %T", field, value)
	}
	return nil
}

// sorted returns the readings by series and time.
func sorted(points map[point]reading.Reading) []reading.Reading {
	keys := slices.SortedFunc(maps.Keys(points), func(a, b point) int {
		return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(a.nanos, b.nanos))
	})
	out := make([]reading.Reading, len(keys))
	for n, k := range keys {
		out[n] = points[k]
	}
	return out
}

// matches reports whether tags contains all of want.
func matches(tags, want map[string]string) bool {
	for k, v := range want {
		if tags[k] != v {
			return false
		}
	}
	return true
}
