package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
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

// bucket is a step of a line: the mean of what is in it.
type bucket struct{ sum, count, low, high float64 }

func (b *bucket) add(v float64) {
	if b.count == 0 {
		b.low, b.high = v, v
	}
	b.sum += v
	b.count++
	b.low, b.high = min(b.low, v), max(b.high, v)
}

// spark draws one field of a series between from and to.
func spark(points []reading.Reading, field, unit string, from, to time.Time) Spark {
	buckets := make([]bucket, steps)
	for _, p := range points {
		v, ok := p.Fields[field]
		at := float64(p.Time.Sub(from)) / float64(to.Sub(from)) * steps
		if ok && at >= 0 && at < steps {
			buckets[int(at)].add(v)
		}
	}
	return line(buckets, unit)
}

// line draws buckets of the same width.
func line(buckets []bucket, unit string) Spark {
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
			y = height - 2 - (buckets[i].sum/buckets[i].count-low)/(high-low)*(height-4)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", (float64(i)+0.5)/float64(len(buckets))*width, y)
		drawn++
	}
	if drawn < 2 {
		return Spark{}
	}
	least, _ := quantity(low, unit)
	most, sign := quantity(high, unit)
	return Spark{strings.TrimSpace(b.String()), strings.TrimSpace(fmt.Sprintf("between %s and %s %s", least, most, sign))}
}

// drawn is a value with the span of its graph, for the template.
type drawn struct {
	Span  string
	Value Value
}

func pair(span string, v Value) drawn { return drawn{span, v} }
