package device

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Value is one number of a device, in the unit that is kept.
type Value struct {
	Key   string
	V     float64
	Field *catalogue.Field // its range and step; nil: as the catalogue declares it
	Bad   string           // why it is suspect, "" if it is not
}

// Note is a text that a device said: its state, not a reading.
type Note struct{ Key, Text string }

// CheckName reports a name that no database and no page shows as it is.
func CheckName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a name holds a control character or is not UTF-8: %.100q", name)
	}
	return nil
}

const maxSlug = 60 // bytes, about

// Slug makes a device id of a name: "Living room (left)" becomes
// living-room-left. What is left may be nothing.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if s, ok := spelt[r]; ok {
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

var spelt = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'é': "e", 'è': "e", 'à': "a", 'ç': "c", 'ñ': "n", 'å': "a", 'ø': "oe", 'æ': "ae"}
