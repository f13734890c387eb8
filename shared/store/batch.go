package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// Batch is readings to be stored.
type Batch struct {
	Readings []reading.Reading
	Now      time.Time // readings much older than it are only rolled up; zero: none are
	// Known are readings that may be stored already, without a transaction that has noted
	// that their hours are to be rolled up again.
	Known []reading.Reading

	divided bool
	early   bool              // Readings are written
	late    []reading.Reading // that are not in Readings any more
}

// WriteEarly writes the readings of b before their Commit, which must follow with the Batch
// that it returns.
func (s *Store) WriteEarly(ctx context.Context, b Batch) (Batch, error) {
	b, err := s.divide(ctx, b)
	if err != nil {
		return b, explain("write readings", err)
	}
	b.early = true
	return b, explain("write readings", s.writeAll(ctx, b.Readings))
}

func (s *Store) writeAll(ctx context.Context, rs []reading.Reading) error {
	if len(rs) == 0 {
		return nil
	}
	return s.Write(ctx, rs)
}

// unwritten returns the readings that Commit has to write.
func (b *Batch) unwritten() []reading.Reading {
	if b.early {
		return nil
	}
	return b.Readings
}

// mark notes which hours have to be rolled up again because of b, and stores its late
// values. The readings are written: before, or in this transaction.
func (b *Batch) mark(ctx context.Context, tx *txn) error {
	if len(b.Readings)+len(b.Known)+len(b.late) == 0 {
		return nil
	}
	if err := b.saveLate(ctx, tx); err != nil {
		return err
	}
	hours := hoursOf(b.Readings, b.Known, b.late)
	marked, err := tx.markDirty(ctx, hours)
	if err != nil || marked == 0 { // as of most batches: their hours are not rolled up yet
		return err
	}
	return tx.lowerSince(ctx, hours)
}

// nameHour is an hour of a measurement, as the number of hours since 1970.
type nameHour struct {
	name string
	hour int64
}

func (h nameHour) time() time.Time { return time.Unix(h.hour*3600, 0).UTC() }

// fewHours is the number of hours up to which hoursOf leaves out equal ones at once.
const fewHours = 16

// hoursOf returns the measurements and hours of readings, each once, in order.
func hoursOf(all ...[]reading.Reading) []nameHour {
	var out []nameHour
	for _, rs := range all {
		for i := range rs {
			h := nameHour{rs[i].Name, hourOf(rs[i].Time)}
			if n := len(out); n == 0 || out[n-1] != h && !slices.Contains(out[:min(n, fewHours)], h) {
				out = append(out, h)
			}
		}
	}
	for i := range out {
		out[i].name = oneLine(out[i].name)
	}
	slices.SortFunc(out, func(a, b nameHour) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.hour, b.hour)) })
	return slices.Compact(out)
}

// hourOf returns the number of the hour since 1970 that contains t.
func hourOf(t time.Time) int64 { return floor(t, Hour).Unix() / 3600 }

// markDirty makes those hours dirty that are before Upto of their measurement, takes their
// claims away, and returns how many it changed.
func (t *txn) markDirty(ctx context.Context, hours []nameHour) (changed int64, err error) {
	if t.dialect == Postgres {
		names, times := make([]string, len(hours)), make([]time.Time, len(hours))
		for i, h := range hours {
			names[i], times[i] = h.name, h.time()
		}
		return t.changed(ctx, `insert into dirty_hours (name, hour)
			select p.name, p.hour from unnest($1::text[], $2::timestamptz[]) as p(name, hour)
			join rolled r on r.name = p.name and p.hour < r.upto order by 1, 2`+dirtyAgain, names, times)
	}
	for chunk := range slices.Chunk(hours, chunkRows) {
		args := make([]any, 0, 2*len(chunk))
		for _, h := range chunk {
			args = append(args, h.name, h.time())
		}
		n, err := t.changed(ctx, `insert into dirty_hours (name, hour)
			select p.column1, p.column2 from (values `+t.values(len(chunk), 2)+`) p
			join rolled r on r.name = p.column1 and p.column2 < r.upto where true`+dirtyAgain, args...)
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, nil
}

// ReachBack makes a measurement's roll-ups begin at an older hour, of a reading that was
// written while they began. It does nothing once readings have expired.
func (s *Store) ReachBack(ctx context.Context, r Rolled, first time.Time) error {
	var hours []time.Time
	for h := first.Truncate(Hour); h.Before(r.Since); h = h.Add(Hour) {
		hours = append(hours, h)
	}
	if len(hours) == 0 || !r.Raw.Expired.Equal(r.Since) {
		return nil
	}
	return s.tx(ctx, "begin the roll-ups of "+r.Name+" earlier", func(ctx context.Context, tx *txn) error {
		if err := tx.makeDirty(ctx, r.Name, hours); err != nil {
			return err
		}
		return tx.lowerSince(ctx, []nameHour{{r.Name, hourOf(first)}})
	})
}

// RollAgain makes all hours of a measurement dirty whose readings are kept, since their
// roll-ups are lost.
func (s *Store) RollAgain(ctx context.Context, r Rolled) error {
	var hours []time.Time
	for h := floor(later(r.Since, r.Raw.Expired), Hour); h.Before(r.Upto); h = h.Add(Hour) {
		hours = append(hours, h)
	}
	return s.tx(ctx, "roll "+r.Name+" up again", func(ctx context.Context, tx *txn) error {
		return tx.makeDirty(ctx, r.Name, hours)
	})
}

// lowerSince moves the beginning of roll-ups of which nothing has expired yet to an older
// hour in which values came. hours are in order.
func (t *txn) lowerSince(ctx context.Context, hours []nameHour) error {
	for i, h := range hours {
		if i > 0 && hours[i-1].name == h.name {
			continue
		}
		if _, err := t.ExecContext(ctx, `update rolled set since = $2, raw_expired = $2, raw_deleted = $2,
			fine_expired = case when fine_expired = since then $2 else fine_expired end,
			fine_deleted = case when fine_deleted = since then $2 else fine_deleted end
			where name = $1 and since > $2 and raw_expired = since`, h.name, h.time()); err != nil {
			return err
		}
	}
	return nil
}
