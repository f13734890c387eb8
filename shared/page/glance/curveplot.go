package glance

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/page/texts"
)

// curveTicks are the maturities in months that are written below the plot.
var curveTicks = []float64{1, 6, 24, 60, 120, 360}

// The plot of a curve: its size, and where its inside begins.
const curveWidth, curveHeight, curveLeft, curveTop, curveBottom = 460, 135, 40, 8, 112

// curveBox is the plot of several curves over one axis: the maturities of all of them, which
// stand at equal distances.
type curveBox struct {
	box
	months []float64
}

func newCurveBox(curves ...Curve) curveBox {
	var b curveBox
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		b.months = append(b.months, c.months...)
		for _, y := range c.Yields {
			low, high = min(low, y), max(high, y)
		}
	}
	slices.Sort(b.months)
	b.months = slices.Compact(b.months)
	if high-low < 0.5 { // a flat curve is not drawn steep
		middle := (high + low) / 2
		low, high = middle-0.25, middle+0.25
	}
	b.box = box{Width: curveWidth - curveLeft, Height: curveBottom - curveTop, Right: float64(len(b.months) - 1), Low: low, High: high}
	return b
}

// d returns the path of a curve.
func (b curveBox) d(c Curve) string {
	points := make([]point, len(c.Yields))
	for i, y := range c.Yields {
		points[i] = point{float64(slices.Index(b.months, c.months[i])), y}
	}
	return b.path(points)
}

// step returns the distance of the grid's lines in percent: two to four of them fit.
func (b curveBox) step() float64 {
	for _, step := range []float64{0.25, 0.5, 1, 2, 5} {
		if (b.High-b.Low)/step <= 4 {
			return step
		}
	}
	return 10
}

// plotCurves draws the newest curve over those before, and one of a day of a person's choice;
// one without yields is left out.
func plotCurves(today Curve, before []Curve, chosen Curve) template.HTML {
	b := newCurveBox(append([]Curve{today, chosen}, before...)...)
	if len(b.months) < 2 {
		return ""
	}
	label := texts.Say("curve.of", today.sentence())
	for i, words := range texts.List("curve.before") {
		if i < len(before) && len(before[i].Yields) > 0 {
			label += "; " + words + ", " + before[i].sentence()
		}
	}
	picked := ""
	if len(chosen.Yields) > 0 {
		label += "; " + chosen.sentence()
		picked = fmt.Sprintf(` data-day="%s" data-words="%s"`, chosen.Day, template.HTMLEscapeString(chosen.words()))
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" class="yc" viewBox="0 0 %d %d" role="img" aria-label="%s"%s><g transform="translate(%d %d)">`,
		curveWidth, curveHeight, template.HTMLEscapeString(label), picked, curveLeft, curveTop)
	b.grid(&s)
	for i, class := range []string{"ghost", "ghost half", "ghost2"} {
		if i < len(before) && len(before[i].Yields) > 1 {
			fmt.Fprintf(&s, `<path class="%s" d="%s"/>`, class, b.d(before[i]))
		}
	}
	if len(chosen.Yields) > 1 {
		fmt.Fprintf(&s, `<path class="picked" d="%s"/>`, b.d(chosen))
	}
	fmt.Fprintf(&s, `<path class="line" d="%s"/></g></svg>`, b.d(today))
	return template.HTML(s.String())
}

// words says what a curve is like: "inverted, 10y − 2y −0.12".
func (c Curve) words() string {
	if c.Spread == nil {
		return ""
	}
	return texts.Say("curve.spread", c.shape(), strings.Replace(fmt.Sprintf("%+.2f", *c.Spread), "-", "−", 1))
}

// grid draws lines of equal yields, and the maturities below.
func (b curveBox) grid(s *strings.Builder) {
	step := b.step()
	digits := 1
	if step < 0.5 {
		digits = 2
	}
	for v := math.Ceil(b.Low/step) * step; v <= b.High+1e-9; v += step {
		y := b.y(v)
		fmt.Fprintf(s, `<line class="grid" x1="0" x2="%g" y1="%.1f" y2="%.1f"/><text class="ax" x="%d" y="%.1f">%s%%</text>`, b.Width, y, y, -curveLeft, y+4, inPlot(v, digits))
	}
	for i, m := range b.months {
		if !slices.Contains(curveTicks, m) && len(b.months) > maxPlotted {
			continue
		}
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case len(b.months) - 1:
			anchor = "end"
		}
		fmt.Fprintf(s, `<text class="ax" x="%.1f" y="%d" text-anchor="%s">%s</text>`, b.x(float64(i)), curveHeight-curveTop-3, anchor, termOf(m))
	}
}
