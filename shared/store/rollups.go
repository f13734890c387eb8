package store

import (
	"context"
	"time"
)

// Resolutions of roll-ups: the lengths of their windows, which are aligned to the unix
// epoch.
const (
	FiveMinutes = 5 * time.Minute
	Hour        = time.Hour
)

// Rollup holds the aggregates of a field's values in one window.
type Rollup struct {
	// Start is that of the window. Values that came when their hour's readings had been
	// deleted already are rows of their own: theirs is a few seconds later, and all rows
	// that start in a window belong to it.
	Start               time.Time
	Sum, Min, Max, Last float64
	Count               int
	Suspect             int // how many of them are marked as suspect
}

// RollupSeries holds the roll-ups of one field of one series, by time.
type RollupSeries struct {
	Tags  map[string]string
	Field string
	Rows  []Rollup
}

// Value is a number at its time.
type Value struct {
	Time time.Time
	V    float64
}

// TimeSpan is a span of time: From <= time < To.
type TimeSpan struct{ From, To time.Time }

// rollups stores the roll-ups of both resolutions.
type rollups interface {
	// WriteRollups stores rows of a measurement. A row replaces the one of the same
	// series, field and start.
	WriteRollups(ctx context.Context, resolution time.Duration, name string, all []RollupSeries) error
	// ReadRollups calls fn with the rows of q with From <= Start < To. The rows of one
	// series and field come in order, in one call or several. Step and Zone of q do not
	// count.
	ReadRollups(ctx context.Context, resolution time.Duration, q Query, fn func(tags map[string]string, field string, rows []Rollup) error) error
	// AggregateRollups is Aggregate, computed from roll-ups with From <= Start < To: each
	// counts to the window that contains its start. The mean is weighted by count.
	// Windows have Suspect if q asks for it.
	AggregateRollups(ctx context.Context, resolution time.Duration, q Query, fn func(tags map[string]string, field string, ws []Window) error) error
	// DeleteRollups deletes rows as DeleteRange deletes readings.
	DeleteRollups(ctx context.Context, resolution time.Duration, name string, tags map[string]string, from, to time.Time) error
	// RollupNames returns the measurements that have roll-ups of a resolution.
	RollupNames(ctx context.Context, resolution time.Duration) ([]string, error)
	// ValuesIn calls fn with the values of q's readings in the spans, which are in order
	// and do not overlap. The values of one series and field come in order, in one call
	// or several. From, To, Step and Zone of q do not count.
	ValuesIn(ctx context.Context, q Query, spans []TimeSpan, fn func(tags map[string]string, field string, values []Value) error) error
	// ReadingsAreFaster reports whether Aggregate of q is faster than ReadRollups of q and
	// ValuesIn of so many spans.
	ReadingsAreFaster(ctx context.Context, resolution time.Duration, q Query, spans int) (bool, error)
	// ReadyForRollups returns an error that says what to do if roll-ups cannot be stored:
	// their buckets are missing, or the token may not use them.
	ReadyForRollups(context.Context) error
}
