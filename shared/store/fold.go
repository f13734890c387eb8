package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"
)

const (
	mostLate   = 1_000_000 // rows of table late_values; the oldest beyond them are folded early
	foldAtOnce = 50_000    // values that a call of FoldLate deletes, and some more
	foldHours  = 200       // hours in one transaction
	mostParts  = 298       // of an hour: the rows of a window of 5 minutes begin within it

	// The start of the hour of a late value: % has the sign of its first number.
	startOfHour = `time - ((time % 3600000000000) + 3600000000000) % 3600000000000`
)

// lateHour is an hour with late values.
type lateHour struct {
	name  string
	nanos int64 // of its start
}

func (h lateHour) time() time.Time { return time.Unix(0, h.nanos).UTC() }

// FoldLate deletes the late values of hours whose values have all arrived before a time and
// are rolled up, and returns their number. Their roll-ups stay. If there are more than a
// million late values, it deletes the oldest as if they had arrived before. One call deletes
// some ten thousand.
func (s *Store) FoldLate(ctx context.Context, before time.Time) (deleted int, err error) {
	return s.foldLate(ctx, before, mostLate)
}

func (s *Store) foldLate(ctx context.Context, before time.Time, most int) (deleted int, err error) {
	n, err := s.foldArrived(ctx, before, false)
	if err != nil {
		return n, err
	}
	oldest, err := query(ctx, s, "read the late values", scanHour, `select arrived from late_values order by arrived desc limit 1 offset $1`, most)
	if err != nil || len(oldest) == 0 {
		return n, err
	}
	more, err := s.foldArrived(ctx, oldest[0].Add(time.Microsecond), true)
	return n + more, err
}

// foldArrived folds hours of which a value arrived before a time. early: later ones may have
// arrived too.
func (s *Store) foldArrived(ctx context.Context, before time.Time, early bool) (deleted int, err error) {
	var last lateHour
	for deleted < foldAtOnce {
		page, err := query(ctx, s, "read the hours of late values", func(rows *sql.Rows) (h lateHour, err error) {
			return h, rows.Scan(&h.name, &h.nanos)
		}, `select name, hour from (select distinct name, `+startOfHour+` as hour from late_values where arrived < $1) h where name > $2 or name = $2 and hour > $3 order by name, hour limit $4`,
			stamp(before), last.name, last.nanos, foldHours)
		if err != nil || len(page) == 0 {
			return deleted, err
		}
		last = page[len(page)-1]
		for len(page) > 0 {
			same := slices.IndexFunc(page, func(h lateHour) bool { return h.name != page[0].name })
			if same < 0 {
				same = len(page)
			}
			n, err := s.foldHours(ctx, page[:same], before, early)
			if deleted += n; err != nil {
				return deleted, err
			}
			page = page[same:]
		}
	}
	return deleted, nil
}

// foldHours folds those hours of one measurement that may be folded, in one transaction.
func (s *Store) foldHours(ctx context.Context, hours []lateHour, before time.Time, early bool) (deleted int, err error) {
	err = s.tx(ctx, "fold late values", func(ctx context.Context, tx *txn) error {
		deleted = 0
		if err := tx.keepLateOut(ctx, hours[0].name); err != nil {
			return err
		}
		for _, h := range hours {
			n, err := tx.foldHour(ctx, h, before, early)
			if err != nil {
				return err
			}
			deleted += n
		}
		return nil
	})
	return deleted, err
}

// keepLateOut waits for the transactions that store late values of a measurement, and keeps
// others waiting until this one ends.
func (t *txn) keepLateOut(ctx context.Context, name string) error {
	if t.dialect == SQLite {
		return nil
	}
	_, err := t.ExecContext(ctx, `select 1 from rolled where name = $1 for update`, name)
	return err
}

// foldHour folds an hour whose values are all rolled up.
func (t *txn) foldHour(ctx context.Context, h lateHour, before time.Time, early bool) (deleted int, err error) {
	newer := `and not exists (select 1 from late_values where name = $1 and time >= $3 and time < $4 and arrived >= $5)`
	args := []any{h.name, stamp(h.time()), h.nanos, h.nanos + int64(Hour), stamp(before)}
	if early {
		newer, args = ``, args[:2]
	}
	n, err := t.changed(ctx, `insert into late_hours (name, hour, part)
		select r.name, cast($2 as timestamptz), 1 from rolled r where r.name = $1 and r.upto > $2
			and not exists (select 1 from dirty_hours d where d.name = $1 and d.hour = $2) `+newer+`
		on conflict (name, hour) do update set part = late_hours.part + 1 where late_hours.part < `+strconv.Itoa(mostParts), args...)
	if err != nil || n == 0 {
		return 0, err
	}
	n, err = t.changed(ctx, `delete from late_values where name = $1 and time >= $2 and time < $3`, h.name, h.nanos, h.nanos+int64(Hour))
	return int(n), err
}
