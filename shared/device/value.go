package device

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Value is one number of a device, in the unit that its key names.
type Value struct {
	Key   string
	V     float64
	Field *catalogue.Field // its declaration: range and rate of change; nil: the catalogue's
	Bad   string           // why its source knows it to be suspect; "": it does not
}

// TextState is a text that is kept as a state of a device alone, not as a reading.
type TextState struct{ Key, Text string }

// CheckName returns an error for a name that is not UTF-8 or holds a control
// character: databases and pages would refuse it or change it.
func CheckName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a name holds a control character or is not UTF-8: %.100q", name)
	}
	return nil
}

const maxSlug = 60 // bytes; a letter that is written as two may exceed it by one

// Slug makes a device id of a name: "Living room (left)" becomes
// living-room-left. The result is "" if the name has no Latin letter, digit or _.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if s, ok := transliterations[r]; ok {
			b.WriteString(s)
			gap = false
			continue
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			b.WriteRune(r)
			gap = false
		} else if b.Len() > 0 && !gap {
			b.WriteByte('-')
			gap = true
		}
		if b.Len() >= maxSlug {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// transliterations are the letters that are written as others.
var transliterations = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'é': "e", 'è': "e", 'à': "a", 'ç': "c", 'ñ': "n", 'å': "a", 'ø': "oe", 'æ': "ae"}
