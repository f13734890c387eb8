package store

import (
	"context"
	"database/sql"
	"time"
)

// Claimed returns the dirty hours that claim still has.
func (s *Store) Claimed(ctx context.Context, name, claim string) ([]time.Time, error) {
	return query(ctx, s, "read the claimed hours of "+name, func(rows *sql.Rows) (hour time.Time, err error) {
		return hour, rows.Scan(scanTime{&hour})
	}, `select hour from dirty_hours where name = $1 and claimed = $2 order by hour`, clean(name), claim)
}

// LateHours returns the hours with from <= hour < to that have late values.
func (s *Store) LateHours(ctx context.Context, name string, from, to time.Time) ([]time.Time, error) {
	return query(ctx, s, "read the late hours of "+name, func(rows *sql.Rows) (time.Time, error) {
		var nanos int64
		err := rows.Scan(&nanos)
		return time.Unix(0, nanos).UTC(), err
	}, `select distinct `+startOfHour+` as hour from late_values where name = $1 and time >= $2 and time < $3 order by hour`, clean(name), Nanos(from), Nanos(to))
}
