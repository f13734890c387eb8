package function

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// dateText is a folded date, of which some parts have been read.
type dateText struct {
	s          string
	zone       zone // that is known already
	otherwise  zone // that counts if the text has none
	monthFirst bool
}

// clockForm is a way to write a time of day. The groups are hour, minute, second, fraction, and
// what is before the m of AM or PM, in Latin and Greek letters.
type clockForm struct {
	*regexp.Regexp
	sure bool // what matches can be nothing else
}

var clockForms = []clockForm{
	{regexp.MustCompile(`(?:^|[^\d+-])(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9})\d*)?(?::00\b|:\d{3}\b)?)?(?:\s?([ap])\.?\s?m\b\.?|\s?([πμ])\.?μ\.?)?`), true},
	{regexp.MustCompile(`(?:^|\D)(\d{1,2})\s?h\s?(\d{2})?()()()()(?:\s?m(?:in)?)?\b`), false},
	{regexp.MustCompile(`(?:^|[^\d.:/-])(\d{1,2})()()()\s?([ap])\.?\s?m\b\.?()`), false},
	{regexp.MustCompile(`(?:^|[\s,])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?()()()\b`), false},
}

var (
	unknownZone = regexp.MustCompile(`\n\s?[a-z]{2,5}( \d{4})?$`) // is taken for UTC

	before12   = regexp.MustCompile(`^\s?(?:ص|pg\b|p\.d\.)`)
	afterwards = regexp.MustCompile(`^\s?(?:م|ptg\b|m\.d\.)`)
	spanish    = regexp.MustCompile(`[ap]\. m`)

	forenoon  = regexp.MustCompile(`(?:\b(?:am|a\.m\.)|오전|上午|午前|凌晨|早上|清晨)\s*$`)
	afternoon = regexp.MustCompile(`(?:\b(?:pm|p\.m\.)|오후|下午|午後|晚上|傍晚|中午)\s*$`)
)

const maxClocks = 3 // times of day in a text that are tried

// withClock reads a date with a time of day in this form. found is whether it has one for sure:
// then it has no other form.
func (t dateText) withClock(form clockForm) (_ date, found, ok bool) {
	all := form.FindAllStringSubmatchIndex(t.s, -1)
	if len(all) == 0 {
		return date{}, false, false
	}
	if form.sure {
		all = all[:1]
	}
	for _, m := range slices.Backward(all[max(len(all)-maxClocks, 0):]) {
		if out, ok := t.atClock(m); ok {
			return out, true, true
		}
	}
	return date{}, form.sure, false
}

// atClock reads a date whose time of day is at m, the submatches of a clockForm.
func (t dateText) atClock(m []int) (date, bool) {
	part := func(n int) string {
		if m[2*n] < 0 {
			return ""
		}
		return t.s[m[2*n]:m[2*n+1]]
	}
	hour, minute, second, nanos := number(part(1)), number(part(2)), number(part(3)), number((part(4) + "000000000")[:9])
	before, after := t.s[:m[2]], t.s[m[1]:]
	am, pm := part(5) == "a" || part(6) == "π", part(5) == "p" || part(6) == "μ"
	for form, half := range map[*regexp.Regexp]*bool{forenoon: &am, afternoon: &pm} {
		if at := form.FindStringIndex(before); at != nil {
			before, *half = before[:at[0]], true
		}
	}
	if at := afterwards.FindString(after); at != "" {
		pm, after = true, after[len(at):]
	} else if at := before12.FindString(after); at != "" {
		am, after = true, after[len(at):]
	}
	if hour > 24 || minute > 59 || second > 60 || hour == 24 && minute+second > 0 {
		return date{}, false
	}
	switch {
	case am && hour == 12:
		hour = 0
	case pm && hour < 12:
		hour += 12
	}
	z, after, ok := takeZone(after, t.zone)
	if !ok {
		return date{}, false
	}
	rest := strings.TrimRight(before, ":,- ") + " \n" + after // the time of day was at the line break
	if z, rest, ok = takeZoneAtEnd(rest, z); !ok {
		return date{}, false
	}
	if !z.known {
		rest, z = unknownZone.ReplaceAllString(rest, "$1"), t.otherwise
	}
	english := part(5) != "" && !spanish.MatchString(t.s[m[2]:m[1]])
	day, ok := readDay(strings.ReplaceAll(rest, "\n", ""), t.monthFirst || english || z.us)
	if !ok || day.span != spanDay {
		return date{}, false
	}
	at := z.in(day.year, day.month, day.day, hour, minute, second, nanos)
	return date{at: at, end: at}, true
}

// withoutClock reads a date without a time of day.
func (t dateText) withoutClock() (date, bool) {
	z, rest, ok := takeZoneAtEnd(t.s, t.zone)
	if !ok {
		return date{}, false
	}
	day, ok := readDay(rest, t.monthFirst || z.us)
	if !ok {
		return date{}, false
	}
	first, next := day, day
	switch day.span {
	case spanYear:
		next.year++
	case spanMonth:
		next.month++
	default:
		next.day++
	}
	in := func(c calendarDay) time.Time { return z.in(c.year, c.month, c.day, 0, 0, 0, 0) }
	return date{in(first), in(next), first.String()}, true
}

// The rules for Korean, Japanese and Chinese dates.
var (
	eastDay    = regexp.MustCompile(`(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]|[日月火水木金土]曜日?|[월화수목금토일]요일`)
	eastKorean = regexp.MustCompile(`\p{Hangul}`)
	eastJapan  = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}曜時]|午前|午後`)
	eastAny    = regexp.MustCompile(`[年月日时点星周週上下午晚]`)
	eastHour   = regexp.MustCompile(`(\d)\s*[時时시点點]\s*(?:(\d{1,2})\s*[分분]\s*(?:(\d{1,2})\s*[秒초])?)?`)
	eastYear   = regexp.MustCompile(`(\d)\s*[年년月월]\s*`)
	eastDate   = regexp.MustCompile(`(\d)\s*[日일号號]`)
)

// rewriteEast returns a Korean, Japanese or Chinese date with - and : between its numbers, and
// the zone of its country.
func rewriteEast(s string) (string, zone) {
	z := zone{known: true}
	switch {
	case eastKorean.MatchString(s), eastJapan.MatchString(s):
		z.minutes = 9 * 60
	case eastAny.MatchString(s):
		z.minutes = 8 * 60
	default:
		return s, zone{}
	}
	s = eastDay.ReplaceAllString(s, " ")
	s = eastHour.ReplaceAllStringFunc(s, func(found string) string {
		m := eastHour.FindStringSubmatch(found)
		return m[1] + ":" + (m[2] + "00")[:max(len(m[2]), 2)] + (":" + m[3] + "00")[:max(len(m[3]), 2)+1]
	})
	return eastDate.ReplaceAllString(eastYear.ReplaceAllString(s, "$1-"), "$1 "), z
}
