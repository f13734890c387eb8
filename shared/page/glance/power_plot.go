package glance

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/energy"
	"github.com/hearth-home/hearth/shared/page/texts"
)

const (
	plotStep  = 30 * time.Minute
	plotSteps = int(24 * time.Hour / plotStep)
)

// powerPlot draws the power of today against that of yesterday, by the time of day in the zone
// of the house, and reports whether there is any of yesterday.
func (w *world) powerPlot(g meterGroup, d powerDays) (template.HTML, bool) {
	today, yesterday := w.byTimeOfDay(g, d.start, w.Now), w.byTimeOfDay(g, d.before, d.start)
	sum, known := g.watts()
	if known {
		today = append(today, point{w.hourOf(w.Now), sum})
	}
	b := box{Width: 560, Height: 92, Right: 24}.around(today, yesterday, []point{{}})
	if b.High <= b.Low || len(today)+len(yesterday) < 2 {
		return "", false
	}
	old := b.path(yesterday)
	var label []string
	if len(today) > 0 {
		label = append(label, texts.Say("power.plot", peak(today)))
	}
	if old != "" {
		label = append(label, texts.Say("power.plotYesterday", peak(yesterday)))
	}
	dot := ""
	if known {
		dot = fmt.Sprintf(`<path class="point" d="M%.1f %.1fh0"/>`, b.x(w.hourOf(w.Now)), b.y(sum))
	}
	return template.HTML(fmt.Sprintf(`<svg class="pw" viewBox="0 0 560 96" preserveAspectRatio="none" role="img" aria-label="%s"><path class="ghost" d="%s"/><path class="line" d="%s"/>%s</svg>`,
		template.HTMLEscapeString(strings.Join(label, "; ")), old, b.path(today), dot)), old != ""
}

// hourOf returns the time of day in hours.
func (w *world) hourOf(t time.Time) float64 {
	local := t.In(w.Zone)
	return float64(local.Hour()) + float64(local.Minute())/60
}

// byTimeOfDay returns the mean power of a group in each half hour of a day. An hour that comes
// twice, as when the clocks go back, has the mean of both; one that does not come is left out.
func (w *world) byTimeOfDay(g meterGroup, from, to time.Time) []point {
	var exists [plotSteps]bool
	for t := from; t.Before(to); t = t.Add(plotStep) {
		exists[int(w.hourOf(t)*2)] = true
	}
	var sums [plotSteps]float64
	var measured [plotSteps]bool
	for _, m := range g.meters {
		var kwh, hours [plotSteps]float64
		for _, p := range energy.Within(m.powers, from, to) {
			i := int(w.hourOf(p.Start) * 2)
			kwh[i], hours[i] = kwh[i]+p.KWh, hours[i]+p.End.Sub(p.Start).Hours()
		}
		for i := range sums {
			if hours[i] > 0 {
				sums[i], measured[i] = sums[i]+kwh[i]/hours[i]*1000, true
			}
		}
	}
	var out []point
	for i := range sums {
		switch x := (float64(i) + 0.5) * plotStep.Hours(); {
		case x > w.hourOfEnd(to): // too little of it is over
		case measured[i]:
			out = append(out, point{x, sums[i]})
		case exists[i] && len(out) > 0:
			out = append(out, point{x, math.NaN()})
		}
	}
	return out
}

// hourOfEnd is hourOf, where midnight is the end of a day.
func (w *world) hourOfEnd(t time.Time) float64 {
	if h := w.hourOf(t); h > 0 {
		return h
	}
	return 24
}

// peak says the highest value of points and when it was.
func peak(ps []point) string {
	top := point{0, math.Inf(-1)}
	for _, p := range ps {
		if p.Y > top.Y {
			top = p
		}
	}
	return texts.Say("power.peak", text(top.Y, 0), fmt.Sprintf("%02d:%02d", int(top.X), int(top.X*60)%60))
}
