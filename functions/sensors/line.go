package function

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/mapping"
)

var errLine = errors.New("not line protocol")

// lines decodes line protocol. ok is false if no line is valid. bad is the error of
// the first invalid line; the others are returned.
// https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
func lines(payload string) (ts []telegrafMetric, ok bool, bad error) {
	for n := 1; payload != ""; {
		rest := strings.TrimLeft(payload, " \t\r")
		if rest == "" || rest[0] == '\n' || rest[0] == '#' {
			_, payload, _ = strings.Cut(rest, "\n")
			n++
			continue
		}
		if len(ts) >= maxMetrics {
			return ts, true, fmt.Errorf("there are more than %d lines", maxMetrics)
		}
		t, after, err := parseLine(rest)
		if err == nil {
			ts = append(ts, t)
		} else {
			if bad == nil {
				bad = fmt.Errorf("line %d: %w", n, err)
			}
			_, after, _ = strings.Cut(rest, "\n")
		}
		n += strings.Count(payload[:len(payload)-len(after)], "\n")
		payload = after
	}
	return ts, len(ts) > 0, bad
}

// parseLine decodes name,tag=value field=1i,other="text" 1458229140000000000 and
// returns what follows the line. It ignores texts.
func parseLine(s string) (t telegrafMetric, rest string, err error) {
	t = telegrafMetric{tags: map[string]string{}, fields: map[string]float64{}}
	var end byte
	if t.name, s, end = token(s, ", \n"); t.name == "" {
		return t, "", errLine
	}
	for end == ',' {
		var k, v string
		if k, s, end = token(s, "=, \n"); end != '=' || k == "" {
			return t, "", errLine
		}
		if v, s, end = token(s, ", \n"); v == "" {
			return t, "", fmt.Errorf("%w: the tag %.60q has no value", errLine, k)
		}
		t.tags[k] = v
	}
	if end != ' ' {
		return t, "", errLine
	}
	s = strings.TrimLeft(s, " ")
	for end = ','; end == ','; {
		var k, v string
		if k, s, end = token(s, "=, \n"); end != '=' || k == "" {
			return t, "", errLine
		}
		if v, s, end = value(s); v == "" {
			return t, "", fmt.Errorf("%w: the field %.60q has no value", errLine, k)
		}
		if err := t.addField(k, v); err != nil {
			return t, "", err
		}
	}
	if end == ' ' {
		var at string
		at, s, _ = strings.Cut(s, "\n")
		t.time, err = lineTime(strings.TrimSpace(at))
	}
	return t, s, err
}

// lineTime decodes a time in s, ms, µs or ns, which the size of the number tells.
// Without a number it returns the zero time.
func lineTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if _, err := strconv.ParseInt(s, 10, 64); err != nil {
		return time.Time{}, fmt.Errorf("%w: the time is %.40q", errLine, s)
	}
	return mapping.ParseTime(s, time.UTC)
}

// token reads up to the first unescaped character of ends. It returns the text without
// escapes, what follows the end, and the end: 0 at the end of the payload.
func token(s, ends string) (string, string, byte) {
	plain := strings.IndexAny(s, ends)
	if plain >= 0 && strings.IndexByte(s[:plain], '\\') < 0 {
		return s[:plain], s[plain+1:], s[plain]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) && strings.IndexByte(", =", s[i+1]) >= 0 {
			i++
			b.WriteByte(s[i])
			continue
		}
		if strings.IndexByte(ends, c) >= 0 {
			return b.String(), s[i+1:], c
		}
		b.WriteByte(c)
	}
	return b.String(), "", 0
}

// value reads a field's value. A text keeps its quotes and may contain line breaks.
func value(s string) (string, string, byte) {
	if !strings.HasPrefix(s, `"`) {
		v, rest, end := token(s, ", \n")
		return strings.TrimSuffix(v, "\r"), rest, end
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			text, rest := s[:i+1], strings.TrimPrefix(s[i+1:], "\r")
			switch {
			case rest == "":
				return text, "", 0
			case strings.IndexByte(", \n", rest[0]) >= 0:
				return text, rest[1:], rest[0]
			}
			return "", "", 0
		}
	}
	return "", "", 0
}

func (t *telegrafMetric) addField(key, v string) error {
	switch v {
	case "t", "T", "true", "True", "TRUE":
		t.fields[key] = 1
		return nil
	case "f", "F", "false", "False", "FALSE":
		t.fields[key] = 0
		return nil
	}
	if v[0] == '"' {
		return nil
	}
	number := v
	if last := v[len(v)-1]; last == 'i' || last == 'u' {
		number = v[:len(v)-1]
	}
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err == nil && (math.IsNaN(n) || math.IsInf(n, 0)), strings.EqualFold(v, "null"), strings.EqualFold(v, "none"):
		return nil // there is no value
	case err != nil:
		return fmt.Errorf("%w: the field %.60q is %.40s", errLine, key, v)
	}
	t.fields[key] = n
	return nil
}
