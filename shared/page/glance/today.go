package glance

import (
	"context"
	"html/template"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/texts"
)

const (
	sourcesStale = 4 * time.Hour // sources of items run every hour
	maxAgenda    = 5             // events of today that are listed
	maxTomorrow  = 4             // the same of tomorrow, which are one line
	maxTasks     = 20            // tasks that are sent; the page shows those that fit
)

// todayTile is what the markup of the tile reads.
type todayTile struct {
	Agenda []agendaLine
	Tasks  []taskLine
	Count  string // of all tasks
	Rest   int    // how many are not in Tasks
}

// agendaLine is one event or reminder, or all of another day.
type agendaLine struct {
	When  template.HTML
	Text  template.HTML
	Link  string
	Later bool // not today
}

// taskLine is one task.
type taskLine struct {
	Title, Link, About string
	When               template.HTML
	Class              string // late, due or today; "": none of these
}

// today shows the events and reminders of today and tomorrow, and the tasks.
func today(ctx context.Context, w *world) (*Tile, error) {
	items, err := w.items(ctx, "asana")
	if err != nil {
		return nil, err
	}
	feeds, err := w.items(ctx, "feeds")
	if err != nil {
		return nil, err
	}
	var v todayTile
	events := slices.DeleteFunc(slices.Clone(feeds), func(i item.Item) bool { _, ok := w.event(i); return !ok })
	v.Agenda = w.agenda(w.happenings(events))
	tasks := w.tasks(items)
	if len(tasks)+len(v.Agenda) == 0 {
		return nil, nil
	}
	t := &Tile{Stale: sourcesStale, Needs: w.taskNeeds(tasks)}
	if t.At, err = w.ranFirst(ctx, len(tasks) > 0, len(events) > 0); err != nil {
		return nil, err
	}
	if v.Count, v.Rest = countOf(len(tasks), maxItems), max(len(tasks)-maxTasks, 0); len(v.Agenda) == 0 {
		t.Title = texts.Say("today.tasks") + " " + v.Count
	}
	for _, k := range tasks[:min(len(tasks), maxTasks)] {
		t.Sample = t.Sample || k.Sample
		v.Tasks = append(v.Tasks, taskLine{Title: w.Redact(k.Title), Link: config.Link(k.URL), About: w.Redact(k.about()), When: w.taskWhen(k), Class: k.class()})
	}
	t.Body = draw("today", v)
	return t, nil
}

// ranFirst returns when the sources of what is shown ran last: of tasks and events the one that
// ran first. Reminders do not age.
func (w *world) ranFirst(ctx context.Context, tasks, events bool) (first time.Time, err error) {
	for source, shown := range map[string]bool{"asana": tasks, "feeds": events} {
		if !shown {
			continue
		}
		ran, err := w.ranAt(ctx, source)
		if err != nil {
			return first, err
		}
		if !ran.IsZero() && (first.IsZero() || ran.Before(first)) {
			first = ran
		}
	}
	return first, nil
}

// calendarDay returns the day of a time in the zone of the house, as its midnight in UTC: days
// of the calendar are the same everywhere.
func (w *world) calendarDay(t time.Time) time.Time {
	l := t.In(w.Zone)
	return time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC)
}

// daysFrom returns how many days of the calendar b is after a.
func daysFrom(a, b time.Time) int { return int(b.Sub(a).Hours()) / 24 }
