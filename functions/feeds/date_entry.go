package function

import (
	"regexp"
	"time"

	"github.com/hearth-home/hearth/shared/item"
)

// published is the attribute with the date as the feed has it, of an entry whose date is a day,
// a month or a year without a time of day, or lies ahead: 2026-11-27, 2026-11, 2026 or
// 2026-11-27T14:05:06Z.
const published = "published"

const maxAhead = 24 * time.Hour // of a date: a clock or a zone may be wrong

var slashes = regexp.MustCompile(`(?:^|[^\d/])(\d{1,2})/(\d{1,2})/\d{2,4}\b`)

// datesOf returns a reader of the dates of one feed. The month comes first in 3/4/2026 if it
// does in another date of the feed, such as 3/14/2026.
func datesOf(all []string) dates {
	day, month := false, false
	for _, s := range all {
		if m := slashes.FindStringSubmatch(s[:min(len(s), maxDate)]); m != nil {
			day, month = day || number(m[1]) > 12, month || number(m[2]) > 12
		}
	}
	return dates{monthFirst: month && !day}
}

// first returns the first of an entry's dates that can be read.
func (d dates) first(all []string) (date, bool) {
	for _, s := range all {
		if out, ok := d.parse(s); ok && out.at.Year() > 1970 {
			return out, true
		}
	}
	return date{}, false
}

// set sets the time of an entry.
func (d date) set(i *item.Item) {
	i.At = d.at
	if d.known != "" {
		i.Attributes[published] = d.known
	}
}

// undate removes the times that do not say when an entry was published: those that lie ahead,
// as in a list of events, and a month or year that is not over. The entry then counts as
// published when it was first seen.
func undate(items []item.Item, now time.Time) {
	for n := range items {
		i := &items[n]
		end := i.At
		switch len(i.Attributes[published]) {
		case len("2026"):
			end = end.AddDate(1, 0, 0)
		case len("2026-11"):
			end = end.AddDate(0, 1, 0)
		}
		if !end.After(now.Add(maxAhead)) {
			continue
		}
		if i.Attributes[published] == "" {
			i.Attributes[published] = i.At.Format(time.RFC3339)
		}
		i.At = time.Time{}
	}
}

// undated returns a warning if none of a feed's entries has a date that can be read.
func undated(items []item.Item) []string {
	for _, i := range items {
		if !i.At.IsZero() || i.Attributes[published] != "" {
			return nil
		}
	}
	if len(items) == 0 {
		return nil
	}
	return []string{"its entries have no date that can be read: a new one counts as published when it is first seen"}
}

// fresh reports whether an entry is not older than maxAge. A day without a time of day counts
// from its end.
func (w watch) fresh(i item.Item, now time.Time) bool {
	end := i.At
	if len(i.Attributes[published]) == len(time.DateOnly) {
		end = end.Add(24 * time.Hour)
	}
	return !i.At.IsZero() && now.Sub(end) <= w.maxAge
}
