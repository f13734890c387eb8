// Package energy computes what meters counted in a span of time, and what it costs. It is
// pure.
package energy

import (
	"time"

	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// PriceStep is the length of time of which a price is a multiple: prices change only at a
// multiple of it after midnight.
const PriceStep = 15 * time.Minute

// Part is what one meter measured in a span of time.
type Part struct {
	Start, End time.Time
	KWh        float64
}

// Counted returns the parts of windows of the rises of a counter, as in energy_delta_kwh, up
// to a time.
func Counted(ws []store.Window, q store.Query, until time.Time) []Part {
	out := make([]Part, len(ws))
	for i, w := range ws {
		_, end := q.Window(w.Start)
		if end.After(until) && w.Start.Before(until) {
			end = until
		}
		out[i] = Part{w.Start, end, w.Mean * float64(w.Count)}
	}
	return out
}

// Integrated returns the parts of windows of a power in watts, up to a time. A meter that
// reports changes only has no value in some steps: then the one before holds, for at most
// hold. A longer gap is not counted.
func Integrated(ws []store.Window, q store.Query, hold time.Duration, until time.Time) []Part {
	var out []Part
	for i, w := range ws {
		start, end := q.Window(w.Start)
		next := until
		if i+1 < len(ws) {
			next = ws[i+1].Start
		}
		if next.Sub(end) > hold {
			next = end
		}
		for ; start.Before(next); start, end = q.Window(end) {
			stop := end
			if next.Before(stop) {
				stop = next
			}
			out = append(out, Part{start, stop, w.Mean / 1000 * stop.Sub(start).Hours()})
		}
	}
	return out
}

// Within returns the parts between two times. One that begins before or ends after is cut, as
// if it had been used evenly.
func Within(parts []Part, from, to time.Time) []Part {
	var out []Part
	for _, p := range parts {
		start, end := p.Start, p.End
		if start.Before(from) {
			start = from
		}
		if end.After(to) {
			end = to
		}
		if start.Before(end) {
			out = append(out, Part{start, end, p.KWh * float64(end.Sub(start)) / float64(p.End.Sub(p.Start))})
		}
	}
	return out
}

// Use is a sum of parts.
type Use struct {
	KWh    float64
	Cost   float64 // in house.currency
	Priced bool    // all of it has a price
}

// Sum adds up parts, with the prices by time of day in a zone. A part has the price at its
// start.
func Sum(parts []Part, prices []settings.Price, zone *time.Location) Use {
	u := Use{Priced: len(prices) > 0}
	for _, p := range parts {
		local := p.Start.In(zone)
		price, ok := priceAt(prices, time.Duration(local.Hour())*time.Hour+time.Duration(local.Minute())*time.Minute)
		u.KWh, u.Cost, u.Priced = u.KWh+p.KWh, u.Cost+p.KWh*price, u.Priced && ok
	}
	return u
}
