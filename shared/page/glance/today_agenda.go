package glance

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/settings"
)

// happening is an event of a calendar, or a reminder of hearth.yml.
type happening struct {
	text, link string
	begin, end time.Time // in the zone of the house; end is after the last moment
	whole      bool      // of whole days: no time of day is known
}

// happenings returns what begins until the end of tomorrow and is not over, and reminders of
// later days that were told already, in order.
func (w *world) happenings(feeds []item.Item) (out []happening) {
	begin := w.dayAt(0)
	for _, i := range feeds {
		if h, ok := w.event(i); ok && h.end.After(w.Now) && h.end.After(begin) && h.begin.Before(w.dayAt(2)) {
			out = append(out, h)
		}
	}
	for _, r := range w.File.Reminders {
		for _, at := range deadline.Moments(r, w.Zone, begin, w.dayAt(2)) {
			out = append(out, w.reminder(r, at))
		}
		if ahead := w.Now.Add(r.Ahead); ahead.After(w.dayAt(2)) {
			for _, at := range deadline.Moments(r, w.Zone, w.dayAt(2), ahead) {
				out = append(out, w.reminder(r, at))
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b happening) int {
		return cmp.Or(w.calendarDay(latest(a.begin, begin)).Compare(w.calendarDay(latest(b.begin, begin))), wholeFirst(a, b), a.begin.Compare(b.begin), strings.Compare(a.text, b.text))
	})
	return out
}

// dayAt returns the midnight in the house's zone, some days from today.
func (w *world) dayAt(n int) time.Time {
	l := w.Now.In(w.Zone)
	return time.Date(l.Year(), l.Month(), l.Day()+n, 0, 0, 0, 0, w.Zone)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func wholeFirst(a, b happening) int {
	switch {
	case a.whole == b.whole:
		return 0
	case a.whole:
		return -1
	}
	return 1
}

// event returns the event that an item is, by its attributes start and end: times in RFC 3339,
// or days, of which end is the one after the last. Without an end it lasts an hour or a day.
func (w *world) event(i item.Item) (h happening, ok bool) {
	h = happening{text: w.Redact(i.Title), link: config.Link(i.URL)}
	if h.begin, h.whole, ok = w.moment(i.Attributes["start"]); !ok {
		return h, false
	}
	h.end = h.begin.Add(time.Hour)
	if h.whole {
		h.end = h.begin.AddDate(0, 0, 1)
	}
	if end, _, known := w.moment(i.Attributes["end"]); known && end.After(h.begin) {
		h.end = end
	}
	return h, true
}

// moment reads a time in RFC 3339, or a day, which begins at midnight in the house's zone.
func (w *world) moment(s string) (t time.Time, whole, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, false, true
	}
	t, err := time.ParseInLocation(time.DateOnly, s, w.Zone)
	return t, true, err == nil
}

// reminder returns a reminder of hearth.yml. It stays until the end of its day.
func (w *world) reminder(r settings.Reminder, at time.Time) happening {
	l := at.In(w.Zone)
	return happening{text: w.Redact(r.Text), begin: at, end: time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, w.Zone), whole: r.At == ""}
}

// agenda returns the lines: each of today, tomorrow as one line, and each of later days.
func (w *world) agenda(hs []happening) (lines []agendaLine) {
	more := 0
	var tomorrow []template.HTML
	var later []agendaLine
	for _, h := range hs {
		switch {
		case h.begin.Before(w.dayAt(1)):
			if len(lines) == maxAgenda {
				more++
				continue
			}
			lines = append(lines, agendaLine{When: w.timeOf(h), Text: escaped(h.text), Link: h.link})
		case h.begin.Before(w.dayAt(2)):
			text := escaped(h.text)
			if !h.whole {
				text = w.at(h.begin, clock) + " " + text
			}
			tomorrow = append(tomorrow, text)
		default:
			later = append(later, agendaLine{When: day(w.calendarDay(h.begin), date), Text: escaped(h.text), Later: true})
		}
	}
	if more > 0 {
		lines = append(lines, agendaLine{Text: texts.HTML("page.more", more), Later: true})
	}
	if n := len(tomorrow); n > maxTomorrow {
		tomorrow = append(tomorrow[:maxTomorrow], texts.HTML("page.more", n-maxTomorrow))
	}
	if len(tomorrow) > 0 {
		lines = append(lines, agendaLine{When: day(w.calendarDay(w.dayAt(1)), weekday), Text: join(tomorrow, " · "), Later: true})
	}
	return append(lines, later...)
}

// timeOf writes when something of today begins, or until when it lasts if it began before today.
func (w *world) timeOf(h happening) template.HTML {
	switch {
	case h.whole || h.begin.Before(w.dayAt(0)) && !h.end.Before(w.dayAt(1)):
		return texts.HTML("today.allDay")
	case h.begin.Before(w.dayAt(0)):
		return texts.HTML("today.until", w.at(h.end, clock))
	}
	return w.at(h.begin, clock)
}
