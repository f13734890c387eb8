package glance

import (
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// gapAt is a point without a value.
func gapAt(t time.Time) point { return point{float64(t.Unix()), math.NaN()} }

func (w *world) drawRoom(r room, main measured, curve []point) roomCell {
	var plots []history.Series
	silent, newest := true, time.Time{}
	for _, m := range r.values {
		plots = append(plots, r.plot(m))
		silent = silent && m.old
		if m.at.After(newest) {
			newest = m.at
		}
	}
	if main.title != warmth.title {
		slices.SortStableFunc(plots, func(a, b history.Series) int { return rankOf(a, main) - rankOf(b, main) })
	}
	c := roomCell{Name: r.name, Keys: Tile{Plots: plots}.Keys(), Labels: Tile{Plots: plots}.Labels(), Curve: spark(curve)}
	if len(r.open) > 0 {
		c.Open, c.OpenClass = w.openOf(r.open)
	}
	if silent {
		c.Silent = w.at(newest, age)
		return c
	}
	c.Main, c.MainClass = w.roomValue(main, true), main.colour
	if main.old {
		c.MainClass, c.MainAge = "past", w.at(main.at, age)
	}
	if main.ofAir() {
		c.Air.Text = escaped(main.title)
	}
	for _, m := range r.values {
		switch {
		case m.title == main.title:
		case m.title == humidity.title:
			c.Wet = w.fact(m)
		default:
			c.Air = w.fact(m)
		}
	}
	return c
}

// rankOf puts the history of the large value first.
func rankOf(s history.Series, main measured) int {
	if s.Field == main.metric {
		return 0
	}
	return 1
}

// roomValue writes a value. A large one has its unit in small letters.
func (w *world) roomValue(m measured, large bool) template.HTML {
	if m.unit == "" {
		v, _ := w.convert(m.value, "°C")
		return num(v, m.digits) + "<small>°</small>"
	}
	v, unit := w.convert(m.value, m.unit)
	unit = template.HTMLEscapeString(unit)
	if large {
		return num(v, m.digits) + template.HTML("<small> "+unit+"</small>")
	}
	return num(v, m.digits) + template.HTML(" "+unit)
}

// fact writes a small value: with a chip where it is not good.
func (w *world) fact(m measured) roomFact {
	f := roomFact{Text: w.roomValue(m, false), Class: m.colour}
	if m.old {
		f.Class, f.Age = "past", w.at(m.at, age)
		return f
	}
	if m.title == humidity.title && m.value >= dampPercent {
		f.Word = texts.Say("rooms.damp")
		if f.Class == "" {
			f.Class = "calm"
		}
	}
	if d, ok := m.in.Field(m.metric); ok && f.Class == "" {
		if t := d.WarnOf(m.device.ID); t.HasAbove && m.value > t.Above || t.HasBelow && m.value < t.Below {
			f.Class = "calm"
		}
	}
	return f
}

// openOf says what is open in a room, and the class of its chip.
func (w *world) openOf(ds []device) (text, class string) {
	class = "calm"
	for _, d := range ds {
		if a, ok := w.alertOf(d.ID, "contact"); ok {
			class = colour(a.Severity)
		}
	}
	if of := openingOf(ds[0]); of != "" && len(ds) == 1 {
		return texts.Say("rooms.isOpen", of), class
	}
	return texts.Say("rooms.open"), class
}

// openingOf says what a contact is at, by its name: a window, a door, or just its name.
func openingOf(d device) string {
	name := folded(d.Name + " " + d.ID)
	for _, o := range openings {
		for _, part := range o.parts {
			if strings.Contains(name, part) {
				return o.word
			}
		}
	}
	return ""
}

// openings are what contacts are at, by parts of their names.
var openings = []struct {
	word  string
	parts []string
}{
	{texts.Say("rooms.window"), []string{"window", "fenster", "fenêtre", "ventana", "raam"}},
	{texts.Say("rooms.door"), []string{"door", "tuer", "porte", "puerta", "deur"}},
}
