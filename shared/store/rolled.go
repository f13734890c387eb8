package store

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// Rolled is how far the roll-ups of a measurement are. A measurement without one has only
// readings.
type Rolled struct {
	Name    string
	Created time.Time // when its first roll-ups were made
	Since   time.Time // the hour of its first reading then
	Upto    time.Time // every hour from Since to Upto is rolled up, except dirty ones
	Raw     Expiry    // of its readings
	Fine    Expiry    // of its roll-ups of 5 minutes
}

// Expiry is how far old rows are deleted. Both are Since at first.
type Expiry struct {
	Expired time.Time // rows before it are not read any more
	Deleted time.Time // rows before it are deleted
}

// Rolled returns how far the roll-ups of each measurement are, by name.
func (s *Store) Rolled(ctx context.Context) (map[string]Rolled, error) { return nil, errNoRollups }

// RolledOf returns how far the roll-ups of one measurement are, and its dirty hours from
// <= hour < to, at most 1,000, the oldest first. ok is false if it has none.
func (s *Store) RolledOf(ctx context.Context, name string, from, to time.Time) (r Rolled, dirty []time.Time, ok bool, err error) {
	return Rolled{}, nil, false, errNoRollups
}

// BeginRollups makes the Rolled of a measurement, with Upto and expiries at since. If
// there is one, nothing changes.
func (s *Store) BeginRollups(ctx context.Context, name string, since, now time.Time) error {
	return errNoRollups
}

// AdvanceRollups moves Upto from one hour to another, and makes the hours between dirty, in
// one transaction. ok is false if Upto is not from any more.
func (s *Store) AdvanceRollups(ctx context.Context, name string, from, to time.Time) (ok bool, err error) {
	return false, errNoRollups
}

// ClaimDirty notes that claim rolls up these dirty hours now. A reading that is written
// from now on takes the hour's claim away.
func (s *Store) ClaimDirty(ctx context.Context, name, claim string, from, to time.Time) (hours []time.Time, err error) {
	return nil, errNoRollups
}

// RolledUp deletes the dirty hours that claim still has.
func (s *Store) RolledUp(ctx context.Context, name, claim string) error { return errNoRollups }

// DropDirty deletes the dirty hours of measurements that are not rolled up.
func (s *Store) DropDirty(ctx context.Context) error { return errNoRollups }

// Expire moves Expired of the readings (resolution 0) or of the roll-ups of 5 minutes from one
// time to another. ok is false if it is not from any more, or if an hour before to is dirty
// or not rolled up.
func (s *Store) Expire(ctx context.Context, name string, resolution time.Duration, from, to time.Time) (ok bool, err error) {
	return false, errNoRollups
}

// Deleted notes that what is before Expired is deleted.
func (s *Store) Deleted(ctx context.Context, name string, resolution time.Duration, upto time.Time) error {
	return errNoRollups
}

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
