package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	lateBefore = day  // before readings of a measurement expire, new ones of that age are late
	maxLateKey = 2000 // bytes of series and field: PostgreSQL cannot index longer ones
)

// youngestLate is the age from which a reading of any measurement may be late.
var youngestLate = catalogue.KeepDays.Kept().Raw - lateBefore

// divide moves the late values of b from its readings to b.late. A value is late if its
// measurement is rolled up, and if it expires within a day or has already: it is only rolled
// up, because the roll-ups of its hour may be all that is left of the others.
func (s *Store) divide(ctx context.Context, b Batch) (Batch, error) {
	if b.divided || b.Now.IsZero() {
		return b, nil
	}
	b.divided = true
	old := b.tooOld()
	if len(old) == 0 {
		return b, nil
	}
	have, err := s.Rolled(ctx)
	if err != nil {
		return b, err
	}
	var kept, late []reading.Reading
	for i, r := range b.Readings {
		if len(old) == 0 || old[0] != i {
			kept = append(kept, r)
			continue
		}
		old = old[1:]
		values, rest := r, r
		if _, ok := have[oneLine(r.Name)]; ok {
			values, rest = splitLate(r)
		} else {
			values.Fields = nil
		}
		if len(values.Fields) > 0 {
			late = append(late, values)
		}
		if len(rest.Fields)+len(rest.Text) > 0 || len(values.Fields) == 0 {
			kept = append(kept, rest)
		}
	}
	if late, err = Normal(late); err != nil {
		return b, err
	}
	stored, late, err := s.storedBefore(ctx, have, unite(late))
	b.Readings, b.Known, b.late = kept, slices.Concat(b.Known, stored), late
	return b, err
}

// storedBefore divides late readings into those that are stored already, because they came
// before they were late too, and the others. What has expired is not read.
func (s *Store) storedBefore(ctx context.Context, have map[string]Rolled, late []reading.Reading) (stored, others []reading.Reading, err error) {
	type part struct {
		series string
		hour   int64
	}
	parts := map[part][]reading.Reading{}
	for _, r := range late {
		if r.Time.Before(have[r.Name].Raw.Expired) {
			others = append(others, r)
			continue
		}
		p := part{r.Series(), hourOf(r.Time)}
		parts[p] = append(parts[p], r)
	}
	for _, rs := range parts {
		fresh, _, err := s.Fresh(ctx, rs)
		if err != nil {
			return nil, nil, err
		}
		others = append(others, fresh...)
		for _, r := range rs {
			if !slices.ContainsFunc(fresh, func(f reading.Reading) bool { return f.Time.Equal(r.Time) }) {
				stored = append(stored, r)
			}
		}
	}
	return stored, others, nil
}

// tooOld returns the indexes of the readings that are late if their measurement is rolled up.
func (b *Batch) tooOld() (old []int) {
	newest := b.Now.Add(-youngestLate)
	for i := range b.Readings {
		r := &b.Readings[i]
		if !r.Time.Before(newest) {
			continue
		}
		if k := catalogue.KeptOf(r.Name); k.Rolled && r.Time.Before(b.Now.Add(lateBefore-k.Raw)) {
			old = append(old, i)
		}
	}
	return old
}

// splitLate divides a reading into the values that are rolled up, with the texts that say
// which are suspect, and the rest. The texts of a reading that has such values are dropped.
func splitLate(r reading.Reading) (values, rest reading.Reading) {
	values, rest = r, r
	values.Fields, rest.Fields = map[string]float64{}, map[string]float64{}
	size := len(r.Series())
	for k, v := range r.Fields {
		if strings.Contains(k, ":") || size+len(k) > maxLateKey {
			rest.Fields[k] = v
		} else {
			values.Fields[k] = v
		}
	}
	if len(values.Fields) > 0 {
		rest.Text = nil
	}
	return values, rest
}

