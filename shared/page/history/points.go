package history

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/units"
	"github.com/hearth-home/hearth/shared/store"
)

// Point is one window. As JSON it is [start in unix seconds, mean, minimum, maximum, count]; one
// with the count 0 is a gap, with null for the numbers.
type Point struct {
	start           int64
	mean, low, high float64
	count           int
}

// MarshalJSON writes nine digits of each number: more is noise of the mean.
func (p Point) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 64), '[')
	b = strconv.AppendInt(b, p.start, 10)
	for _, v := range []float64{p.mean, p.low, p.high} {
		b = append(b, ',')
		if p.count == 0 {
			b = append(b, "null"...)
			continue
		}
		b = append(b, number(v)...)
	}
	b = append(b, ',')
	return append(strconv.AppendInt(b, int64(p.count), 10), ']'), nil
}

func number(v float64) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64) // it is a number
	return strconv.FormatFloat(short, 'g', -1, 64)
}

// Summary says in numbers what a person sees in a plot. Times are starts of windows.
type Summary struct {
	Low    float64   `json:"low"`
	LowAt  time.Time `json:"low_at,omitzero"`
	High   float64   `json:"high"`
	HighAt time.Time `json:"high_at,omitzero"`
	Mean   float64   `json:"mean"` // of all values
	Last   float64   `json:"last"`
	LastAt time.Time `json:"last_at,omitzero"`
	Count  int       `json:"count"` // of values
	Gaps   int       `json:"gaps"`  // longer than values are usually apart

	Suspect int `json:"suspect,omitempty"` // values that are left out: no other number counts them
}

// sound returns the windows that have values, and how many suspect ones are left out of each
// window, by its start in nanoseconds.
func sound(ws []store.Window) (out []store.Window, suspect map[int64]float64) {
	out, suspect = make([]store.Window, 0, len(ws)), map[int64]float64{}
	for _, w := range ws {
		if w.Count > 0 {
			out = append(out, w)
		}
		if w.Suspect > 0 {
			suspect[w.Start.UnixNano()] = float64(w.Suspect)
		}
	}
	return out, suspect
}

// points converts windows to a unit, and adds a point for each gap: where the next window
// begins later than within.
func points(ws []store.Window, u units.Unit, within time.Duration, to time.Time) ([]Point, Summary) {
	out := make([]Point, 0, len(ws)+8)
	var s Summary
	var before time.Time
	gap := func(next time.Time) {
		if !before.IsZero() && next.Sub(before) > within {
			s.Gaps++
			out = append(out, Point{start: before.Add(next.Sub(before) / 2).Unix()})
		}
	}
	for _, w := range ws {
		if math.IsNaN(w.Mean) || math.IsInf(w.Mean, 0) {
			continue
		}
		gap(w.Start)
		before = w.Start
		p := Point{w.Start.Unix(), u.Shown(w.Mean), u.Shown(w.Min), u.Shown(w.Max), w.Count}
		out = append(out, p)
		s.add(p, w.Start)
		s.Last, s.LastAt = u.Shown(w.Last), w.Start
	}
	gap(to)
	return out, s
}

// add counts a window.
func (s *Summary) add(p Point, at time.Time) {
	if s.Count == 0 || p.low < s.Low {
		s.Low, s.LowAt = p.low, at
	}
	if s.Count == 0 || p.high > s.High {
		s.High, s.HighAt = p.high, at
	}
	s.Count += p.count
	s.Mean += (p.mean - s.Mean) * float64(p.count) / float64(s.Count)
}

// Usual pauses of measurements that have no cadence.
const (
	onChange = 90 * time.Minute // devices that report when something changes: they report once an hour at least
	closed   = 4 * day          // what happens now and then: quotes, presses
)

// longest returns how far apart the starts of two windows may be without a gap between: what
// the catalogue says of the measurement, or somewhat more than what is usual in the windows.
func longest(m catalogue.Measurement, ws []store.Window, step time.Duration) time.Duration {
	pause := m.Cadence
	if pause == 0 {
		if pause = closed; m.Open {
			pause = onChange
		}
	}
	usual := step
	if len(ws) > 2 {
		apart := make([]time.Duration, len(ws)-1)
		for i := range apart {
			apart[i] = ws[i+1].Start.Sub(ws[i].Start)
		}
		slices.Sort(apart)
		usual = max(step, apart[len(apart)/2])
	}
	return max(usual*5/2, pause+step)
}
