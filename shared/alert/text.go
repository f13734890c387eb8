package alert

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/printable"
)

// Text returns a notice as plain text: a title, then a line for each fact.
func (h *House) Text(n Notice) string {
	s := &n.Alert
	lines := []string{h.Title(n)}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if s.Text != "" {
		add("%s", s.Text)
	}
	switch n.What {
	case Ended:
		if !s.Since.IsZero() {
			add("It lasted %s, from %s to %s.", Span(s.Ended.Sub(s.Since)), h.When(s.Since, n.At), h.When(s.Ended, n.At))
		}
		if s.Worst != nil {
			add("Worst: %s", Number(*s.Worst, s.Unit))
		}
		return strings.Join(lines, "\n")
	case Unwatched:
		return strings.Join(lines, "\n")
	case Flaps:
		add("%d changes in the last hour. There are no further messages until it is calm for an hour.", len(s.Changes))
	}
	if !s.Since.IsZero() {
		add("Since %s (%s)", h.When(s.Since, n.At), Span(n.At.Sub(s.Since)))
	}
	if s.Phase == Unknown {
		add("There has been no data since %s.", h.When(s.Stopped, n.At))
	}
	if s.Good != nil {
		add("Last good: %s at %s", Number(*s.Good, s.Unit), h.When(s.GoodAt, n.At))
	}
	if s.Next != "" {
		add("%s", s.Next)
	}
	return strings.Join(lines, "\n")
}

// Title returns the first line of a notice: what and where.
func (h *House) Title(n Notice) string {
	s := &n.Alert
	title, of := cmp.Or(s.Title, s.Rule), s.Subject.Label()
	if of != "" {
		title += ": " + of
	}
	switch n.What {
	case Ended:
		return "Resolved: " + title
	case Changed:
		if s.Level == 0 && len(s.Causes) > 0 {
			return "Still firing, for another reason: " + title
		}
		return "Still firing: " + title
	case Reminder, Repeat:
		return "Still firing: " + title
	case Flaps:
		return "Flapping: " + title
	case Unwatched:
		return "No longer watched: " + title
	}
	return title
}

// Label returns what a subject is called, in one line: "Office air (Office)", "weather
// seattle".
func (s Subject) Label() string {
	name := cmp.Or(s.Name, s.Device, strings.TrimSpace(s.Function+" "+s.Target))
	if s.Room != "" && !strings.EqualFold(name, s.Room) {
		name += " (" + s.Room + ")"
	}
	return printable.Line(name)
}

// When returns a time for a person, in the zone of the house: "14:05", with the date if
// it is not of the same day as now.
func (h *House) When(t, now time.Time) string {
	t, now = t.In(h.zone()), now.In(h.zone())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("15:04 on 2 January")
}

// Number returns a value with its unit for a person, with thousands separated: "1,620
// ppm". It has two decimals at most, or two significant digits if that is more.
func Number(v float64, unit string) string {
	decimals := 2
	if size := math.Abs(v); size > 0 && size < 0.1 {
		decimals = min(1-int(math.Floor(math.Log10(size))), 12)
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	text, negative := strings.CutPrefix(text, "-")
	whole, rest, fraction := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction {
		whole += "." + rest
	}
	if negative && text != "0" {
		whole = "-" + whole
	}
	if unit != "" && unit != "%" && !strings.HasPrefix(unit, "°") {
		unit = " " + unit
	}
	return whole + unit
}
