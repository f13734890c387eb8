package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

var errNoRollups = errors.New("no roll-ups yet")

func (s *series) WriteRollups(context.Context, time.Duration, string, []store.RollupSeries) error {
	return errNoRollups
}
func (s *series) ReadRollups(context.Context, time.Duration, store.Query, func(map[string]string, string, []store.Rollup) error) error {
	return errNoRollups
}
func (s *series) AggregateRollups(context.Context, time.Duration, store.Query, func(map[string]string, string, []store.Window) error) error {
	return errNoRollups
}
func (s *series) DeleteRollups(context.Context, time.Duration, string, map[string]string, time.Time, time.Time) error {
	return errNoRollups
}
func (s *series) ValuesIn(context.Context, store.Query, []store.TimeSpan, func(map[string]string, string, []store.Value) error) error {
	return errNoRollups
}
func (s *series) ReadyForRollups(context.Context) error { return errNoRollups }
