package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/scan"
)

// number reads a value as a number: a number, true as 1 and false as 0, or a string
// that is a number or one of words. ok is false for null and an empty string.
func number(raw []byte, words map[string]float64) (v float64, ok bool, err error) {
	s := scan.New(raw)
	switch s.Kind() {
	case scan.Null:
		return 0, false, nil
	case scan.Number:
		v, err = s.Float()
		return v, err == nil, err
	case scan.Bool:
		yes, _ := s.Bool() // cannot fail: Kind has seen it
		if yes {
			v = 1
		}
		return v, true, nil
	case scan.String:
		text, err := s.Text()
		if err != nil {
			return 0, false, err
		}
		return parseText(string(text), words)
	}
	return 0, false, fmt.Errorf("%.40s is not a number", raw)
}

// parseText reads a text as a number, or as one of words.
func parseText(text string, words map[string]float64) (float64, bool, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false, nil
	}
	if v, ok := words[strings.ToLower(text)]; ok {
		return v, true, nil
	}
	v, err := strconv.ParseFloat(decimalPoint(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false, fmt.Errorf("%.40q is not a number", text)
	}
	return v, true, nil
}

// decimalPoint replaces a decimal comma by a point. It leaves 1,234 alone, which may
// be 1234.
func decimalPoint(text string) string {
	whole, rest, ok := strings.Cut(text, ",")
	if !ok || strings.ContainsAny(text, ".") || len(rest) == 3 && strings.Trim(whole, "+-0") != "" {
		return text
	}
	return whole + "." + rest
}

// defaultWords are the texts that stand for numbers in every mapping.
var defaultWords = map[string]float64{"on": 1, "off": 0, "true": 1, "false": 0}

// Number reads a JSON value as a number: a number, a boolean as 1 or 0, or a string
// that is a number or one of on, off, true and false. ok is false for null and an
// empty string.
func Number(raw []byte) (v float64, ok bool, err error) { return number(raw, defaultWords) }

// Text returns a JSON string, or a number or boolean as it is written, cut at 200
// bytes. Any other value is "".
func Text(raw []byte) string { return text(raw) }

// text is Text.
func text(raw []byte) string {
	const most = 200
	s := scan.New(raw)
	b := raw
	switch s.Kind() {
	case scan.String:
		b, _ = s.Text()
	case scan.Number, scan.Bool:
	default:
		return ""
	}
	return strings.ToValidUTF8(string(b[:min(len(b), most)]), "")
}

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
