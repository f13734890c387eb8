package glance

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// shownUnit is a unit in which a person wants a field: shown is (stored*Factor + Offset).
type shownUnit struct {
	sign           string
	factor, offset float64
}

// back returns the stored value of a shown one.
func (u *shownUnit) back(v float64) float64 { return (v - u.offset) / u.factor }

// unitOf returns how a field is shown in a unit; "" is nil. It is an error if the field is no
// quantity of the unit.
func unitOf(f catalogue.Field, sign string) (*shownUnit, error) {
	if sign = strings.TrimSpace(sign); sign == "" {
		return nil, nil
	}
	of, _ := catalogue.UnitOf(f.Unit)
	to, _ := catalogue.UnitOf(sign)
	if of.Symbol != to.Symbol {
		if f.Unit == "" {
			return nil, fmt.Errorf("%s has no unit", f.Key)
		}
		return nil, fmt.Errorf("%s is in %s, which cannot be shown as %s", f.Key, f.Unit, sign)
	}
	return &shownUnit{sign, of.Factor / to.Factor, (of.Offset - to.Offset) / to.Factor}, nil
}

// inUnit returns a stored value in the line's unit, or in those of the house.
func (w *world) inUnit(v float64, f catalogue.Field, u *shownUnit) float64 {
	if u != nil {
		return v*u.factor + u.offset
	}
	v, _ = w.convert(v, f.Unit)
	return v
}

// shown writes a stored value of a field: its word, or the number and its unit.
func (w *world) shown(v float64, f catalogue.Field, u *shownUnit) (template.HTML, string) {
	if word := f.Word(v); word != "" {
		return template.HTML(template.HTMLEscapeString(w.Redact(word))), ""
	}
	form := f.Format()
	if u != nil {
		v = v*u.factor + u.offset
		if u.sign != f.Unit {
			return num(v, digitsThatCount(v, 3)), u.sign
		}
		return num(v, digitsOf(form, v)), u.sign
	}
	v, unit := w.convert(v, f.Unit)
	if unit != f.Unit {
		form = catalogue.Field{Unit: imperialFormat[unit]}.Format()
	}
	if form.Duration && v >= 60 {
		return hoursAndMinutes(v), ""
	}
	if unit == "ft" && math.Abs(v) >= 5280 {
		v, unit = v/5280, "mi"
	}
	for i := 0; i < len(form.Prefixes) && math.Abs(v) >= 1000; i++ {
		v, unit = v/1000, form.Prefixes[i]
	}
	return num(v, digitsOf(form, v)), unit
}

// imperialFormat has, by imperial unit, a unit of the catalogue whose numbers are written alike.
var imperialFormat = map[string]string{"°F": "°C", "mph": "m/s"}

// digitsOf returns how many digits behind the point a number has.
func digitsOf(f catalogue.Format, v float64) int {
	a := math.Abs(v)
	switch {
	case f.WholeFrom > 0 && a >= f.WholeFrom:
		return 0
	case f.TenthFrom > 0 && a >= f.TenthFrom:
		return 1
	case f.Fixed:
		return f.Digits
	}
	return digitsThatCount(v, 4)
}

// digitsThatCount returns how many digits behind the point a number of about so many digits has,
// without zeros at the end; never more than 3.
func digitsThatCount(v float64, n int) int {
	most := 3
	if a := math.Abs(v); a >= 1 {
		most = max(0, min(3, n-1-int(math.Log10(a))))
	}
	_, rest, _ := strings.Cut(strconv.FormatFloat(v, 'f', most, 64), ".")
	return len(strings.TrimRight(rest, "0"))
}

// hoursAndMinutes writes seconds as 1 h 34 min.
func hoursAndMinutes(s float64) template.HTML {
	min := int(s / 60)
	switch {
	case min < 60:
		return texts.HTML("ages.minutes", num(float64(min), 0))
	case min < 48*60:
		return texts.HTML("ages.hoursMinutes", num(float64(min/60), 0), num(float64(min%60), 0))
	}
	return texts.HTML("ages.days", num(float64(min/1440), 0))
}

// percent writes a share as an SVG length, which is cut to what is drawn.
func percent(share float64) string {
	return strconv.FormatFloat(100*max(0, min(1, share)), 'f', 1, 64) + "%"
}

// bar draws a share of a range, with a mark in it.
func bar(share, mark float64, marked bool) template.HTML {
	at := ""
	if marked && mark > 0 && mark < 1 {
		at = fmt.Sprintf(`<rect class="bar-mark" x="%s" y="0" width="2" height="14"/>`, percent(mark))
	}
	return template.HTML(fmt.Sprintf(`<svg class="bar" height="14" aria-hidden="true"><rect class="bar-all" y="3" width="100%%" height="8" rx="4"/><rect class="bar-in" y="3" width="%s" height="8" rx="4"/>%s</svg>`, percent(share), at))
}