// saveLate stores the late values. One that is stored already arrives again.
func (b *Batch) saveLate(ctx context.Context, tx *txn) error {
	if len(b.late) == 0 {
		return nil
	}
	if err := tx.lockRolled(ctx, hoursOf(b.Readings, b.Known, b.late)); err != nil {
		return err
	}
	rows, err := lateRows(b.late, b.Now)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(rows, chunkRows) {
		args := make([]any, 0, 8*len(chunk))
		for _, r := range chunk {
			args = append(args, r[:]...)
		}
		if _, err := tx.ExecContext(ctx, `insert into late_values (name, series, tags, field, time, value, suspect, arrived) values `+tx.values(len(chunk), 8)+`
			on conflict (series, field, time) do update set value = excluded.value, suspect = excluded.suspect, arrived = excluded.arrived`, args...); err != nil {
			return err
		}
	}
	return nil
}

// lateRows returns the rows of table late_values for readings, in the order of their keys, so
// that batches cannot deadlock.
func lateRows(rs []reading.Reading, arrived time.Time) ([][8]any, error) {
	var out [][8]any
	for _, r := range rs {
		series := r.Series()
		tags, err := encode(r.Tags)
		if err != nil {
			return nil, err
		}
		for k, v := range r.Fields {
			out = append(out, [8]any{r.Name, series, tags, k, r.Time.UnixNano(), v, quality.IsSuspect(r, k), stamp(arrived)})
		}
	}
	slices.SortFunc(out, func(a, b [8]any) int {
		return cmp.Or(cmp.Compare(a[1].(string), b[1].(string)), cmp.Compare(a[3].(string), b[3].(string)), cmp.Compare(a[4].(int64), b[4].(int64)))
	})
	return out, nil
}

// lockRolled lets other transactions that store late values of these measurements, or delete
// them, wait for this one. Shared locks would not do: with one of its own, each of two that
// lower Since would wait for the other. SQLite has one transaction at a time.
func (t *txn) lockRolled(ctx context.Context, hours []nameHour) error {
	if t.dialect == SQLite {
		return nil
	}
	var names []string
	for _, h := range hours {
		names = append(names, h.name)
	}
	_, err := t.ExecContext(ctx, `select 1 from rolled where name = any($1) order by name for update`, slices.Compact(names))
	return err
}

// LateRollups returns the roll-ups of the late values of an hour, of one resolution. Their
// starts are as many seconds after the windows' as late values of the hour were folded, and
// one. complete: the hour's rows replace those of earlier calls.
func (s *Store) LateRollups(ctx context.Context, name string, resolution time.Duration, hour time.Time) ([]RollupSeries, error) {
	type lateValue struct {
		series, field string
		tags          map[string]string
		Value
		suspect bool
		part    int
	}
	from := hour.Truncate(Hour)
	// One statement: FoldLate changes the number and the values together.
	values, err := query(ctx, s, "read the late values of "+name, func(rows *sql.Rows) (v lateValue, err error) {
		var nanos int64
		err = rows.Scan(&v.series, scanJSON[map[string]string]{&v.tags}, &v.field, &nanos, &v.V, &v.suspect, &v.part)
		v.Time = time.Unix(0, nanos).UTC()
		return v, err
	}, `select series, tags, field, time, value, suspect, coalesce((select part from late_hours where name = $1 and hour = $2), 0)
		from late_values where name = $1 and time >= $3 and time < $4 order by series, field, time`,
		clean(name), stamp(from), from.UnixNano(), from.Add(Hour).UnixNano())
	var out []RollupSeries
	for i, v := range values {
		if i == 0 || values[i-1].series != v.series || values[i-1].field != v.field {
			out = append(out, RollupSeries{Tags: v.tags, Field: v.field})
		}
		of := &out[len(out)-1]
		of.add(v.Value, v.suspect, resolution, time.Duration(v.part+1)*time.Second)
	}
	return out, err
}

// add adds a value that is later than all before. The rows start a delay after their windows.
func (s *RollupSeries) add(v Value, suspect bool, resolution, delay time.Duration) {
	start := floor(v.Time, resolution).Add(delay)
	if n := len(s.Rows); n == 0 || !s.Rows[n-1].Start.Equal(start) {
		s.Rows = append(s.Rows, Rollup{Start: start, Min: v.V, Max: v.V})
	}
	r := &s.Rows[len(s.Rows)-1]
	r.Sum += v.V
	r.Min, r.Max, r.Last = min(r.Min, v.V), max(r.Max, v.V), v.V
	r.Count++
	if suspect {
		r.Suspect++
	}
}
