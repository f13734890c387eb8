package rollup

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// roll writes the roll-ups of claimed hours, and ends the claim. Hours whose claim was
// taken away meanwhile stay dirty. It returns the number of rows.
func (t *tick) roll(ctx context.Context, m *measurement, claim string, hours []time.Time) (rows int, err error) {
	fine, err := t.fromReadings(ctx, m, hours)
	if err != nil {
		return 0, err
	}
	coarse := hourly(fine)
	late, err := t.st.LateHours(ctx, m.name, hours[0], hours[len(hours)-1].Add(time.Hour))
	if err != nil {
		return 0, err
	}
	for _, h := range late {
		for resolution, to := range map[time.Duration]*[]store.RollupSeries{store.FiveMinutes: &fine, store.Hour: &coarse} {
			more, err := t.st.LateRollups(ctx, m.name, resolution, h)
			if err != nil {
				return 0, err
			}
			*to = append(*to, more...)
		}
	}
	held, err := t.st.Claimed(ctx, m.name, claim)
	if err != nil {
		return 0, err
	}
	if err := t.write(ctx, m, fine, coarse, held); err != nil {
		return 0, err
	}
	return count(fine), t.st.RolledUp(ctx, m.name, claim, held)
}

// write stores those rows that are in the hours. Roll-ups of 5 minutes that are kept no
// longer are left out.
func (t *tick) write(ctx context.Context, m *measurement, fine, coarse []store.RollupSeries, hours []time.Time) error {
	in := make(map[int64]bool, len(hours))
	for _, h := range hours {
		in[h.Unix()] = true
	}
	fine = only(fine, func(h time.Time) bool { return in[h.Unix()] && !h.Before(m.state.Fine.Expired) })
	if len(fine) > 0 {
		if err := t.st.WriteRollups(ctx, store.FiveMinutes, m.name, fine); err != nil {
			return err
		}
	}
	if coarse = only(coarse, func(h time.Time) bool { return in[h.Unix()] }); len(coarse) == 0 {
		return nil
	}
	return t.st.WriteRollups(ctx, store.Hour, m.name, coarse)
}

// fromReadings returns the roll-ups of 5 minutes of the hours, made from readings. Those
// before Raw.Expired have none: the readings may be deleted already.
func (t *tick) fromReadings(ctx context.Context, m *measurement, hours []time.Time) (all []store.RollupSeries, err error) {
	hours = slices.DeleteFunc(slices.Clone(hours), func(h time.Time) bool { return h.Before(m.state.Raw.Expired) })
	for len(hours) > 0 {
		n := 1
		for n < len(hours) && hours[n].Equal(hours[n-1].Add(time.Hour)) {
			n++
		}
		q := store.Query{Name: m.name, From: hours[0], To: hours[n-1].Add(time.Hour), Step: store.FiveMinutes, Suspects: true}
		series, err := t.st.RawWindows(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			if strings.Contains(s.Field, ":") {
				continue // a name of this form belongs to roll-ups
			}
			all = append(all, store.RollupSeries{Tags: s.Tags, Field: s.Field, Rows: rollups(s.Windows)})
		}
		hours = hours[n:]
	}
	return all, nil
}

func rollups(ws []store.Window) []store.Rollup {
	out := make([]store.Rollup, len(ws))
	for i, w := range ws {
		out[i] = store.Rollup{Start: w.Start, Sum: w.Mean * float64(w.Count), Min: w.Min, Max: w.Max, Last: w.Last, Count: w.Count, Suspect: w.Suspect}
	}
	return out
}

// hourly merges roll-ups of 5 minutes, which are in order, to those of an hour.
func hourly(fine []store.RollupSeries) []store.RollupSeries {
	out := make([]store.RollupSeries, len(fine))
	for i, s := range fine {
		out[i] = store.RollupSeries{Tags: s.Tags, Field: s.Field}
		for _, r := range s.Rows {
			start, rows := r.Start.Truncate(time.Hour), out[i].Rows
			if n := len(rows); n > 0 && rows[n-1].Start.Equal(start) {
				h := &rows[n-1]
				h.Sum, h.Min, h.Max, h.Last = h.Sum+r.Sum, min(h.Min, r.Min), max(h.Max, r.Max), r.Last
				h.Count, h.Suspect = h.Count+r.Count, h.Suspect+r.Suspect
				continue
			}
			r.Start = start
			out[i].Rows = append(rows, r)
		}
	}
	return out
}

// only returns the rows of hours for which keep is true.
func only(all []store.RollupSeries, keep func(hour time.Time) bool) (out []store.RollupSeries) {
	for _, s := range all {
		s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r store.Rollup) bool { return !keep(r.Start.Truncate(time.Hour)) })
		if len(s.Rows) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func count(all []store.RollupSeries) (n int) {
	for _, s := range all {
		n += len(s.Rows)
	}
	return n
}
