package status

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Spark is a small graph without axes, in a box of 100 by 24.
type Spark struct {
	Points string // of an SVG polyline; "": fewer than two
	Doubts string // of an SVG path: a mark for each step with suspect values, which are not drawn
	About  string // the range in words, for screen readers
}

const (
	width, height = 100.0, 24.0
	steps         = 96 // a line has at most so many points, each the mean of a step
)

// graph is a query and the series that it found.
type graph struct {
	query  store.Query
	series []store.WindowSeries
}

// lastSteps is the query for the steps of a line over a span that ends now.
func lastSteps(measurement string, span time.Duration, now time.Time) store.Query {
	step := span / steps
	return nextSteps(measurement, span, now.Add(-(steps-1)*step))
}

// nextSteps is the query for the steps of a line over a span that begins now.
func nextSteps(measurement string, span time.Duration, now time.Time) store.Query {
	q := store.Query{Name: measurement, From: now, Step: span / steps}
	q.From, _ = q.Window(now)
	q.To = q.From.Add(span)
	return q
}

// bucket is one step of a line: mean, number, minimum and maximum of its values, and
// whether suspect ones are left out.
type bucket struct {
	mean, count, low, high float64
	doubt                  bool
}

// add adds a number of values to b.
func (b *bucket) add(mean, low, high, count float64) {
	if b.count == 0 {
		b.low, b.high = low, high
	}
	b.low, b.high = min(b.low, low), max(b.high, high)
	b.count += count
	b.mean += (mean - b.mean) * count / b.count
}

// of returns the graph of one field.
func (g graph) of(field string) graph {
	return graph{g.query, slices.DeleteFunc(slices.Clone(g.series), func(s store.WindowSeries) bool { return s.Field != field })}
}

// buckets merges the series: what they have in one step becomes one bucket.
func (g graph) buckets() []bucket {
	out := make([]bucket, steps)
	for _, s := range g.series {
		for _, w := range s.Windows {
			i := int(w.Start.Sub(g.query.From) / g.query.Step)
			if i < 0 || i >= steps || w.Count == 0 {
				continue
			}
			out[i].add(w.Mean, w.Min, w.Max, float64(w.Count))
		}
	}
	return out
}

// line draws buckets as points at equal distances.
func line(buckets []bucket, unit string, f catalogue.Format) Spark {
	low, high := math.Inf(1), math.Inf(-1)
	for _, b := range buckets {
		if b.count > 0 {
			low, high = min(low, b.low), max(high, b.high)
		}
	}
	var b, doubts strings.Builder
	drawn := 0
	for i := range buckets {
		x := (float64(i) + 0.5) / float64(len(buckets)) * width
		if buckets[i].doubt {
			fmt.Fprintf(&doubts, "M%.1f 0V%g", x, height)
		}
		if buckets[i].count == 0 {
			continue
		}
		y := height / 2
		if high > low {
			y = height - 2 - (buckets[i].mean-low)/(high-low)*(height-4)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
		drawn++
	}
	if drawn < 2 {
		return Spark{}
	}
	least, _ := quantity(low, unit, f)
	most, sign := quantity(high, unit, f)
	about := strings.TrimSpace(fmt.Sprintf("between %s and %s %s", least, most, sign))
	if doubts.Len() > 0 {
		about += ", without suspect values"
	}
	return Spark{strings.TrimSpace(b.String()), doubts.String(), about}
}

// drawn is a value and the time span of its graph, for the template.
type drawn struct {
	Span  string
	Value Value
}

func pair(span string, v Value) drawn { return drawn{span, v} }
