package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Spark is a small line in a box of 100 by 24.
type Spark struct {
	Points string // of an SVG polyline; "": too few to draw
	About  string // for those who cannot see it
}

const (
	width, height = 100.0, 24.0
	steps         = 96 // more points than that are means
)

// graph is what a query has found, to be drawn from its first window on.
type graph struct {
	query  store.Query
	series []store.WindowSeries
}

// lastSteps asks for the steps up to now that a line over a span has.
func lastSteps(measurement string, span time.Duration, now time.Time) store.Query {
	step := span / steps
	return nextSteps(measurement, span, now.Add(-(steps-1)*step))
}

// nextSteps asks for the steps of a line over a span, from the one that now is in.
func nextSteps(measurement string, span time.Duration, now time.Time) store.Query {
	q := store.Query{Name: measurement, From: now, Step: span / steps}
	q.From, _ = q.Window(now)
	q.To = q.From.Add(span)
	return q
}

// bucket is a step of a line: the mean of what is in it.
type bucket struct{ mean, count, low, high float64 }

// of keeps the series of one field.
func (g graph) of(field string) graph {
	return graph{g.query, slices.DeleteFunc(slices.Clone(g.series), func(s store.WindowSeries) bool { return s.Field != field })}
}

// buckets puts the series together, step by step.
func (g graph) buckets() []bucket {
	out := make([]bucket, steps)
	for _, s := range g.series {
		for _, w := range s.Windows {
			i := int(w.Start.Sub(g.query.From) / g.query.Step)
			if i < 0 || i >= steps || w.Count == 0 {
				continue
			}
			b := &out[i]
			if b.count == 0 {
				b.low, b.high = w.Min, w.Max
			}
			b.low, b.high = min(b.low, w.Min), max(b.high, w.Max)
			b.count += float64(w.Count)
			b.mean += (w.Mean - b.mean) * float64(w.Count) / b.count
		}
	}
	return out
}

// line draws buckets of the same width, of values in a unit.
func line(buckets []bucket, unit string, f catalogue.Format) Spark {
	low, high := math.Inf(1), math.Inf(-1)
	for _, b := range buckets {
		if b.count > 0 {
			low, high = min(low, b.low), max(high, b.high)
		}
	}
	var b strings.Builder
	drawn := 0
	for i := range buckets {
		if buckets[i].count == 0 {
			continue
		}
		y := height / 2
		if high > low {
			y = height - 2 - (buckets[i].mean-low)/(high-low)*(height-4)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", (float64(i)+0.5)/float64(len(buckets))*width, y)
		drawn++
	}
	if drawn < 2 {
		return Spark{}
	}
	least, _ := quantity(low, unit, f)
	most, sign := quantity(high, unit, f)
	return Spark{strings.TrimSpace(b.String()), strings.TrimSpace(fmt.Sprintf("between %s and %s %s", least, most, sign))}
}

// drawn is a value with the span of its graph, for the template.
type drawn struct {
	Span  string
	Value Value
}

func pair(span string, v Value) drawn { return drawn{span, v} }
