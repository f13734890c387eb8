package store

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// LateRollups returns the roll-ups of the late values of an hour, of one resolution. Their
// starts are as many seconds after the windows' as late values of the hour were folded, and
// one. complete: the hour's rows replace those of earlier calls.
func (s *Store) LateRollups(ctx context.Context, name string, resolution time.Duration, hour time.Time) ([]RollupSeries, error) {
	return nil, errNoRollups
}

// FoldLate deletes the late values that arrived before a time, of hours that are not dirty,
// and returns their number. Their roll-ups stay.
func (s *Store) FoldLate(ctx context.Context, before time.Time) (int, error) { return 0, errNoRollups }

// Batch is readings to be stored.
type Batch struct {
	Readings []reading.Reading
	Now      time.Time // readings much older than it are only rolled up; zero: none are
}
