// Package reading defines Reading: the values of one measurement at one time. Sources
// and sensors produce readings, stores keep them, rules evaluate them.
package reading

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reading has the values that one place, symbol or device reported at one time.
type Reading struct {
	Name   string             `json:"name"`           // measurement, as in the catalogue: "weather"
	Tags   map[string]string  `json:"tags,omitempty"` // labels to group by, each with few distinct values
	Fields map[string]float64 `json:"fields"`         // numbers; the unit is in the key: "temperature_celsius"
	Text   map[string]string  `json:"text,omitempty"` // texts to display: "scattered clouds"
	Time   time.Time          `json:"time"`           // by the source's clock, UTC
}

// Series returns the series that r is a point of, in line protocol: measurement and
// sorted tags. Readings of the same series give equal strings.
func (r Reading) Series() string {
	var b [128]byte // large enough for most, so that only the string is allocated
	return string(r.appendSeries(b[:0]))
}

// Line returns r in InfluxDB line protocol, with the time in nanoseconds. Keys are
// sorted, so equal readings give equal lines.
func (r Reading) Line() string {
	var b [512]byte
	return string(r.appendLine(b[:0]))
}

// appendLine appends r.Line() to b and returns the extended slice.
func (r Reading) appendLine(b []byte) []byte {
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

// Check returns an error for a reading that no store can keep: without a name, a value
// or a time, or with a value that is NaN or infinite. It does not check r against the
// catalogue.
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

// sorted appends the keys of m to into and sorts them.
func sorted[V any](into []string, m map[string]V) []string {
	for k := range m {
		into = append(into, k)
	}
	slices.Sort(into)
	return into
}

// appendEscaped appends a name, a tag or a field key. Line protocol cannot represent a
// backslash at the end or before a special character, so each backslash becomes '/'.
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

// appendQuoted appends the inside of a string field.
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
