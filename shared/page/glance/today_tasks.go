package glance

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/texts"
)

const (
	idleDays      = 7  // from then on it is said how long nobody has touched a task
	maxNeeds      = 3  // tasks in the verdict, besides a line for the others
	maxNeedTitle  = 60 // characters of a task's title there
	weekdaysAhead = 6  // for so long a date is written as the day of the week
)

// task is a task and how it stands today.
type task struct {
	item.Item
	day     time.Time // of the calendar, on which it is due; zero: it has no date
	due     time.Time // its moment, if it has a time of day
	late    int       // days after its day; below 0: it is to come
	urgent  bool
	rank    int // by priority: 0 is the most urgent
	idle    int // days since it was changed
	touched time.Time
}

// tasks returns the tasks in the order in which they are to be done: late ones, those of today,
// then by priority and date.
func (w *world) tasks(items []item.Item) []task {
	out := make([]task, len(items))
	for n, i := range items {
		out[n] = w.task(i)
	}
	slices.SortStableFunc(out, func(a, b task) int {
		if c := cmp.Compare(a.bucket(), b.bucket()); c != 0 {
			return c
		}
		if a.bucket() == bucketLate {
			return cmp.Or(-cmp.Compare(a.late, b.late), cmp.Compare(a.rank, b.rank), strings.Compare(a.Title, b.Title))
		}
		return cmp.Or(cmp.Compare(a.rank, b.rank), compareDays(a.day, b.day), a.due.Compare(b.due), -cmp.Compare(a.idle, b.idle), strings.Compare(a.Title, b.Title))
	})
	return out
}

// task reads the attributes of a task; what cannot be read is as if it were not there.
func (w *world) task(i item.Item) task {
	t := task{Item: i}
	t.rank, t.urgent = priority(i.Attributes["priority"])
	if at, err := time.Parse(time.RFC3339, i.Attributes["due_at"]); err == nil {
		t.due, t.day = at, w.calendarDay(at)
	} else if d, err := time.Parse(time.DateOnly, i.Attributes["due_on"]); err == nil {
		t.day = d
	}
	now := w.calendarDay(w.Now)
	if !t.day.IsZero() {
		t.late = daysFrom(t.day, now)
	}
	if at, err := time.Parse(time.RFC3339, cmp.Or(i.Attributes["modified_at"], i.At.Format(time.RFC3339))); err == nil && at.Year() > 1 {
		t.touched, t.idle = at, daysFrom(w.calendarDay(at), now)
	}
	return t
}

// priority returns the rank of a priority's name, and whether it is urgent. Tasks without one
// stand before those of low priority.
func priority(name string) (rank int, urgent bool) {
	name = strings.ToLower(name)
	for n, words := range [][]string{{"urgent", "critical", "highest", "p0", "dringend", "asap"}, {"high", "p1", "hoch", "wichtig", "important"}, {"medium", "normal", "p2", "mittel"}} {
		for _, word := range words {
			if strings.Contains(name, word) {
				return n, n < 2
			}
		}
	}
	if strings.Contains(name, "low") || strings.Contains(name, "p3") || strings.Contains(name, "niedrig") {
		return 4, false
	}
	return 3, false
}

const (
	bucketLate = iota
	bucketToday
	bucketLater
)

func (t task) bucket() int {
	switch {
	case t.day.IsZero() || t.late < 0:
		return bucketLater
	case t.late == 0:
		return bucketToday
	}
	return bucketLate
}

// compareDays puts days before none.
func compareDays(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// class returns how grave it is: late and due are what a person is asked for.
func (t task) class() string {
	switch {
	case t.bucket() == bucketLate:
		return "late"
	case t.bucket() == bucketToday && t.urgent:
		return "due"
	case t.bucket() == bucketToday:
		return "today"
	}
	return ""
}

// about says where a task is and whose it is.
func (t task) about() string {
	return strings.Join(slices.DeleteFunc([]string{t.Target, t.Attributes["section"], t.Attributes["assignee"], t.Attributes["priority"]}, func(s string) bool { return s == "" }), " · ")
}

// taskWhen writes when a task is due, or how long it has been idle: "2 days late", "today",
// "Mon", "18 Dec", "idle 12 d".
func (w *world) taskWhen(t task) template.HTML {
	switch {
	case t.bucket() == bucketLate:
		return texts.HTML("today.daysLate", t.late)
	case t.bucket() == bucketToday && !t.due.IsZero():
		return w.at(t.due, clock)
	case t.bucket() == bucketToday:
		return texts.HTML("today.today")
	case !t.day.IsZero() && -t.late <= weekdaysAhead:
		return day(t.day, weekday)
	case !t.day.IsZero():
		return day(t.day, date)
	case t.idle >= idleDays:
		return texts.HTML("today.idle", t.idle)
	}
	return ""
}

// taskNeeds returns what the verdict says of tasks: the first that are late, or urgent and due
// today, and how many others are.
func (w *world) taskNeeds(ts []task) (out []Need) {
	var pressing []task
	for _, t := range ts {
		if t.class() == "late" || t.class() == "due" {
			pressing = append(pressing, t)
		}
	}
	for n, t := range pressing {
		if n == maxNeeds && len(pressing) > maxNeeds+1 {
			return append(out, Need{Severity: alert.Info, What: texts.Say("today.moreTasks", len(pressing)-maxNeeds), Value: texts.HTML("today.lateOrDue"), Sample: t.Sample})
		}
		since := time.Date(t.day.Year(), t.day.Month(), t.day.Day(), 0, 0, 0, 0, w.Zone)
		out = append(out, Need{Severity: alert.Warning, What: cut(w.Redact(t.Title), maxNeedTitle), Value: w.taskWhen(t), Link: config.Link(t.URL), Since: since, Sample: t.Sample})
	}
	return out
}

// countOf writes how many there are; the store reads at most most.
func countOf(n, most int) string {
	if n >= most {
		return strconv.Itoa(most) + "+"
	}
	return strconv.Itoa(n)
}
