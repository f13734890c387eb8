package function

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zones are the time zones that dates name by letters, in minutes east of UTC. Of a name with
// several meanings it is the one that feeds use: BST is British, IST Indian, CST American.
var zones = map[string]int{
	"z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60, "mez": 60, "cest": 120, "cedt": 120, "mest": 120, "mesz": 120,
	"eet": 120, "eest": 180, "eedt": 180, "msk": 180, "msd": 240, "trt": 180, "idt": 180, "ist": 330, "gst": 240, "pkt": 300, "npt": 345, "irst": 210, "irdt": 270,
	"wat": 60, "cat": 120, "sast": 120, "eat": 180, "wib": 420, "ict": 420, "wita": 480, "hkt": 480, "sgt": 480, "myt": 480, "pht": 480, "awst": 480, "wit": 540, "jst": 540, "kst": 540,
	"acst": 570, "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780, "brt": -180, "brst": -120, "art": -180, "clt": -240, "clst": -180, "cot": -300, "pet": -300, "vet": -240,
	"nst": -210, "ndt": -150, "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "hast": -600,
}

// american are the zones that are in summer or winter time by the date. Who writes them has
// the month first in 3/4/2026.
var american = map[string]string{"at": "America/Halifax", "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}

var (
	offsetForm = regexp.MustCompile(`^[\s,(:]*(?:(?:gmt|utc|ut)\s?)?(?:(--|[+-])(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?|([+-])\s(\d{2}):?(\d{2}))z?\b`)
	zoneWord   = regexp.MustCompile(`^[\s,(]*([a-z]{1,5})\b`)
	zoneAtEnd  = regexp.MustCompile(`\s((?:gmt|utc)?[+-]\d{2}:?\d{2}|[a-z]{1,4})$|\d(z|[+-]\d{2}:\d{2}|\+\d{4})$`)
	place      = regexp.MustCompile(`\[?\b[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+(?:[+-]\d+)?)+\]?|\[(?:UTC|GMT)\]`)
)

// zone is the time zone of a date. The zero zone is unknown.
type zone struct {
	known   bool
	numeric bool           // an offset, which counts more than a name
	minutes int            // east of UTC
	place   *time.Location // nil: minutes
	us      bool           // an American one
}

// in returns a time of day in this zone.
func (z zone) in(y, m, d, hour, min, sec, nsec int) time.Time {
	if z.place != nil {
		return time.Date(y, time.Month(m), d, hour, min, sec, nsec, z.place).UTC()
	}
	return time.Date(y, time.Month(m), d, hour, min-z.minutes, sec, nsec, time.UTC)
}

// takeZone reads the zones at the beginning of the text after a time of day: "+01:00 (CET)".
// It returns the rest. ok is false for an offset that cannot be.
func takeZone(s string, z zone) (_ zone, rest string, ok bool) {
	for range 3 {
		if m := offsetForm.FindStringSubmatch(s); m != nil {
			if z, ok = offset(z, m[1]+m[4], m[2]+m[5], m[3]+m[6]); !ok {
				return z, s, false
			}
			s = s[len(m[0]):]
			continue
		}
		m := zoneWord.FindStringSubmatchIndex(s)
		if m == nil {
			break
		}
		named, known := zoneNamed(s[m[2]:m[3]])
		if !known {
			break
		}
		if !z.known {
			z = named
		}
		s = s[m[3]:]
	}
	return z, s, true
}

// offset returns the zone of an offset like -0530, -05:30, -530 or -5.
func offset(z zone, sign, hours, minutes string) (zone, bool) {
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	if h > 24 || m > 59 {
		return z, false
	}
	minute := h*60 + m
	if sign[0] == '-' {
		minute = -minute
	}
	return zone{known: true, numeric: true, minutes: minute, us: z.us}, true
}

// zoneNamed returns the zone with this folded name.
func zoneNamed(word string) (zone, bool) {
	if minutes, ok := zones[word]; ok {
		return zone{known: true, minutes: minutes, us: minutes <= -240 && minutes >= -600 && len(word) == 3}, true
	}
	if name, ok := american[word]; ok {
		l, err := time.LoadLocation(name)
		return zone{known: true, place: l, us: true}, err == nil
	}
	return zone{}, false
}

// takePlace reads a zone like Europe/Brussels, wherever it stands. It returns the rest.
func takePlace(s string) (zone, string) {
	m := place.FindStringIndex(s)
	if m == nil {
		return zone{}, s
	}
	name := strings.Trim(s[m[0]:m[1]], "[]")
	l, err := time.LoadLocation(name)
	if err != nil {
		return zone{}, s
	}
	return zone{known: true, place: l, us: strings.HasPrefix(name, "America/") || strings.HasPrefix(name, "US/")}, s[:m[0]] + " " + s[m[1]:]
}

// takeZoneAtEnd reads the zone of a date without a time of day.
func takeZoneAtEnd(s string, z zone) (zone, string, bool) {
	m := zoneAtEnd.FindStringSubmatchIndex(s)
	if m == nil || z.known {
		return z, s, true
	}
	start := max(m[2], m[4])
	named, rest, ok := takeZone(s[start:], z)
	if rest != "" || !named.known {
		return z, s, ok
	}
	return named, s[:start], true
}
