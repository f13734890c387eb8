package function

import (
	"cmp"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxDate  = 500 // bytes of a date
	maxPlain = 120 // of them without markup and comments
)

// date is a date of an entry.
type date struct {
	at    time.Time // UTC; of a date without a time of day, its beginning
	end   time.Time // of the day, month or year if that is all that is given, or else at
	known string    // 2026-11-27, 2026-11 or 2026 if that is all that is given, or else ""
}

// dates reads the dates of one feed.
type dates struct {
	monthFirst bool // 3/4/2026 is 4 March
}

var (
	label         = regexp.MustCompile(`^(?:date|published|posted|updated|created)(?: on| at)?: ?`)
	timeAttribute = regexp.MustCompile(`(?i)\bdatetime="([^"]{4,60})"`) // Drupal puts a <time> element into pubDate
	dotNet        = regexp.MustCompile(`^[\\/]*date\((-?\d{1,18})(?:[+-]\d{4})?\)[\\/]*$`)
	seconds       = regexp.MustCompile(`^(\d{10})(?:\.\d+)?$`)
	compact       = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})[t ]?(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?(z|[+-].*|\s.*)?$`)
	isoWeek       = regexp.MustCompile(`^(\d{4})-?w(\d{2})(?:-?(\d))?(?:$|[t ])`)
	isoDay        = regexp.MustCompile(`^(\d{4})-(\d{3})(?:$|[t ])`)
	colonDay      = regexp.MustCompile(`^(\d{4}):(\d{2}):(\d{2})\b`) // of photographs
	goClock       = regexp.MustCompile(` m=[+-][\d.]+$`)
	noCentury     = regexp.MustCompile(`^-(\d{2})-?(\d{2})$`)
	comment       = regexp.MustCompile(`\([^()]*\)?`)
	vietnamese    = regexp.MustCompile(`\bthu (?:hai|ba|tu|nam|sau|bay)\b`) // weekdays; thu is also Thursday
)

// parse reads a date in any form that feeds use: RFC 822 and ISO 8601, whole or in part, Unix
// time, and what people write, in some forty languages. A time without a zone is in UTC,
// except in Korean, Japanese and Chinese. Without other evidence the day comes first in
// 3/4/2026; the evidence is a weekday, a time with AM or PM, an American zone, and monthFirst.
func (d dates) parse(s string) (_ date, ok bool) {
	if s = strings.TrimSpace(s); s == "" || len(s) > maxDate {
		return date{}, false
	}
	s = html.UnescapeString(s)
	if m := timeAttribute.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if len(comment.ReplaceAllString(s, "")) > maxPlain {
		return date{}, false
	}
	z, s := takePlace(s)
	s = fold(s)
	if at, ok := unix(s); ok {
		return date{at: at, end: at}, true
	}
	s = vietnamese.ReplaceAllString(goClock.ReplaceAllString(rewriteISO(label.ReplaceAllString(s, "")), ""), "")
	said, _, _ := takeZone(comment.FindString(s), zone{}) // (CET)
	s, east := rewriteEast(comment.ReplaceAllString(s, " "))
	t := dateText{s, z, cmp.Or(said, east), d.monthFirst}
	for _, form := range clockForms {
		if out, found, ok := t.withClock(form); found || ok {
			return out, ok
		}
	}
	return t.withoutClock()
}

// unix reads what is only a number: seconds, milliseconds, microseconds or nanoseconds since
// 1970, also in the form of .NET, /Date(1520932969000)/.
func unix(s string) (time.Time, bool) {
	if m := dotNet.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 64)
		at := time.UnixMilli(n).UTC()
		return at, err == nil && at.Year() <= 9999
	}
	if m := seconds.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	switch len(s) {
	case 10:
		return time.Unix(n, 0).UTC(), true
	case 13:
		return time.UnixMilli(n).UTC(), true
	case 16:
		return time.UnixMicro(n).UTC(), true
	case 19:
		return time.Unix(0, n).UTC(), true
	}
	return time.Time{}, false
}

// rewriteISO returns the shorter forms of ISO 8601 as year-month-day, with hour:minute.
func rewriteISO(s string) string {
	day := func(y, yearDay int, rest string) string {
		return time.Date(y, 1, yearDay, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) + rest
	}
	if m := compact.FindStringSubmatch(s); m != nil {
		return m[1] + "-" + m[2] + "-" + m[3] + " " + m[4] + ":" + m[5] + ":" + cmp.Or(m[6], "00") + m[7]
	}
	if m := isoWeek.FindStringSubmatch(s); m != nil && number(m[2]) <= 53 {
		y := number(m[1])
		fourth := time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC) // is in the first week
		monday := 4 - (int(fourth.Weekday())+6)%7
		return day(y, monday+7*(number(m[2])-1)+max(number(m[3]), 1)-1, s[len(strings.TrimRight(m[0], "t ")):])
	}
	if m := isoDay.FindStringSubmatch(s); m != nil && number(m[2]) >= 1 && number(m[2]) <= 366 {
		return day(number(m[1]), number(m[2]), s[8:])
	}
	if m := colonDay.FindStringSubmatch(s); m != nil {
		return m[1] + "-" + m[2] + "-" + m[3] + s[len(m[0]):]
	}
	if m := noCentury.FindStringSubmatch(s); m != nil {
		return "20" + m[1] + "-" + m[2]
	}
	return s
}
