package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Rolled is how far the roll-ups of a measurement are. A measurement without one has only
// readings.
type Rolled struct {
	Name    string
	Created time.Time // when its first roll-ups were made
	Since   time.Time // the hour of its first reading then, or of an older one that came later
	Upto    time.Time // every hour from Since to Upto is rolled up, except dirty ones
	Raw     Expiry    // of its readings
	Fine    Expiry    // of its roll-ups of 5 minutes
	Dirty   int       // hours that are still to be rolled up; only Rolled counts them
}

// Expiry is how far old rows are deleted. Both are Since at first.
type Expiry struct {
	Expired time.Time // rows before it are not read any more
	Deleted time.Time // rows before it are deleted
}

const (
	rolledColumns = `r.name, r.created, r.since, r.upto, r.raw_expired, r.raw_deleted, r.fine_expired, r.fine_deleted`
	mostDirty     = 1000 // that RolledOf returns
)

// columns returns where to scan rolledColumns.
func (r *Rolled) columns() []any {
	return []any{&r.Name, scanTime{&r.Created}, scanTime{&r.Since}, scanTime{&r.Upto},
		scanTime{&r.Raw.Expired}, scanTime{&r.Raw.Deleted}, scanTime{&r.Fine.Expired}, scanTime{&r.Fine.Deleted}}
}

// Rolled returns how far the roll-ups of each measurement are, by name.
func (s *Store) Rolled(ctx context.Context) (map[string]Rolled, error) {
	all, err := query(ctx, s, "read how far roll-ups are", func(rows *sql.Rows) (r Rolled, err error) {
		return r, rows.Scan(append(r.columns(), &r.Dirty)...)
	}, `select `+rolledColumns+`, (select count(*) from dirty_hours d where d.name = r.name) from rolled r`)
	out := make(map[string]Rolled, len(all))
	for _, r := range all {
		out[r.Name] = r
	}
	return out, err
}

// RolledOf returns how far the roll-ups of one measurement are, and its dirty hours from
// <= hour < to, at most 1,000, the oldest first. ok is false if it has none.
func (s *Store) RolledOf(ctx context.Context, name string, from, to time.Time) (r Rolled, dirty []time.Time, ok bool, err error) {
	// One statement, so that an hour that is rolled up meanwhile is in neither or in both.
	hours, err := query(ctx, s, "read how far the roll-ups of "+name+" are", func(rows *sql.Rows) (hour time.Time, err error) {
		return hour, rows.Scan(append(r.columns(), scanTime{&hour})...)
	}, fmt.Sprintf(`select `+rolledColumns+`, d.hour from rolled r
		left join dirty_hours d on d.name = r.name and d.hour >= $2 and d.hour < $3
		where r.name = $1 order by d.hour limit %d`, mostDirty), clean(name), stamp(from), stamp(to))
	if err != nil || len(hours) == 0 {
		return Rolled{}, nil, false, err
	}
	if hours[0].IsZero() { // a left join without a dirty hour
		return r, nil, true, nil
	}
	return r, hours, true, nil
}

// BeginRollups makes the Rolled of a measurement, with Upto and expiries at since, an hour.
// If there is one, nothing changes.
func (s *Store) BeginRollups(ctx context.Context, name string, since, now time.Time) error {
	return s.tx(ctx, "begin the roll-ups of "+name, func(ctx context.Context, tx *txn) error {
		at := stamp(since.Truncate(Hour))
		_, err := tx.ExecContext(ctx, `
			insert into rolled (name, created, since, upto, raw_expired, raw_deleted, fine_expired, fine_deleted) values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (name) do nothing`, clean(name), stamp(now), at, at, at, at, at, at)
		return err
	})
}

// AdvanceRollups moves Upto from one hour to another, and makes the hours between dirty, in
// one transaction. ok is false if Upto is not from any more.
func (s *Store) AdvanceRollups(ctx context.Context, name string, from, to time.Time) (ok bool, err error) {
	if from, to = from.Truncate(Hour), to.Truncate(Hour); !from.Before(to) {
		return false, errors.New("advance the roll-ups of " + name + ": no hour later")
	}
	err = s.tx(ctx, "advance the roll-ups of "+name, func(ctx context.Context, tx *txn) error {
		n, err := tx.changed(ctx, `update rolled set upto = $3 where name = $1 and upto = $2`, clean(name), stamp(from), stamp(to))
		if ok = n == 1; err != nil || !ok {
			return err
		}
		var hours []time.Time
		for h := from; h.Before(to); h = h.Add(Hour) {
			hours = append(hours, h)
		}
		return tx.makeDirty(ctx, name, hours)
	})
	return ok && err == nil, err
}

