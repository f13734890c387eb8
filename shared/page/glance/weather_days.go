package glance

import (
	"fmt"
	"html/template"
	"math"

	"github.com/hearth-home/hearth/shared/reading"
)

const (
	daysAhead = 5
	mostSlots = 5 // of a day that is not known whole: with them its night and its noon are
)

// weatherDay is a line of the days to come.
type weatherDay struct {
	Day       template.HTML
	Icon      template.HTML
	Sky       string // in a word
	Chance    template.HTML
	Low, High template.HTML
	Range     template.HTML

	low, high float64 // °C
}

// days returns the days after today.
func (o *outlook) days() (out []weatherDay) {
	coldest, warmest := math.Inf(1), math.Inf(-1)
	for n := 1; n <= daysAhead; n++ {
		daily, slots := o.day(n)
		noon := o.midnight.AddDate(0, 0, n).Add(11 * slotTime / 3)
		low, high, ok := extremes(append(slots, daily...))
		if !ok || len(daily) == 0 && (len(slots) < mostSlots || slots[len(slots)-1].Time.Before(noon)) {
			continue
		}
		d := weatherDay{Day: o.at(noon, weekday), low: low, high: high, Low: num(round(o.celsius(low)), 0) + "°", High: num(round(o.celsius(high)), 0) + "°"}
		chance, known := mostOf(daily, slots, "precipitation_chance_percent")
		if known {
			d.Chance = num(chance, 0) + "%"
		}
		sky := skyOfDay(o, slots, !known || chance >= probable)
		d.Icon, d.Sky = icon(sky), skyWords[sky]
		coldest, warmest = min(coldest, low), max(warmest, high)
		out = append(out, d)
	}
	for i := range out {
		out[i].Range = rangeBar(box{Width: 100, Left: coldest, Right: math.Max(warmest, coldest+1)}, out[i].low, out[i].high)
	}
	return out
}

// mostOf returns the highest value of a field.
func mostOf(daily, slots []reading.Reading, field string) (most float64, ok bool) {
	if len(daily) == 0 {
		daily = slots
	}
	for _, r := range daily {
		if v, has := r.Fields[field]; has {
			most, ok = max(most, v), true
		}
	}
	return most, ok
}

// skyGravity orders skies: the worst of a day is the day's if it is one of rain or worse.
var skyGravity = map[string]int{"storm": 5, "snow": 4, "rain": 3, "drizzle": 2}

// skyOfDay returns the icon of a day: the worst of its rain, snow and thunder if these are
// probable (wet), else what its daytime is most of the time.
func skyOfDay(o *outlook, slots []reading.Reading, wet bool) string {
	worst, counted, most := "", map[string]int{}, ""
	for _, r := range slots {
		sky := skyOf(r, false)
		if skyGravity[sky] > skyGravity[worst] && fallen(r) > 0 && wet {
			worst = sky
		}
		if h := r.Time.In(o.Zone).Hour(); skyGravity[sky] == 0 && h >= 7 && h <= 21 {
			if counted[sky]++; most == "" || counted[sky] > counted[most] {
				most = sky
			}
		}
	}
	switch {
	case worst != "":
		return worst
	case most == "" && len(slots) > 0:
		return "cloud"
	}
	return most
}

// rangeBar draws a bar from low to high on a scale that the days share; its colour goes from
// cold to warm along that scale.
func rangeBar(b box, low, high float64) template.HTML {
	from, to := b.x(low), b.x(high)
	return template.HTML(fmt.Sprintf(`<svg class="range" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><path class="track" d="M0 3H100"/><path stroke="url(#warmth)" d="M%.1f 3H%.1f"/></svg>`, from, max(to, from+2)))
}
