// Package reading defines Reading, the one value that flows through hearth:
// sources and sensors make them, stores keep them, rules look at them.
package reading

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reading is what one thing said at one moment.
type Reading struct {
	Name   string             `json:"name"`           // measurement, as in the catalogue: "weather"
	Tags   map[string]string  `json:"tags,omitempty"` // what to group by: few distinct values
	Fields map[string]float64 `json:"fields"`         // unit in the key: "temperature_celsius"
	Text   map[string]string  `json:"text,omitempty"` // what a panel prints: "scattered clouds"
	Time   time.Time          `json:"time"`           // the source's clock, UTC
}

// Series names the line that r is a point of: measurement and sorted tags,
// escaped as in line protocol. Equal series give equal strings.
func (r Reading) Series() string {
	var b [128]byte // most fit, and nothing but the string is allocated
	return string(r.appendSeries(b[:0]))
}

// Line returns r in InfluxDB line protocol with nanoseconds, keys sorted, so
// that equal readings give equal lines.
func (r Reading) Line() string {
	var b [512]byte
	return string(r.AppendLine(b[:0]))
}

// AppendLine appends Line to b.
func (r Reading) AppendLine(b []byte) []byte {
	b = r.appendSeries(b)
	sep := byte(' ')
	var few [16]string
	for _, k := range sorted(few[:0], r.Fields) {
		b = append(b, sep)
		b = appendEscaped(b, k)
		b = append(b, '=')
		b = strconv.AppendFloat(b, r.Fields[k], 'f', -1, 64)
		sep = ','
	}
	for _, k := range sorted(few[:0], r.Text) {
		b = append(b, sep)
		b = appendEscaped(b, k)
		b = append(b, '=', '"')
		b = appendQuoted(b, r.Text[k])
		b = append(b, '"')
		sep = ','
	}
	b = append(b, ' ')
	return strconv.AppendInt(b, r.Time.UnixNano(), 10)
}

// Check reports what no store can keep: no name, no value, no time, or a value
// that is not a number. What a measurement may hold is the catalogue's matter.
func (r Reading) Check() error {
	switch {
	case r.Name == "":
		return fmt.Errorf("reading without a name")
	case r.Time.IsZero():
		return fmt.Errorf("%s: reading without a time", r.Name)
	case len(r.Fields)+len(r.Text) == 0:
		return fmt.Errorf("%s: reading without a value", r.Name)
	}
	for k, v := range r.Fields {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: %s is %v, not a number", r.Name, k, v)
		}
	}
	return nil
}

func (r Reading) appendSeries(b []byte) []byte {
	b = appendEscaped(b, r.Name)
	var few [4]string
	for _, k := range sorted(few[:0], r.Tags) {
		if v := r.Tags[k]; v != "" { // line protocol has no empty tag
			b = append(b, ',')
			b = appendEscaped(b, k)
			b = append(b, '=')
			b = appendEscaped(b, v)
		}
	}
	return b
}

// sorted puts a map's keys in order, into the given slice where they fit.
func sorted[V any](into []string, m map[string]V) []string {
	for k := range m {
		into = append(into, k)
	}
	slices.Sort(into)
	return into
}

// appendEscaped writes a name, tag or field key. A backslash before the end or
// before a special character cannot be told from an escape, so it becomes '/'.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', '=', ' ':
			b = append(b, '\\', c)
		case '\n', '\r', '\t':
			b = append(b, '\\', ' ')
		case '\\':
			b = append(b, '/')
		default:
			b = append(b, c)
		}
	}
	return b
}

func appendQuoted(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\uFFFD")
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}
