// Package history answers what a value was over a span of time: for the page's plots, as
// JSON and as CSV.
package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Series is one field of one series of readings.
type Series struct {
	Measurement string
	Field       string
	Tags        map[string]string // all of them; of devices: device
	Title       string            // for people: "Office, CO₂"
}

// escape keeps the signs of a key out of its parts.
var escape = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `=`, `\=`, `.`, `\.`)

// Key returns the series as it stands in addresses: "air.co2_ppm,device=office-air". In its
// parts a backslash stands before a point, a comma, an equals sign and a backslash.
func (s Series) Key() string {
	var b strings.Builder
	b.WriteString(escape.Replace(s.Measurement) + "." + escape.Replace(s.Field))
	for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
		fmt.Fprintf(&b, ",%s=%s", escape.Replace(k), escape.Replace(s.Tags[k]))
	}
	return b.String()
}

// maxKey is the longest key that is read, in bytes.
const maxKey = 1000

// parseKey reads a key. It checks its form only: not whether the catalogue knows it.
func parseKey(key string) (Series, error) {
	if len(key) > maxKey {
		return Series{}, fmt.Errorf("a series has at most %d characters", maxKey)
	}
	s := Series{Tags: map[string]string{}}
	for i, part := range split(key, ',') {
		sign := byte('=')
		if i == 0 {
			sign = '.'
		}
		sides := split(part, sign)
		if len(sides) != 2 || sides[0] == "" || sides[1] == "" {
			return Series{}, fmt.Errorf("%.40q is no series: write measurement.field,label=value", key)
		}
		left, right := plain(sides[0]), plain(sides[1])
		switch _, double := s.Tags[left]; {
		case i == 0:
			s.Measurement, s.Field = left, right
		case double:
			return Series{}, fmt.Errorf("%.40q has a label twice", key)
		default:
			s.Tags[left] = right
		}
	}
	return s, nil
}

// split cuts a key at a sign that has no backslash before it.
func split(s string, sign byte) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sign:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// plain removes the backslashes of escape.
func plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
