package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts of times that are not numbers. time.Parse accepts fractions after any
// seconds.
var layouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04"}

// ParseTime reads RFC 3339 and similar formats, in zone if the text has no zone, or
// the time since 1970 in seconds, milliseconds, microseconds or nanoseconds, which the
// size of the number tells. The result is in UTC.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 { // exact, to the nanosecond
		return unixTime(n), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		for _, layout := range layouts {
			if t, err := time.ParseInLocation(layout, s, zone); err == nil {
				return t.UTC(), nil
			}
		}
		return time.Time{}, fmt.Errorf("%.40q is not a time", s)
	}
	if v <= 0 || v >= 1e19 || math.IsNaN(v) {
		return time.Time{}, fmt.Errorf("%.40q is not a time", s)
	}
	for v >= 1e11 {
		v /= 1000
	}
	sec, frac := math.Modf(v)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC(), nil
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
