package function

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How much is known of a day.
const (
	spanDay = iota
	spanMonth
	spanYear
)

type calendarDay struct{ year, month, day, span int }

// valid reports whether there is this day.
func (c calendarDay) valid() bool {
	t := time.Date(c.year, time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC)
	return c.year >= 1 && c.month >= 1 && c.month <= 12 && t.Day() == c.day
}

// String returns as much as is known: 2026-11-27, 2026-11 or 2026.
func (c calendarDay) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", c.year, c.month, c.day)[:[]int{spanDay: 10, spanMonth: 7, spanYear: 4}[c.span]]
}

// dayWords are the parts of a date without its time of day.
type dayWords struct {
	numbers []string // digits
	before  []string // what is between each number and the one before, without words
	months  []int    // the likeliest first; nil: no word is a month
	monthAt int      // how many numbers are before the word of the month
	days    uint8    // weekdays: 1<<time.Weekday
	words   int
}

// dayWord is a word that may be a month, a weekday or both: mar is March and mardi.
type dayWord struct {
	months []int
	days   uint8
	at     int // how many numbers are before it
}

func (d dayWord) isMonth() bool { return d.months != nil && d.days == 0 }

var (
	dayPart = regexp.MustCompile(`\d+|\p{L}+|.`)
	ordinal = regexp.MustCompile(`^(?:st|nd|rd|th|er|eme|e|o|a|re|ste|de|te|t)$`)
)

// readDay reads a folded date without its time of day. monthFirst decides 3/4/2026.
func readDay(s string, monthFirst bool) (calendarDay, bool) {
	w, ok := splitDay(s)
	if !ok || len(w.numbers) == 0 {
		return calendarDay{}, false
	}
	var all []calendarDay
	switch {
	case w.months != nil:
		all = w.named()
	case len(w.numbers) == 3:
		all = w.numeric(monthFirst)
	case w.words == 0:
		all = w.partial()
	}
	all = slices.DeleteFunc(all, func(c calendarDay) bool { return !c.valid() })
	for _, c := range all {
		if w.days>>time.Date(c.year, time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC).Weekday()&1 == 1 && c.span == spanDay {
			return c, true
		}
	}
	if len(all) == 0 {
		return calendarDay{}, false
	}
	return all[0], true
}

const maxUnknown = 2 // words before a date: a weekday in a language that is not known here

// splitDay returns the parts of a date. ok is false if it has other words than those of dates
// after its first number or month, or more than maxUnknown before.
func splitDay(s string) (w dayWords, ok bool) {
	var found []dayWord
	between, glued, unknown := "", false, 0
	for _, part := range dayPart.FindAllString(s, -1) {
		switch {
		case part[0] >= '0' && part[0] <= '9':
			if w.numbers, w.before = append(w.numbers, part), append(w.before, between); len(w.numbers) > 3 {
				return w, false
			}
			between, glued = "", true
			continue
		case !isLetter(part):
			if !strings.Contains(" .,-/'’;|·•،׳", part) {
				return w, false
			}
			between += part
		case glued && ordinal.MatchString(part):
		default:
			n := dateNames()
			months, days := n.months[part], n.days[part]
			w.words++
			if months == nil && days == 0 && !n.asides[part] {
				if unknown++; unknown > maxUnknown || len(part) < 2 || len(w.numbers) > 0 || slices.ContainsFunc(found, dayWord.isMonth) {
					return w, false
				}
			}
			if months != nil || days != 0 {
				found = append(found, dayWord{months, days, len(w.numbers)})
			}
		}
		glued = false
	}
	return w, w.assign(found)
}

// assign decides which of the words is the month: one that can be nothing else, or the last
// one. ok is false if there are two months.
func (w *dayWords) assign(found []dayWord) (ok bool) {
	month, sure := -1, 0
	for i, f := range found {
		if f.months != nil && (f.days == 0 || sure == 0) {
			if f.days == 0 && !(sure > 0 && slices.Equal(f.months, found[month].months)) {
				sure++
			}
			month = i
		}
	}
	for i, f := range found {
		if i == month {
			w.months, w.monthAt = f.months, f.at
		} else {
			w.days |= f.days
		}
	}
	return sure <= 1
}

