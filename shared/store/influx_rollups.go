package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// Roll-ups are in two buckets beside the bucket of the readings, with the measurement and
// tags of the readings and the time of Rollup.Start. Field x of the readings is x (the
// mean, so that a query for readings needs only another bucket), x:sum, x:min, x:max,
// x:last, x:count and x:suspect. All are floats.

// rollupBucket returns the bucket of the roll-ups of a resolution: of "home" it is
// "home_5m" or "home_1h", of "home/autogen" it is "home_5m/autogen" or "home_1h/autogen".
func rollupBucket(bucket string, resolution time.Duration) string {
	suffix := "_1h"
	if resolution == FiveMinutes {
		suffix = "_5m"
	}
	db, policy, ok := strings.Cut(bucket, "/")
	if !ok {
		return bucket + suffix
	}
	return db + suffix + "/" + policy
}

// rolledField returns the field of readings that a field of a roll-up is about.
func rolledField(field string) string {
	field, _, _ = strings.Cut(field, ":")
	return field
}

// rollupLines is the number of lines in one write of roll-ups. A line has seven fields.
const rollupLines = 2000

// WriteRollups writes x:suspect even if it is 0: a row that is written again may have had
// suspect values before.
func (i *influx) WriteRollups(ctx context.Context, resolution time.Duration, name string, all []RollupSeries) error {
	to, err := i.of(resolution)
	if err != nil {
		return err
	}
	var lines []byte
	rows := 0
	send := func() error {
		if rows == 0 {
			return nil
		}
		err := to.writeLines(ctx, "write roll-ups of "+name, string(lines))
		lines, rows = lines[:0], 0
		return err
	}
	for _, s := range all {
		l, err := newRollupLine(name, s)
		if err != nil {
			return err
		}
		for _, r := range s.Rows {
			if lines, err = l.append(lines, r); err != nil {
				return err
			}
			if rows++; rows == rollupLines {
				if err := send(); err != nil {
					return err
				}
			}
		}
	}
	return send()
}

// RollupNames returns the measurements in the bucket of a resolution.
func (i *influx) RollupNames(ctx context.Context, resolution time.Duration) ([]string, error) {
	of, err := i.of(resolution)
	if err != nil {
		return nil, err
	}
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return nil, err
	}
	if v1 {
		return of.namesV1(ctx, earliest, latest)
	}
	return of.names(ctx, earliest, latest)
}

// of returns i with the bucket of a resolution.
func (i *influx) of(resolution time.Duration) (*influx, error) {
	if of := i.rolled[resolution]; of != nil {
		return of, nil
	}
	return nil, fmt.Errorf("there are no roll-ups of %s", resolution)
}

// rollupLine has the constant parts of the lines of one field of one series, in line
// protocol.
type rollupLine struct {
	name   string
	series string
	keys   [7]string // " x=", ",x:sum=" and so on
}

// newRollupLine returns ErrUnstorable if no store can keep the series or its field.
func newRollupLine(name string, s RollupSeries) (*rollupLine, error) {
	if strings.Contains(s.Field, ":") {
		return nil, fmt.Errorf("%w: %s: a field cannot be called %q in roll-ups", ErrUnstorable, name, s.Field)
	}
	rs, err := Normal([]reading.Reading{{Name: name, Tags: s.Tags, Fields: map[string]float64{s.Field: 0}, Time: time.Unix(0, 0)}})
	if err != nil {
		return nil, err
	}
	l := &rollupLine{name: name, series: rs[0].Series()}
	for field := range rs[0].Fields {
		field = inKey.Replace(field)
		for n, aggregate := range []string{"", ":sum", ":min", ":max", ":last", ":count", ":suspect"} {
			l.keys[n] = "," + field + aggregate + "="
		}
	}
	l.keys[0] = " " + l.keys[0][1:]
	return l, nil
}

var inKey = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)

// append appends a row's line to b.
func (l *rollupLine) append(b []byte, r Rollup) ([]byte, error) {
	if r.Start.Before(earliest) || !r.Start.Before(latest) || r.Count <= 0 {
		return b, fmt.Errorf("%w: a roll-up of %s at %s with %d values", ErrUnstorable, l.name, r.Start.UTC().Format(time.RFC3339), r.Count)
	}
	if len(b) > 0 {
		b = append(b, '\n')
	}
	b = append(b, l.series...)
	sum := min(max(r.Sum, -math.MaxFloat64), math.MaxFloat64) // a sum may overflow; InfluxDB refuses infinity
	for n, v := range [...]float64{sum / float64(r.Count), sum, r.Min, r.Max, r.Last, float64(r.Count), float64(r.Suspect)} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return b, fmt.Errorf("%w: a roll-up of %s with a value %v", ErrUnstorable, l.name, v)
		}
		b = append(b, l.keys[n]...)
		b = strconv.AppendFloat(b, v+0, 'f', -1, 64) // -0 becomes 0
	}
	b = append(b, ' ')
	return strconv.AppendInt(b, r.Start.UnixNano(), 10), nil
}

// DeleteRollups deletes rows of one resolution.
func (i *influx) DeleteRollups(ctx context.Context, resolution time.Duration, name string, tags map[string]string, from, to time.Time) error {
	of, err := i.of(resolution)
	if err != nil {
		return err
	}
	return of.DeleteRange(ctx, name, tags, from, to)
}

// ReadyForRollups asks until both buckets can be used, and then no more.
func (i *influx) ReadyForRollups(ctx context.Context) error {
	if i.ready.Load() {
		return nil
	}
	for _, resolution := range []time.Duration{FiveMinutes, Hour} {
		if err := i.rolled[resolution].usable(ctx); err != nil {
			return err
		}
	}
	i.ready.Store(true)
	return nil
}

// usable returns an error unless the bucket exists and the token may write and read it. It
// does not ask for a list of buckets, because the token may have no right to read it.
func (i *influx) usable(ctx context.Context) error {
	q := url.Values{"org": {i.org}, "bucket": {i.bucket}, "precision": {"ns"}}
	err := i.post(ctx, "use the bucket "+i.bucket, i.client.HTTPService().ServerAPIURL()+"write?"+q.Encode(), "text/plain", "", nil)
	e, ok := errors.AsType[*InfluxError](err)
	switch {
	case ok && e.StatusCode == http.StatusNotFound && !strings.Contains(e.Message, "organization"),
		ok && strings.Contains(e.Message, "retention policy not found"): // InfluxDB 1.x, with the database
		return fmt.Errorf("the bucket %s is missing: run hearth migrate with INFLUX_ADMIN_TOKEN", i.bucket)
	case ok && e.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the token may not write to the bucket %s: give it the rights that hearth migrate prints: %w", i.bucket, e)
	case ok && e.StatusCode == http.StatusBadRequest && strings.Contains(e.Message, "requires points"):
		// InfluxDB 2.x refuses to write nothing after it has found that the token may write.
	case err != nil:
		return err
	}
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return err
	}
	readable := i.readable
	if v1 {
		readable = i.readableV1
	}
	err = readable(ctx)
	if e, ok := errors.AsType[*InfluxError](err); ok && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusUnauthorized) {
		return fmt.Errorf("the token may not read the bucket %s: give it the rights that hearth migrate prints: %w", i.bucket, e)
	}
	return err
}
