package glance

import (
	"context"
	"html/template"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/energy"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	monthKept = time.Hour     // how long the cost of the days before is used again
	rateDays  = 7             // days by which the rest of the month is estimated
	rateLeast = 3 * time.Hour // with less than this known, nothing is estimated
)

// month writes what the month will have cost by its end: what is known of it, and for the rest
// the mean of the last days.
func (w *world) month(ctx context.Context, g meterGroup, d powerDays) (template.HTML, error) {
	prices := w.File.House.PricePerKWh
	if len(prices) == 0 {
		return "", nil
	}
	local := d.start.In(w.Zone)
	first := func(month time.Month) time.Time {
		start, _ := store.Query{Step: 24 * time.Hour, Zone: w.Zone}.Window(time.Date(local.Year(), month, 1, 12, 0, 0, 0, w.Zone))
		return start
	}
	begin, end := first(local.Month()), first(local.Month()+1)
	rateFrom := local.AddDate(0, 0, -rateDays).UTC()
	before, err := w.partsBefore(ctx, g, earlier(begin, rateFrom), d.start)
	if err != nil {
		return "", err
	}
	known := w.Now
	for i, m := range g.meters {
		before[i] = append(slices.Clip(before[i]), energy.Within(m.used, d.start, w.Now)...)
		if len(before[i]) > 0 {
			known = earlier(known, before[i][0].Start)
		}
	}
	if w.Now.Sub(known) < rateLeast {
		return "", nil
	}
	monthFrom := later(begin, known)
	rest := end.Sub(w.Now) + monthFrom.Sub(begin)
	total := 0.0
	for _, parts := range before {
		spent := energy.Sum(energy.Within(parts, monthFrom, w.Now), prices, w.Zone)
		rate, priced := w.rate(parts, rateFrom, d.start)
		if !spent.Priced || !priced {
			return "", nil
		}
		total += spent.Cost + rate*rest.Hours()
	}
	digits := 0
	if total < 10 {
		digits = 2
	}
	return w.money(total, digits), nil
}

// rate returns what the parts of a meter cost in an hour: in whole days since a time, or in what
// is known of it.
func (w *world) rate(parts []energy.Part, from, today time.Time) (cost float64, priced bool) {
	to := w.Now
	if len(parts) > 0 {
		from = later(from, parts[0].Start)
	}
	if today.Sub(from) >= 24*time.Hour {
		to = today
	}
	use := energy.Sum(energy.Within(parts, from, to), w.File.House.PricePerKWh, w.Zone)
	return use.Cost / max(to.Sub(from), rateLeast).Hours(), use.Priced
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// partsBefore returns the use of each of a group's meters between two times, in steps of an hour, or
// shorter ones where a price begins or ends within an hour.
func (w *world) partsBefore(ctx context.Context, g meterGroup, from, to time.Time) ([][]energy.Part, error) {
	step := time.Hour
	for _, p := range w.File.House.PricePerKWh {
		for _, c := range []string{string(p.From), string(p.To)} {
			if len(c) == 5 && c[3:] != "00" {
				step = energy.PriceStep
			}
		}
	}
	if _, offset := to.In(w.Zone).Zone(); offset%3600 != 0 {
		step = energy.PriceStep
	}
	fields := map[string][]string{}
	key := "energy " + from.String() + to.String() + step.String()
	for _, m := range g.meters {
		key += " " + m.device.ID + "." + m.metric
		fields[m.in.Name] = append(fields[m.in.Name], m.metric, countKey(m.metric))
	}
	parts, err := kept(w, key, monthKept, func() ([][]energy.Part, error) {
		parts := make([][]energy.Part, len(g.meters))
		for name, keys := range fields {
			slices.Sort(keys)
			q := store.Query{Name: name, Fields: slices.Compact(keys), From: from, To: to, Step: step}
			series, err := w.st.Windows(ctx, q)
			if err != nil {
				return nil, err
			}
			for i, m := range g.meters {
				if m.in.Name != name {
					continue
				}
				counts := energy.Counted(deviceWindows(series, m.device.ID, countKey(m.metric)), q, to)
				powers := energy.Integrated(deviceWindows(series, m.device.ID, m.metric), q, w.fresh(m.device, m.in), to)
				parts[i] = used(counts, powers, from, to, w.slack(m))
			}
		}
		return parts, nil
	})
	return slices.Clone(parts), err // the cache has them, too
}
