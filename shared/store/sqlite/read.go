package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// storedSeries is one series and its fields.
type storedSeries struct {
	id      int64
	tags    map[string]string
	columns []column
}

// column is one field of a series.
type column struct {
	id   int64
	name string
	text bool
}

func (c column) table() string {
	if c.text {
		return "texts"
	}
	return "points"
}

// seriesOf returns the series of a measurement that have the tags, ordered by key.
func seriesOf(ctx context.Context, tx *sql.Tx, name string, want map[string]string) ([]storedSeries, error) {
	var out []storedSeries
	_, err := store.Rows(ctx, tx, func(rows *sql.Rows) (_ struct{}, err error) {
		var l storedSeries
		var c column
		var tags []byte
		if err := rows.Scan(&l.id, &tags, &c.id, &c.name, &c.text); err != nil {
			return struct{}{}, err
		}
		if len(out) == 0 || out[len(out)-1].id != l.id {
			if err := json.Unmarshal(tags, &l.tags); err != nil {
				return struct{}{}, err
			}
			out = append(out, l)
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, c)
		return struct{}{}, nil
	}, `select s.id, s.tags, f.id, f.name, f.is_text from series s join fields f on f.series = s.id where s.name = ? order by s.key, f.is_text, f.name`, name)
	return slices.DeleteFunc(out, func(l storedSeries) bool { return !has(l.tags, want) }), err
}

// has reports whether tags contains all of want.
func has(tags, want map[string]string) bool {
	for k, v := range want {
		if tags[k] != v {
			return false
		}
	}
	return true
}

// BetweenAtMost returns the readings of one measurement with
// from <= time < to, ordered by series and time.
func (s *series) BetweenAtMost(ctx context.Context, limit int, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	var out []reading.Reading
	err := s.inSnapshot(ctx, "read "+name, func(ctx context.Context, tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, name, tags)
		if err != nil {
			return err
		}
		for _, l := range all {
			rs, err := l.between(ctx, tx, name, limit-len(out), store.Nanos(from), store.Nanos(to))
			if errors.Is(err, store.ErrTooMany) {
				return fmt.Errorf("%w: more than %d readings", err, limit)
			}
			if err != nil {
				return err
			}
			out = append(out, rs...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// between returns the readings of the series with from <= time < to (unix nanoseconds),
// by time. It reads field by field and merges values of the same time into one reading.
// More than limit readings are ErrTooMany.
func (l storedSeries) between(ctx context.Context, tx *sql.Tx, name string, limit int, from, to int64) ([]reading.Reading, error) {
	var rs []reading.Reading // of the fields so far, by time
	for _, c := range l.columns {
		var missing []reading.Reading // at times that rs does not have
		at := 0
		err := c.each(ctx, tx, from, to, func(nanos int64, v float64, text string) error {
			t := time.Unix(0, nanos).UTC()
			for at < len(rs) && rs[at].Time.Before(t) {
				at++
			}
			if at < len(rs) && rs[at].Time.Equal(t) {
				c.set(&rs[at], v, text)
				return nil
			}
			if len(rs)+len(missing) == limit {
				return store.ErrTooMany
			}
			r := reading.Reading{Name: name, Tags: l.tags, Time: t}
			c.set(&r, v, text)
			missing = append(missing, r)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			rs = append(rs, missing...)
			slices.SortFunc(rs, func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
		}
	}
	return rs, nil
}

// each calls fn with the values of the field with from <= time < to, by time.
func (c column) each(ctx context.Context, tx *sql.Tx, from, to int64, fn func(nanos int64, v float64, text string) error) error {
	_, err := store.Rows(ctx, tx, func(rows *sql.Rows) (_ struct{}, err error) {
		var nanos int64
		var v float64
		var text string
		into := any(&v)
		if c.text {
			into = &text
		}
		if err := rows.Scan(&nanos, into); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, fn(nanos, v, text)
	}, `select time, value from `+c.table()+` where field = ? and time >= ? and time < ? order by time`, c.id, from, to)
	return err
}

// set adds a value of the field to r.
func (c column) set(r *reading.Reading, v float64, text string) {
	if c.text {
		if r.Text == nil {
			r.Text = map[string]string{}
		}
		r.Text[c.name] = text
		return
	}
	if r.Fields == nil {
		r.Fields = map[string]float64{}
	}
	r.Fields[c.name] = v
}

// Latest returns the newest reading of every series that is not older than since. It
// does one index lookup for each field, however many rows the table has.
func (s *series) Latest(ctx context.Context, name string, since time.Time) ([]reading.Reading, error) {
	var out []reading.Reading
	err := s.inSnapshot(ctx, "read the newest of "+name, func(ctx context.Context, tx *sql.Tx) error {
		values, err := store.Rows(ctx, tx, scanNewest, newest, name, store.Nanos(since))
		if err != nil {
			return err
		}
		for i, v := range values {
			if i == 0 || v.key != values[i-1].key {
				r := reading.Reading{Name: name, Time: v.time}
				if err := json.Unmarshal(v.tags, &r.Tags); err != nil {
					return err
				}
				out = append(out, r)
			}
			r := &out[len(out)-1]
			if v.time.After(r.Time) { // the fields so far belong to an older reading
				r.Time, r.Fields, r.Text = v.time, nil, nil
			}
			if v.time.Equal(r.Time) {
				v.of.set(r, v.number, v.text)
			}
		}
		return nil
	})
	return out, err
}

// newestValue is the newest value of a field.
type newestValue struct {
	key    string // of its series
	tags   []byte // JSON
	of     column // without its id
	time   time.Time
	number float64
	text   string
}

func scanNewest(rows *sql.Rows) (v newestValue, err error) {
	var nanos int64
	err = rows.Scan(&v.key, &v.tags, &v.of.name, &v.of.text, &nanos, &v.number, &v.text)
	v.time = time.Unix(0, nanos).UTC()
	return v, err
}

// newest selects the newest value of each field of a measurement.
const newest = `
	select s.key, s.tags, f.name, f.is_text, p.time, p.value, '' from series s join fields f on f.series = s.id
		join points p on p.field = f.id and p.time = (select max(time) from points where field = f.id and time >= ?2)
		where s.name = ?1 and not f.is_text
	union all
	select s.key, s.tags, f.name, f.is_text, p.time, 0.0, p.value from series s join fields f on f.series = s.id
		join texts p on p.field = f.id and p.time = (select max(time) from texts where field = f.id and time >= ?2)
		where s.name = ?1 and f.is_text
	order by 1`
