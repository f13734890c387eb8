package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Moment is the time of a message as its device writes it. A local time without its
// offset may mean two moments, around the hour in which the clocks are changed.
type Moment struct {
	Time    time.Time // the later one; zero: the device gives no time
	Earlier time.Time // the other one; zero: there is none
	Twice   bool      // the local time comes twice; else it comes never, and there may be two of it for a clock that was not changed or too early
}

// Nearest returns the one of the moments that is nearest to when the message arrived.
func (m Moment) Nearest(arrived time.Time) time.Time {
	if !m.Earlier.IsZero() && arrived.Sub(m.Earlier).Abs() < arrived.Sub(m.Time).Abs() {
		return m.Earlier
	}
	return m.Time
}

// layouts of times that are not numbers. time.Parse accepts fractions after any
// seconds.
var layouts = []struct {
	layout string
	local  bool // it has no offset
}{
	{"2006-01-02T15:04:05Z07:00", false}, {"2006-01-02T15:04:05", true}, {"2006-01-02 15:04:05", true}, {"2006-01-02 15:04:05Z07:00", false},
	{"2006-01-02T15:04:05Z0700", false}, {"2006-01-02 15:04:05Z0700", false}, {"2006-01-02 15:04:05 -0700", false}, {"2006-01-02 15:04:05 -07:00", false},
	{"2006-01-02T15:04Z07:00", false}, {"2006-01-02T15:04", true}, {"2006-01-02 15:04", true},
	{"2006-01-02T15:04:05Z07", false}, {"2006-01-02 15:04:05Z07", false}, {"2006-01-02 15:04:05 UTC", false}, {"2006-01-02T15:04:05 UTC", false}, // PostgreSQL, date -u
	{"20060102T150405Z0700", false}, {"20060102T150405", true}, {"2006/01/02 15:04:05", true}, {time.ANSIC, true}, // C's ctime
	{"02.01.2006 15:04:05", true}, {"02.01.2006 15:04", true}, // with points the day is always first
	{time.RFC1123Z, false}, {"Mon, 02 Jan 2006 15:04:05 GMT", false},
}

// ParseTime reads RFC 3339 and similar formats, RFC 1123, ISO 8601's basic format, that
// of C's ctime and 23.11.2026 12:00, in zone if the text has no offset, or the time since
// 1970 in seconds, milliseconds, microseconds or nanoseconds, which the size of the number
// tells. The result is in UTC. Of two moments it is the later one.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	m, err := ParseMoment(s, zone)
	return m.Time, err
}

// ParseMoment reads what ParseTime reads.
func ParseMoment(s string, zone *time.Location) (Moment, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > -1e11 { // exact, to the nanosecond
		return Moment{Time: unixTime(n)}, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return parseDate(s, zone)
	}
	if v <= -1e11 || v >= 1e19 || math.IsNaN(v) {
		return Moment{}, notTime(s)
	}
	for v >= 1e11 {
		v /= 1000
	}
	sec, frac := math.Modf(v)
	return Moment{Time: time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC()}, nil
}

func notTime(s string) error { return fmt.Errorf("%.40q is not a time", s) }

// parseDate reads a date and time of day. A date without month or day, as of a clock that
// was never set, is 1970.
func parseDate(s string, zone *time.Location) (Moment, error) {
	for _, l := range layouts {
		t, err := time.Parse(l.layout, s)
		switch {
		case err == nil && l.local:
			return local(t, zone), nil
		case err == nil:
			return Moment{Time: t.UTC()}, nil
		}
	}
	if len(s) >= len("2000-00-00 00:00") && (s[4:7] == "-00" || s[7:10] == "-00") && strings.Trim(s, "0123456789-:.TZ ") == "" {
		return Moment{Time: time.Unix(0, 0).UTC()}, nil
	}
	return Moment{}, notTime(s)
}

// local returns the moments at which the clocks of a zone show what wall shows in UTC.
func local(wall time.Time, zone *time.Location) Moment {
	before, after := offset(wall.Add(-24*time.Hour), zone), offset(wall.Add(24*time.Hour), zone)
	first, second := wall.Add(-before), wall.Add(-after) // by the offsets before and after a change
	switch inFirst, inSecond := offset(first, zone) == before, offset(second, zone) == after; {
	case before == after, inFirst && !inSecond:
		return Moment{Time: first}
	case inSecond && !inFirst:
		return Moment{Time: second}
	case second.Before(first): // the clocks were set forward: there is no such time
		return Moment{Time: first, Earlier: second}
	default:
		return Moment{Time: second, Earlier: first, Twice: true}
	}
}

// offset returns how far the clocks of a zone are ahead of UTC.
func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// unixTime returns the time of a Unix time in the unit that its size tells.
func unixTime(n int64) time.Time {
	switch {
	case n < 1e11:
		return time.Unix(n, 0).UTC()
	case n < 1e14:
		return time.UnixMilli(n).UTC()
	case n < 1e17:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}
