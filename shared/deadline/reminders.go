package deadline

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/settings"
)

const (
	day     = 24 * time.Hour
	catchUp = day              // how late a reminder is still sent
	late    = 15 * time.Minute // a reminder that is sent later than that says so
	usually = "09:00"          // the time of day of a reminder without one
)

// Reminders returns the messages of the reminders that became due within the last 24
// hours. A message's key is made of the reminder and of the moment, so that the outbox
// sends it once however often Reminders is called. Times of day are of the house's zone:
// one that a clock change leaves out is an hour later, one that it repeats counts once. A
// day that a month does not have is the last of the month.
func Reminders(rs []settings.Reminder, h *alert.House, now time.Time) (messages []alert.Message) {
	for _, r := range rs {
		for _, at := range occurrences(r, zone(h), now.Add(r.Ahead-catchUp), now.Add(r.Ahead)) {
			key := fmt.Sprintf("reminder/%x/%s", hash(r), at.Add(-r.Ahead).UTC().Format("2006-01-02T15:04Z"))
			messages = append(messages, h.News(key, alert.Channel(cmp.Or(string(r.Channel), string(alert.Products))), reminderText(r, h, at, now), false, now)...)
		}
	}
	return messages
}

// Moments returns the moments with from <= moment < to that a reminder is about. Times of day
// are of the zone z, as for Reminders.
func Moments(r settings.Reminder, z *time.Location, from, to time.Time) []time.Time {
	return occurrences(r, z, from.Add(-1), to.Add(-1))
}

// occurrences returns the moments with from < moment <= to that a reminder is about.
func occurrences(r settings.Reminder, z *time.Location, from, to time.Time) (out []time.Time) {
	clock := TimeOfDay(settings.Clock(cmp.Or(string(r.At), usually)))
	first := from.In(z)
	for n := -1; ; n++ {
		at := time.Date(first.Year(), first.Month(), first.Day()+n, 0, int(clock/time.Minute), 0, 0, z)
		if n > 0 && at.After(to) {
			return out
		}
		if at.After(from) && !at.After(to) && on(r, time.Date(first.Year(), first.Month(), first.Day()+n, 0, 0, 0, 0, time.UTC)) {
			out = append(out, at)
		}
	}
}

// on reports whether a reminder is about a day, which is given as its midnight in UTC.
func on(r settings.Reminder, d time.Time) bool {
	if len(r.On) > 0 {
		return slices.Contains(r.On, settings.Weekday(strings.ToLower(d.Weekday().String())))
	}
	first, err := time.Parse(time.DateOnly, string(r.Date))
	if err != nil || d.Before(first) {
		return false
	}
	ofMonth := d.Day() == min(first.Day(), d.AddDate(0, 1, -d.Day()).Day())
	switch r.Every {
	case "day":
		return true
	case "week":
		return d.Weekday() == first.Weekday()
	case "month":
		return ofMonth
	case "year":
		return ofMonth && d.Month() == first.Month()
	}
	return d.Equal(first)
}

// reminderText returns a reminder's message about a moment.
func reminderText(r settings.Reminder, h *alert.House, at, now time.Time) string {
	text := "Reminder: " + r.Text
	if r.Ahead > 0 {
		text += "\nIt is for " + h.When(at, now) + "."
	}
	if due := at.Add(-r.Ahead); now.Sub(due) > late {
		text += "\nIt was due at " + h.When(due, now) + "."
	}
	return text
}

// hash identifies a reminder by all that hearth.yml says of it besides its time, which is
// in the moment.
func hash(r settings.Reminder) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %s %q", r.Text, r.On, r.Date, r.Every, r.Ahead, r.Channel))
	return sum[:6]
}

// TimeOfDay returns how long after midnight a time of day is.
func TimeOfDay(c settings.Clock) time.Duration {
	t, _ := time.Parse("15:04", string(c)) // package settings has checked it
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

func zone(h *alert.House) *time.Location {
	if h.Zone == nil {
		return time.UTC
	}
	return h.Zone
}
