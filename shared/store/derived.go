package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// deleteAll deletes the readings of a measurement that have the tags, with from <= time < to,
// and what was made of them: roll-ups and late values.
func (s *Store) deleteAll(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	if err := s.DeleteRange(ctx, name, tags, from, to); err != nil {
		return err
	}
	_, _, rolled, err := s.RolledOf(ctx, name, from, from)
	if err != nil || !rolled {
		return err
	}
	if err := s.deleteLate(ctx, name, tags, from, to); err != nil {
		return err
	}
	for _, resolution := range []time.Duration{FiveMinutes, Hour} {
		if err := s.DeleteRollups(ctx, resolution, name, tags, from, to); err != nil {
			return err
		}
	}
	return nil
}

// deleteLate deletes late values of all series that have the tags.
func (s *Store) deleteLate(ctx context.Context, name string, tags map[string]string, from, to time.Time) error {
	type lateSeries struct {
		key  string
		tags map[string]string
	}
	what := fmt.Sprintf("delete the late values of %s", name)
	all, err := query(ctx, s, what, func(rows *sql.Rows) (l lateSeries, err error) {
		return l, rows.Scan(&l.key, scanJSON[map[string]string]{&l.tags})
	}, `select distinct series, tags from late_values where name = $1`, clean(name))
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(l lateSeries) bool { return !matches(l.tags, tags) })
	return s.tx(ctx, what, func(ctx context.Context, tx *txn) error {
		for _, l := range all {
			if _, err := tx.ExecContext(ctx, `delete from late_values where series = $1 and time >= $2 and time < $3`, l.key, Nanos(from), Nanos(to)); err != nil {
				return err
			}
		}
		return nil
	})
}