// makeDirty makes hours dirty, and takes their claims away.
func (t *txn) makeDirty(ctx context.Context, name string, hours []time.Time) error {
	for chunk := range slices.Chunk(hours, chunkRows) {
		args := make([]any, 0, 2*len(chunk))
		for _, h := range chunk {
			args = append(args, clean(name), stamp(h))
		}
		if _, err := t.ExecContext(ctx, `insert into dirty_hours (name, hour) values `+t.values(len(chunk), 2)+dirtyAgain, args...); err != nil {
			return err
		}
	}
	return nil
}

// dirtyAgain ends a statement that inserts dirty hours. PostgreSQL locks an hour that is
// dirty already too, so a claim waits for the transaction.
const dirtyAgain = ` on conflict (name, hour) do update set claimed = '' where dirty_hours.claimed <> ''`

// ClaimDirty notes that claim rolls up these dirty hours now, and returns them in order. A
// reading that is written from now on takes the hour's claim away, as a later claim does.
func (s *Store) ClaimDirty(ctx context.Context, name, claim string, from, to time.Time) (hours []time.Time, err error) {
	err = s.tx(ctx, "claim dirty hours of "+name, func(ctx context.Context, tx *txn) error {
		hours, err = Rows(ctx, tx, scanHour, `update dirty_hours set claimed = $2 where name = $1 and hour >= $3 and hour < $4 returning hour`, clean(name), claim, stamp(from), stamp(to))
		return err
	})
	slices.SortFunc(hours, time.Time.Compare)
	return hours, err
}

// RolledUp is called when the roll-ups of hours that claim has claimed are written. It
// deletes those that claim still has. The others become dirty again: another may have rolled
// them up meanwhile from newer readings, and its roll-ups are replaced now.
func (s *Store) RolledUp(ctx context.Context, name, claim string, hours []time.Time) error {
	return s.tx(ctx, "store that "+name+" is rolled up", func(ctx context.Context, tx *txn) error {
		for chunk := range slices.Chunk(hours, chunkRows) {
			args, done := []any{clean(name), claim}, map[int64]bool{}
			for _, h := range chunk {
				args = append(args, stamp(h))
			}
			still, err := Rows(ctx, tx, scanHour, `delete from dirty_hours where name = $1 and claimed = $2 and hour in (`+tx.params(3, len(chunk))+`) returning hour`, args...)
			if err != nil {
				return err
			}
			for _, h := range still {
				done[h.Unix()] = true
			}
			lost := slices.DeleteFunc(slices.Clone(chunk), func(h time.Time) bool { return done[h.Unix()] })
			if err := tx.makeDirty(ctx, name, lost); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanHour(rows *sql.Rows) (hour time.Time, err error) { return hour, rows.Scan(scanTime{&hour}) }

// DropDirty deletes the dirty hours of measurements that are not rolled up.
func (s *Store) DropDirty(ctx context.Context) error {
	return s.tx(ctx, "delete dirty hours", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `delete from dirty_hours where name not in (select name from rolled)`)
		return err
	})
}

// expiryColumn returns which expiry in table rolled belongs to a resolution.
func expiryColumn(resolution time.Duration) (string, error) {
	switch resolution {
	case 0:
		return "raw", nil
	case FiveMinutes:
		return "fine", nil
	}
	return "", fmt.Errorf("roll-ups of %s do not expire", resolution)
}

// Expire moves Expired of the readings (resolution 0) or of the roll-ups of 5 minutes from one
// time to another. ok is false if it is not from any more, or if an hour before to is dirty
// or not rolled up.
func (s *Store) Expire(ctx context.Context, name string, resolution time.Duration, from, to time.Time) (ok bool, err error) {
	of, err := expiryColumn(resolution)
	if err != nil {
		return false, err
	}
	err = s.tx(ctx, "expire old rows of "+name, func(ctx context.Context, tx *txn) error {
		n, err := tx.changed(ctx, `update rolled set `+of+`_expired = $3 where name = $1 and `+of+`_expired = $2 and `+of+`_expired < $3 and upto >= $3
			and not exists (select 1 from dirty_hours d where d.name = $1 and d.hour < $3)`, clean(name), stamp(from), stamp(to))
		ok = n == 1
		return err
	})
	return ok && err == nil, err
}

// Deleted notes that the rows before a time are deleted. They must be expired.
func (s *Store) Deleted(ctx context.Context, name string, resolution time.Duration, upto time.Time) error {
	of, err := expiryColumn(resolution)
	if err != nil {
		return err
	}
	return s.tx(ctx, "store that old rows of "+name+" are deleted", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `update rolled set `+of+`_deleted = $2 where name = $1 and `+of+`_deleted < $2 and `+of+`_expired >= $2`, clean(name), stamp(upto))
		return err
	})
}

// changed runs a statement and returns how many rows it changed.
func (t *txn) changed(ctx context.Context, text string, args ...any) (int64, error) {
	res, err := t.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
