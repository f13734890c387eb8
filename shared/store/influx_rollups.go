package store

import (
	"context"
	"time"
)

func (i *influx) WriteRollups(context.Context, time.Duration, string, []RollupSeries) error {
	return errNoRollups
}
func (i *influx) ReadRollups(context.Context, time.Duration, Query, func(map[string]string, string, []Rollup) error) error {
	return errNoRollups
}
func (i *influx) AggregateRollups(context.Context, time.Duration, Query, func(map[string]string, string, []Window) error) error {
	return errNoRollups
}
func (i *influx) DeleteRollups(context.Context, time.Duration, string, map[string]string, time.Time, time.Time) error {
	return errNoRollups
}
func (i *influx) ValuesIn(context.Context, Query, []TimeSpan, func(map[string]string, string, []Value) error) error {
	return errNoRollups
}
func (i *influx) ReadyForRollups(context.Context) error { return errNoRollups }
