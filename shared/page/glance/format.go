package glance

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/page/units"
)

// Numbers and times are written as data and time elements: page.js writes them again in the
// locale of the house with Intl, so that 1412.5 becomes 1 412,5 where that is usual.

// thin is a narrow space, which does not break.
const thin = "\u202f"

// text returns a number with digits behind the point, and with narrow spaces between thousands.
func text(v float64, digits int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + thin + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if v < 0 && strings.Trim(s, "0.") != "" {
		return "−" + whole
	}
	return whole
}

// num writes a number: <data value="22.1" data-d="1">22.1</data>.
func num(v float64, digits int) template.HTML {
	return template.HTML(fmt.Sprintf(`<data value="%s" data-d="%d">%s</data>`, strconv.FormatFloat(v, 'f', -1, 64), digits, text(v, digits)))
}

// inPlot writes a number within an SVG text.
func inPlot(v float64, digits int) template.HTML {
	return template.HTML(fmt.Sprintf(`<tspan data-value="%s" data-d="%d">%s</tspan>`, strconv.FormatFloat(v, 'f', -1, 64), digits, text(v, digits)))
}

// signed is num with a plus sign before a number above zero.
func signed(v float64, digits int) template.HTML {
	sign := ""
	if v > 0 {
		sign = ` data-sign="1"`
	}
	plus := map[bool]string{true: "+"}[v > 0]
	return template.HTML(fmt.Sprintf(`<data value="%s" data-d="%d"%s>%s%s</data>`, strconv.FormatFloat(v, 'f', -1, 64), digits, sign, plus, text(v, digits)))
}

// How a time is written: clock "14:07", hour "14", weekday "Sat", date "18 Dec", full "27 Nov 2026, 14:07", age "5 min", which
// counts on.
const (
	clock   = "hm"
	hour    = "h"
	weekday = "wd"
	date    = "dm"
	full    = "full"
	age     = "age"
)

// layouts are the forms of times without a locale.
var layouts = map[string]string{clock: "15:04", hour: "15", weekday: "Mon", date: "2 Jan", full: "2 Jan 2006, 15:04"}

// at writes a time in the zone of the house.
func (w *world) at(t time.Time, form string) template.HTML {
	text := ""
	if form == hour && t.In(w.Zone).Minute() != 0 { // where the clock differs from UTC by half an hour
		form = clock
	}
	if form == age {
		text = span(w.Now.Sub(t))
	} else {
		text = t.In(w.Zone).Format(layouts[form])
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-f="%s">%s</time>`, t.UTC().Format(time.RFC3339), form, text))
}

// day writes a day of the calendar, which is the same in every zone: t is its midnight in UTC.
func day(t time.Time, form string) template.HTML {
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-f="%s">%s</time>`, t.UTC().Format(time.DateOnly), form, t.UTC().Format(layouts[form])))
}

// span writes how long something lasts, in one unit: "5 min", "3 h", "2 days". page.js does the same.
func span(d time.Duration) string {
	d = max(d, -d)
	switch {
	case d < time.Minute:
		return texts.Say("ages.now")
	case d < time.Hour:
		return texts.Say("ages.minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return texts.Say("ages.hours", int(d.Hours()))
	default:
		return texts.Say("ages.days", int(d.Hours()/24))
	}
}

// convert returns a value in the units of the house.
func (w *world) convert(v float64, unit string) (float64, string) {
	u := units.Of(unit, w.imperial())
	return u.Shown(v), u.Symbol
}

// degrees writes a temperature without its letter, as in 11°.
func (w *world) degrees(celsius float64, digits int) template.HTML {
	v, _ := w.convert(celsius, "°C")
	return num(v, digits) + "°"
}
