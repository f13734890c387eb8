package settings

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Zone is an IANA time zone; "" is none.
type Zone string

// Location returns the time zone, UTC if there is none.
func (z Zone) Location() *time.Location {
	if l, err := time.LoadLocation(string(z)); err == nil { // the decoder has checked it
		return l
	}
	return time.UTC
}

// Clock is a time of day as in 22:30; "" is none.
type Clock string

// SinceMidnight returns the time of day as a duration.
func (c Clock) SinceMidnight() time.Duration {
	t, _ := time.Parse("15:04", string(c)) // the decoder has checked it
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Weekday returns the day as package time has it.
func (w Weekday) Weekday() time.Weekday { return time.Weekday(slices.Index(weekdays, string(w))) }

// Date is a day as in 2026-12-24; "" is none.
type Date string

// Words of which only the listed ones are valid. "" is none.
type (
	Units    string // metric, imperial
	Severity string // critical, warning, info
	Channel  string // pipelines, devices, climate, hardware, security, products
	Show     string // value, curve, bar, list
	Every    string // day, week, month, year
	Weekday  string // monday to sunday
)

// Locale is a language tag as in en-GB; Money is a currency as in EUR.
type (
	Locale string
	Money  string
)

// Path is where a value is in a payload, as in $.key.
type Path string

// Literal is a value as it is written: a text, a number, true or false.
type Literal string

// scalar says how a text of the file becomes a value, and which JSON Schema it has.
type scalar struct {
	parse  func(d *decoder, text string) (any, error)
	schema map[string]any
}

var scalars = map[reflect.Type]scalar{
	reflect.TypeFor[string]():        {func(_ *decoder, s string) (any, error) { return s, nil }, map[string]any{"type": "string"}},
	reflect.TypeFor[Path]():          {func(_ *decoder, s string) (any, error) { return s, nil }, map[string]any{"type": []string{"string", "number"}}},
	reflect.TypeFor[Literal]():       {func(_ *decoder, s string) (any, error) { return s, nil }, map[string]any{"type": []string{"string", "number", "boolean"}}},
	reflect.TypeFor[bool]():          {yesNo, map[string]any{"type": "boolean"}},
	reflect.TypeFor[float64]():       {number, map[string]any{"type": "number"}},
	reflect.TypeFor[time.Duration](): {duration, pattern(durationPattern, "90s", "15m", "2h", "1d")},
	reflect.TypeFor[time.Time]():     {timestamp, map[string]any{"type": "string", "examples": []string{"2026-12-24T18:00:00Z", "2026-12-24 18:00", "2026-12-24"}}},
	reflect.TypeFor[Zone]():          {zone, map[string]any{"type": "string", "examples": []string{"Europe/Berlin", "America/Los_Angeles"}}},
	reflect.TypeFor[Clock]():         matching(clockPattern, "time of day", "22:30"),
	reflect.TypeFor[Date]():          {date, pattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, "2026-12-24")},
	reflect.TypeFor[Locale]():        matching(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`, "locale", "en-GB"),
	reflect.TypeFor[Money]():         matching(`^[A-Z]{3}$`, "currency", "EUR"),
	reflect.TypeFor[Units]():         oneOf("metric", "imperial"),
	reflect.TypeFor[Severity]():      oneOf("critical", "warning", "info"),
	reflect.TypeFor[Channel]():       oneOf("pipelines", "devices", "climate", "hardware", "security", "products"),
	reflect.TypeFor[Show]():          oneOf("value", "curve", "bar", "list"),
	reflect.TypeFor[Every]():         oneOf("day", "week", "month", "year"),
	reflect.TypeFor[Weekday]():       oneOf("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
}

const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`
	clockPattern    = `^([01][0-9]|2[0-3]):[0-5][0-9]$`
)

func pattern(p string, examples ...string) map[string]any {
	return map[string]any{"type": "string", "pattern": p, "examples": examples}
}

// matching accepts texts that match a pattern. what and example are for its error.
func matching(p, what, example string) scalar {
	re := regexp.MustCompile(p)
	return scalar{func(_ *decoder, s string) (any, error) {
		if !re.MatchString(s) {
			return nil, fmt.Errorf("%q is not a %s: write it as in %s", short(s), what, example)
		}
		return s, nil
	}, pattern(p, example)}
}

func oneOf(words ...string) scalar {
	return scalar{func(_ *decoder, s string) (any, error) {
		if !slices.Contains(words, s) {
			return nil, errors.New(unknown("word", s, words))
		}
		return s, nil
	}, map[string]any{"type": "string", "enum": words}}
}

func yesNo(_ *decoder, s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return nil, fmt.Errorf("%q is neither true nor false", short(s))
}

func number(_ *decoder, s string) (any, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		return v, nil
	}
	if point := strings.Replace(s, ",", ".", 1); point != s {
		if _, err := strconv.ParseFloat(point, 64); err == nil {
			return nil, fmt.Errorf("%q is not a number: write %s", short(s), point)
		}
	}
	return nil, fmt.Errorf("%q is not a number", short(s))
}

var durationParts = regexp.MustCompile(`([0-9.]+)(ms|s|m|h|d)`)

// duration reads 90s, 1h30m or 7d; a day has 24 hours.
func duration(_ *decoder, s string) (any, error) {
	if !durationRE.MatchString(s) {
		return nil, fmt.Errorf("%q is not a duration: write it as in 90s, 15m, 2h or 1d", short(s))
	}
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	var sum float64
	for _, p := range durationParts.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.ParseFloat(p[1], 64) // cannot fail: the pattern has only such numbers
		sum += n * float64(units[p[2]])
	}
	const most = 100 * 366 * 24 * time.Hour
	if sum > float64(most) {
		return nil, fmt.Errorf("%q is longer than a hundred years", short(s))
	}
	return time.Duration(math.Round(sum)), nil
}

var durationRE = regexp.MustCompile(durationPattern)

// timestamp reads a time; one without a zone is in house.zone.
func timestamp(d *decoder, s string) (any, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, d.file.House.Zone.Location()); err == nil {
			return t.UTC(), nil
		}
	}
	return nil, fmt.Errorf("%q is not a time: write it as in 2026-12-24 18:00", short(s))
}

func date(_ *decoder, s string) (any, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return nil, fmt.Errorf("%q is not a day: write it as in 2026-12-24", short(s))
	}
	return s, nil
}

func zone(_ *decoder, s string) (any, error) {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return nil, fmt.Errorf("%q is not a time zone: write it as in Europe/Berlin", short(s))
	}
	return s, nil
}
