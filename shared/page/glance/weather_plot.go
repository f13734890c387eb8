package glance

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	curveHours = 24
	axisHours  = 4   // between two times below the curve
	apart      = 4.5 // hours at least between two temperatures that are written
	mostRain   = 4.0 // mm in three hours that fill the room for rain, or the most of the day
)

// curve draws the next hours: the temperature as a line, rain and snow as bars. Its sizes are
// percentages, so that it fills its element and its texts keep their size.
func (o *outlook) curve() (template.HTML, []template.HTML) {
	begin := o.Now.Truncate(time.Hour)
	slots := o.within(begin.Add(curveHours*time.Hour + slotTime))
	var points []point
	if o.current() {
		points = append(points, point{o.Now.Sub(begin).Hours(), o.celsius(o.now.Fields["temperature_celsius"])})
	}
	for _, r := range slots { // those ahead
		points = append(points, point{r.Time.Sub(begin).Hours(), o.celsius(r.Fields["temperature_celsius"])})
	}
	if len(points) == 0 || points[0].X > curveHours {
		return "", nil
	}
	b := box{Width: 100, Height: 100, Left: 0, Right: curveHours}.around(points)
	bars := o.bars(begin, slots)
	b.High += (b.High - b.Low) * 0.3 // the numbers stand above the line
	b.Low -= (b.High - b.Low) * map[bool]float64{true: 0.5, false: 0.06}[bars != ""]
	var out strings.Builder
	fmt.Fprintf(&out, `<svg class="wx" role="img" aria-label="%s">%s`, template.HTMLEscapeString(o.curveWords(begin, points, slots)), bars)
	fmt.Fprintf(&out, `<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%%" height="100%%"><path class="line" d="%s"/></svg>`, smooth(b, points))
	for _, p := range written(points) {
		anchor := "middle"
		switch {
		case p.X < 1:
			anchor = "start"
		case p.X > curveHours-1:
			anchor = "end"
		}
		fmt.Fprintf(&out, `<text class="tl" x="%.1f%%" y="%.1f%%" dy="-.45em" text-anchor="%s">%s°</text>`, max(b.x(p.X), 0), b.y(p.Y), anchor, text(round(p.Y), 0))
	}
	out.WriteString("</svg>")
	var hours []template.HTML
	for h := 0; h <= curveHours; h += axisHours {
		hours = append(hours, o.at(begin.Add(time.Duration(h)*time.Hour), hour))
	}
	return template.HTML(out.String()), hours
}

// bars draws the rain and snow of the slots; "" if there is none.
func (o *outlook) bars(begin time.Time, slots []reading.Reading) string {
	most := mostRain
	for _, r := range slots {
		most = max(most, fallen(r))
	}
	var out strings.Builder
	for _, r := range slots {
		mm := fallen(r)
		from, to := max(r.Time.Add(-slotTime).Sub(begin).Hours(), 0), min(r.Time.Sub(begin).Hours(), curveHours)
		if mm == 0 || to <= from {
			continue
		}
		height := max(mm/most*45, 3)
		fmt.Fprintf(&out, `<rect class="rain" x="%.1f%%" width="%.1f%%" y="%.1f%%" height="%.1f%%" rx="3"/>`, from/curveHours*100+0.5, (to-from)/curveHours*100-1, 100-height, height)
	}
	return out.String()
}

// smooth returns a path through the points without corners, which does not rise above or fall
// below them (Fritsch and Carlson's tangents).
func smooth(b box, ps []point) string {
	n := len(ps)
	if n < 2 {
		return ""
	}
	slopes := make([]float64, n-1)
	for i := range slopes {
		slopes[i] = (ps[i+1].Y - ps[i].Y) / (ps[i+1].X - ps[i].X)
	}
	tangent := func(i int) float64 {
		switch {
		case i == 0:
			return slopes[0]
		case i == n-1:
			return slopes[n-2]
		case slopes[i-1]*slopes[i] <= 0:
			return 0
		}
		return 2 * slopes[i-1] * slopes[i] / (slopes[i-1] + slopes[i]) // the harmonic mean
	}
	var out strings.Builder
	fmt.Fprintf(&out, "M%.1f %.1f", b.x(ps[0].X), b.y(ps[0].Y))
	for i := 1; i < n; i++ {
		third := (ps[i].X - ps[i-1].X) / 3
		fmt.Fprintf(&out, "C%.1f %.1f %.1f %.1f %.1f %.1f", b.x(ps[i-1].X+third), b.y(ps[i-1].Y+third*tangent(i-1)),
			b.x(ps[i].X-third), b.y(ps[i].Y-third*tangent(i)), b.x(ps[i].X), b.y(ps[i].Y))
	}
	return out.String()
}

// written returns the points whose temperatures are written: the lowest, the highest, and the ends,
// as far as they are apart.
func written(all []point) (out []point) {
	var seen []point
	for _, p := range all {
		if p.X <= curveHours {
			seen = append(seen, p)
		}
	}
	low, high := seen[0], seen[0]
	for _, p := range seen {
		if p.Y < low.Y {
			low = p
		}
		if p.Y > high.Y {
			high = p
		}
	}
	for _, p := range append([]point{low, high, seen[0], seen[len(seen)-1]}, seen...) {
		free := true
		for _, o := range out {
			free = free && math.Abs(o.X-p.X) >= apart
		}
		if free {
			out = append(out, p)
		}
	}
	return out
}

// curveWords says in a sentence what the curve shows.
func (o *outlook) curveWords(begin time.Time, points []point, slots []reading.Reading) string {
	low, high, mm := points[0], points[0], 0.0
	for _, p := range points {
		if p.Y < low.Y {
			low = p
		}
		if p.Y > high.Y {
			high = p
		}
	}
	for _, r := range slots {
		mm += fallen(r)
	}
	clockOf := func(p point) string {
		return begin.Add(time.Duration(p.X * float64(time.Hour))).In(o.Zone).Format("15:04")
	}
	coldest, warmest := text(round(low.Y), 0), text(round(high.Y), 0)
	if v, unit := o.convert(mm, "mm"); mm > 0 {
		return texts.Say("weather.curveRain", coldest, clockOf(low), warmest, clockOf(high), text(v, 1), unit)
	}
	return texts.Say("weather.curve", coldest, clockOf(low), warmest, clockOf(high))
}
