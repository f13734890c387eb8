package page

import (
	"fmt"
	"math"
	"strconv"
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

// spark draws one field of a series between from and to.
func spark(points []reading.Reading, field string, from, to time.Time) Spark {
	var sums, counts [steps]float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		v, ok := p.Fields[field]
		at := float64(p.Time.Sub(from)) / float64(to.Sub(from)) * steps
		if !ok || at < 0 || at >= steps {
			continue
		}
		sums[int(at)] += v
		counts[int(at)]++
		low, high = min(low, v), max(high, v)
	}
	var b strings.Builder
	drawn := 0
	for i := range steps {
		if counts[i] == 0 {
			continue
		}
		y := height / 2
		if high > low {
			y = height - 2 - (sums[i]/counts[i]-low)/(high-low)*(height-4)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", (float64(i)+0.5)/steps*width, y)
		drawn++
	}
	if drawn < 2 {
		return Spark{}
	}
	return Spark{strings.TrimSpace(b.String()), fmt.Sprintf("between %s and %s", number(low), number(high))}
}

// number writes a value with as many digits as a glance takes in.
func number(v float64) string {
	digits := 2
	switch a := math.Abs(v); {
	case a >= 1000:
		digits = 0
	case a >= 100:
		digits = 1
	case a < 1 && a > 0:
		digits = 4
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// ago writes how far t is from now: "5 min ago", "in 3 h".
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < 0 && -d < time.Minute:
		return "in a moment"
	case d < 0:
		return "in " + span(-d)
	case d < time.Minute:
		return "just now"
	default:
		return span(d) + " ago"
	}
}

func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
func text(ss []string) string  { return strings.Join(ss, ", ") }

// drawn is a value with the span of its graph, for the template.
type drawn struct {
	Span  string
	Value Value
}

func pair(span string, v Value) drawn { return drawn{span, v} }
