package deadline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
)

const mostListed = 5 // alerts, or tasks, by their titles; of the others the number is told

// Morning is what the message in the morning is made of. What is not known is left out.
type Morning struct {
	Weather  []Weather
	Tasks    []item.Item   // open, with the attributes due_at (RFC 3339) or due_on (2006-01-02)
	Firing   []alert.State // open alerts
	Energy   *Energy
	Coming   []string // what ends soon, a sentence each; only of Sundays
	Imperial bool     // °F and inches, not °C and mm
	Currency string   // of Energy.Cost
}

// IsEmpty reports whether nothing is known of the day and the house.
func (m Morning) IsEmpty() bool {
	return len(m.Weather) == 0 && len(m.Tasks) == 0 && len(m.Firing) == 0 && m.Energy == nil && len(m.Coming) == 0
}

// Weather is the weather of a place, now and today.
type Weather struct {
	Place       string
	Sky         string // "light rain"; "": unknown
	Now         *float64
	Low, High   *float64 // °C, today
	Rain, Snow  float64  // mm, today
	RainPercent float64  // chance of rain or snow today
}

// Energy is what the meters counted on a day.
type Energy struct {
	KWh  float64
	Cost *float64 // nil: no price is known for all of the day
}

// Text returns the message, a line for each part.
func (m Morning) Text(h *alert.House, now time.Time) string {
	lines := []string{"Good morning."}
	for _, w := range m.Weather {
		lines = append(lines, w.sentence(m.Imperial))
	}
	lines = append(lines, m.tasks(h, now)...)
	if len(m.Firing) == 0 {
		lines = append(lines, "All is well at home.")
	} else {
		lines = append(lines, m.alerts(h, now)+".")
	}
	if m.Energy != nil {
		lines = append(lines, "Yesterday: "+m.Energy.text(m.Currency)+".")
	}
	if len(m.Coming) > 0 {
		lines = append(lines, "Coming:")
		for _, c := range m.Coming {
			lines = append(lines, "• "+c)
		}
	}
	return strings.Join(lines, "\n")
}

// Away returns the message of one line for a house that is empty.
func (m Morning) Away(h *alert.House, now time.Time) string {
	line := "All well at home"
	if len(m.Firing) > 0 {
		line = "At home: " + m.alerts(h, now)
	}
	if m.Energy != nil {
		line += fmt.Sprintf(", %s yesterday", m.Energy.text(m.Currency))
	}
	return line + "."
}

// sentence says the weather as a person would.
func (w Weather) sentence(imperial bool) string {
	var parts []string
	if w.Sky != "" {
		parts = append(parts, w.Sky)
	}
	if w.Now != nil {
		parts = append(parts, degrees(*w.Now, imperial)+" now")
	}
	if w.Low != nil && w.High != nil {
		parts = append(parts, fmt.Sprintf("%s to %s today", degrees(*w.Low, imperial), degrees(*w.High, imperial)))
	}
	what, fallen := "rain", w.Rain
	if w.Snow > w.Rain {
		what, fallen = "snow", w.Snow
	}
	if w.RainPercent >= 20 {
		chance := fmt.Sprintf("%.0f%% chance of %s", w.RainPercent, what)
		if depth := depth(fallen, imperial); depth != "" {
			chance += " (" + depth + ")"
		}
		parts = append(parts, chance)
	}
	return w.Place + ": " + strings.Join(parts, ", ") + "."
}

func degrees(celsius float64, imperial bool) string {
	v, unit := celsius, "°C"
	if imperial {
		v, unit = celsius*9/5+32, "°F"
	}
	return fmt.Sprintf("%.0f %s", math.Round(v)+0, unit) // + 0: no -0
}

func depth(mm float64, imperial bool) string {
	switch {
	case mm < 0.5:
		return ""
	case imperial:
		return fmt.Sprintf("%.1f in", mm/25.4)
	}
	return fmt.Sprintf("%.0f mm", mm)
}

func (e Energy) text(currency string) string {
	decimals := 1
	if e.KWh >= 100 {
		decimals = 0
	}
	text := fmt.Sprintf("%.*f kWh", decimals, e.KWh)
	if e.Cost != nil {
		text += fmt.Sprintf(" for %.2f", *e.Cost) + strings.TrimRight(" "+currency, " ")
	}
	return text
}

// task is a task with when it is due: a moment, or all of a day.
type task struct {
	title string
	due   time.Time
	day   bool
}

// end is when a task is late.
func (t task) end() time.Time {
	if t.day {
		return t.due.AddDate(0, 0, 1)
	}
	return t.due
}

// tasks returns a line about what is due today, the earliest first, and one about what is
// late.
func (m Morning) tasks(h *alert.House, now time.Time) (lines []string) {
	z := zone(h)
	local := now.In(z)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, z)
	tomorrow := midnight.AddDate(0, 0, 1)
	var today, late []task
	for _, i := range m.Tasks {
		t := task{title: i.Title}
		var err error
		if t.due, err = time.Parse(time.RFC3339, i.Attributes["due_at"]); err != nil {
			t.day = true
			if t.due, err = time.ParseInLocation(time.DateOnly, i.Attributes["due_on"], z); err != nil {
				continue
			}
		}
		switch {
		case t.due.Before(midnight):
			late = append(late, t)
		case t.due.Before(tomorrow):
			today = append(today, t)
		}
	}
	if len(today) > 0 {
		lines = append(lines, "Today: "+list(today, func(t task) string {
			if t.day {
				return t.title
			}
			return t.title + " (" + t.due.In(z).Format("15:04") + ")"
		})+".")
	}
	if len(late) > 0 {
		lines = append(lines, "Late: "+list(late, func(t task) string { return t.title + " (" + t.due.In(z).Format("2 January") + ")" })+".")
	}
	return lines
}

// list names the first tasks, those with a time before those of the whole day.
func list(ts []task, name func(task) string) string {
	slices.SortStableFunc(ts, func(a, b task) int {
		return cmp.Or(cmp.Compare(a.end().Unix(), b.end().Unix()), cmp.Compare(a.title, b.title))
	})
	var names []string
	for _, t := range ts {
		names = append(names, name(t))
	}
	return some(names)
}

// alerts names the alerts that fire, the critical ones first.
func (m Morning) alerts(h *alert.House, now time.Time) string {
	order := map[alert.Severity]int{alert.Critical: 0, alert.Warning: 1, alert.Info: 2}
	firing := slices.Clone(m.Firing)
	slices.SortStableFunc(firing, func(a, b alert.State) int {
		return cmp.Or(cmp.Compare(order[a.Severity], order[b.Severity]), a.Since.Compare(b.Since))
	})
	var names []string
	for _, s := range firing {
		names = append(names, h.Title(alert.Notice{What: alert.Fired, Alert: s, At: now}))
	}
	if len(firing) == 1 {
		return "1 alert: " + names[0]
	}
	return fmt.Sprintf("%d alerts: %s", len(firing), some(names))
}

// some joins the first names, and says how many more there are.
func some(names []string) string {
	if n := len(names); n > mostListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], "; "), n-mostListed)
	}
	return strings.Join(names, "; ")
}
