package function

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errLine = errors.New("no line protocol")

// parseLine reads one line of InfluxDB's line protocol:
// name,tag=value field=1i,other="text" 1458229140000000000. Texts are left out.
// https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
func parseLine(line string) (telegram, error) {
	t := telegram{tags: map[string]string{}, fields: map[string]float64{}}
	var end byte
	t.name, line, end = token(line, ", ")
	if t.name == "" {
		return t, errLine
	}
	for end == ',' {
		var k, v string
		if k, line, end = token(line, "=, "); end != '=' || k == "" {
			return t, errLine
		}
		if v, line, end = token(line, ", "); v == "" {
			return t, errLine
		}
		t.tags[k] = v
	}
	if end != ' ' {
		return t, errLine
	}
	line = strings.TrimLeft(line, " ")
	for more := true; more; {
		var k, v string
		if k, line, end = token(line, "=, "); end != '=' || k == "" {
			return t, errLine
		}
		if v, line, end = value(line); v == "" {
			return t, errLine
		}
		if err := t.put(k, v); err != nil {
			return t, err
		}
		more = end == ','
	}
	if line = strings.TrimSpace(line); line == "" {
		return t, nil
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil || n <= 0 {
		return t, errLine
	}
	t.time = time.Unix(0, n).UTC()
	return t, nil
}

// token reads up to one of the ends that is not escaped, and returns it without
// its escapes, what is behind the end, and the end, 0 for that of the line.
func token(s, ends string) (string, string, byte) {
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

// value reads a field's value; a text keeps its quotes.
func value(s string) (string, string, byte) {
	if !strings.HasPrefix(s, `"`) {
		return token(s, ", ")
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if i+1 == len(s) {
				return s, "", 0
			}
			if s[i+1] != ',' && s[i+1] != ' ' {
				return "", "", 0
			}
			return s[:i+1], s[i+2:], s[i+1]
		}
	}
	return "", "", 0
}

func (t *telegram) put(key, v string) error {
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
	if last := v[len(v)-1]; last == 'i' || last == 'u' {
		v = v[:len(v)-1]
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return errLine
	}
	t.fields[key] = n
	return nil
}
