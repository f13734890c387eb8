package status

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// quantity writes a value in a format, and returns the sign of its unit.
func quantity(v float64, unit string, f catalogue.Format) (number_, sign string) {
	a := math.Abs(v)
	switch {
	case f.Duration && a >= 60 && v > 0:
		return lasting(time.Duration(min(v, 1e9) * float64(time.Second))), ""
	case len(f.Prefixes) > 0:
		return scaled(v, unit, f.Prefixes)
	case f.WholeFrom > 0 && a >= f.WholeFrom:
		return point(v, 0), unit
	case f.TenthFrom > 0 && a >= f.TenthFrom:
		return point(v, 1), unit
	case f.Fixed:
		return point(v, f.Digits), unit
	}
	return number(v), unit
}

func point(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// scaled writes a value with the sign for its size: 4.66 GB.
func scaled(v float64, unit string, prefixes []string) (string, string) {
	for ; math.Abs(v) >= 1000 && len(prefixes) > 0; prefixes = prefixes[1:] {
		v, unit = v/1000, prefixes[0]
	}
	return number(v), unit
}

// show writes a quantity as markup.
func show(v float64, unit string, f catalogue.Format) template.HTML {
	n, sign := quantity(v, unit, f)
	out := "<b>" + template.HTMLEscapeString(n) + "</b>"
	if sign != "" {
		out += ` <span class="unit">` + template.HTMLEscapeString(sign) + "</span>"
	}
	return template.HTML(out)
}

// number writes a value with about four digits.
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

// ago writes the distance of t from now: "5 min ago", "in 3 h". status.js does the same.
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

// dayAge writes how long ago a day was, on the calendar of a zone: "yesterday". A day of
// UTC may have begun before it does in the zone: then it is today.
func dayAge(now time.Time, zone *time.Location, day string) string {
	at, err := time.Parse(time.DateOnly, day)
	today, err2 := time.Parse(time.DateOnly, now.In(zone).Format(time.DateOnly))
	if err != nil || err2 != nil {
		return ""
	}
	switch n := int(today.Sub(at) / (24 * time.Hour)); {
	case n <= 0:
		return "today"
	case n == 1:
		return "yesterday"
	default:
		return fmt.Sprintf("%d days ago", n)
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

// lasting writes a span with hours and minutes: "1 h 34 min".
func lasting(d time.Duration) string {
	switch h, m := int(d.Hours()), int(d.Minutes())%60; {
	case d < time.Hour || h >= 48 || m == 0:
		return span(d)
	default:
		return fmt.Sprintf("%d h %d min", h, m)
	}
}

func stamp(t time.Time) string                      { return t.UTC().Format(time.RFC3339) }
func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04 MST") }
func text(ss []string) string                       { return strings.Join(ss, ", ") }

// Quantity writes the value of a field for a person: "12.5 °C", "open".
func Quantity(v float64, f catalogue.Field) string {
	if word := f.Word(v); word != "" {
		return word
	}
	n, sign := quantity(v, f.Unit, f.Format())
	return strings.TrimSpace(n + " " + sign)
}
