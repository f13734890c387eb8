package glance

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// box is the inside of a plot: its size in units of the drawing, and what stands at its edges.
type box struct {
	Width, Height float64
	Left, Right   float64 // values of x at the edges
	Low, High     float64 // values of y at the bottom and the top
}

// x returns where a value stands, from the left.
func (b box) x(v float64) float64 { return (v - b.Left) / (b.Right - b.Left) * b.Width }

// y returns where a value stands, from the top. Without a range it is the middle.
func (b box) y(v float64) float64 {
	if b.High <= b.Low {
		return b.Height / 2
	}
	return b.Height - (v-b.Low)/(b.High-b.Low)*b.Height
}

// point is a point of a curve; a NaN as Y is a gap.
type point struct{ X, Y float64 }

// path returns the d of an SVG path through the points. Gaps stay gaps.
func (b box) path(points []point) string {
	var out strings.Builder
	pen := "M"
	for _, p := range points {
		if math.IsNaN(p.Y) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&out, "%s%.1f %.1f", pen, b.x(p.X), b.y(p.Y))
		pen = "L"
	}
	return out.String()
}

// around returns the box with Low and High of the points, with some room above and below.
func (b box) around(points ...[]point) box {
	low, high := math.Inf(1), math.Inf(-1)
	for _, ps := range points {
		for _, p := range ps {
			if !math.IsNaN(p.Y) {
				low, high = min(low, p.Y), max(high, p.Y)
			}
		}
	}
	if low > high {
		return b
	}
	room := (high - low) * 0.08
	b.Low, b.High = low-room, high+room
	return b
}

// spark draws a small curve that fills its element, with a light area below it. Screen readers
// skip it: the number beside it says what matters.
func spark(points []point) template.HTML {
	if len(points) < 2 {
		return ""
	}
	b := box{Width: 100, Height: 26, Left: points[0].X, Right: points[len(points)-1].X}.around(points)
	d := b.path(points)
	if strings.Count(d, "L") < 1 {
		return ""
	}
	area := ""
	if strings.Count(d, "M") == 1 { // no gaps
		first := slices.IndexFunc(points, func(p point) bool { return !math.IsNaN(p.Y) })
		area = fmt.Sprintf(`<path class="area" d="%sV28H%.1fZ"/>`, d, b.x(points[first].X))
	}
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">%s<path class="line" d="%s"/></svg>`, area, d))
}