func isLetter(part string) bool { r, _ := utf8.DecodeRuneInString(part); return unicode.IsLetter(r) }

// named returns what a date with the name of a month can be.
func (w dayWords) named() (all []calendarDay) {
	for _, month := range w.months {
		switch n := w.numbers; {
		case len(n) == 1 && len(n[0]) == 4:
			all = append(all, calendarDay{year(n[0]), month, 1, spanMonth})
		case len(n) == 2 && (len(n[0]) == 4 || number(n[0]) > 31 || w.monthAt == 0 && len(n[1]) < 3 && strings.ContainsAny(w.before[0], "'’")):
			all = append(all, calendarDay{year(n[0]), month, number(n[1]), spanDay})
		case len(n) == 2:
			all = append(all, calendarDay{year(n[1]), month, number(n[0]), spanDay})
		}
	}
	return all
}

// numeric returns what three numbers can be, the likeliest first.
func (w dayWords) numeric(monthFirst bool) []calendarDay {
	a, b, c := w.numbers[0], w.numbers[1], w.numbers[2]
	ymd := calendarDay{year(a), number(b), number(c), spanDay}
	dmy := calendarDay{year(c), number(b), number(a), spanDay}
	mdy := calendarDay{year(c), number(a), number(b), spanDay}
	slash := strings.Contains(w.before[1], "/")
	switch {
	case len(a) >= 4:
		return []calendarDay{ymd}
	case slash && monthFirst:
		return []calendarDay{mdy, dmy, ymd}
	case len(c) <= 2 && strings.Contains(w.before[1], "-"):
		return []calendarDay{ymd, dmy, mdy}
	}
	return []calendarDay{dmy, mdy, ymd}
}

// partial returns what a date without words can be that has one or two numbers: 2003-12,
// 12/2003, or digits without separators.
func (w dayWords) partial() []calendarDay {
	a := w.numbers[0]
	if len(w.numbers) == 2 {
		switch b := w.numbers[1]; {
		case strings.TrimSpace(w.before[1]) == "":
			return nil
		case len(a) == 4:
			return []calendarDay{{year(a), number(b), 1, spanMonth}}
		case len(b) == 4:
			return []calendarDay{{year(b), number(a), 1, spanMonth}}
		}
		return nil
	}
	switch len(a) {
	case 4:
		return []calendarDay{{year(a), 1, 1, spanYear}}
	case 5, 7: // with the day of the year
		return yearDay(year(a[:len(a)-3]), number(a[len(a)-3:]))
	case 6:
		return []calendarDay{{year(a[:2]), number(a[2:4]), number(a[4:]), spanDay}, {year(a[:4]), number(a[4:]), 1, spanMonth}}
	case 8:
		return []calendarDay{{year(a[:4]), number(a[4:6]), number(a[6:]), spanDay}, {year(a[4:]), number(a[2:4]), number(a[:2]), spanDay}}
	}
	return nil
}

func yearDay(y, n int) []calendarDay {
	t := time.Date(y, 1, n, 0, 0, 0, 0, time.UTC)
	if n < 1 || t.Year() != y {
		return nil
	}
	return []calendarDay{{y, int(t.Month()), t.Day(), spanDay}}
}

// year returns the year that two or four digits mean, 0 for others. Of two digits, 69 and more
// are in the last century.
func year(digits string) int {
	n := number(digits)
	switch {
	case len(digits) == 4:
		return n
	case len(digits) != 2 && len(digits) != 1:
		return 0
	case n >= 69:
		return 1900 + n
	}
	return 2000 + n
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits[:min(len(digits), 9)])
	return n
}
