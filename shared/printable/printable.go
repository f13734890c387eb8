// Package printable makes text from outside safe to show. Such text could otherwise control
// the terminal with escape sequences, begin a line of its own, or change the order in which
// the rest of its line is shown.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

var breaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ", "\u2028", " ", "\u2029", " ")

// Line returns s as one line. Line breaks and tabs become spaces. Other control characters,
// format characters (among them those that change the direction of text) and bytes that are
// not UTF-8 become ·. A joiner stays where it belongs to an emoji or to a script that needs
// it, as Persian does.
func Line(s string) string { return Text(breaks.Replace(s)) }

// Text is Line for a text of several lines: its line breaks and tabs stay.
func Text(s string) string {
	before := ' ' // as it is shown
	return strings.Map(func(r rune) rune {
		joins := unicode.Is(unicode.Join_Control, r) && before >= firstJoined && !hidden(before)
		if r == unicode.ReplacementChar || hidden(r) && !joins && r != '\n' && r != '\t' {
			r = '·'
		}
		before = r
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// firstJoined is the first character of the scripts that need joiners. Emoji come after it;
// before it are Latin, Greek and Cyrillic, where a joiner only hides that two words differ.
const firstJoined = 0x600

// JSON returns encoded JSON with the same values, in which the control and format characters
// that encoding/json writes as they are stand as escapes, such as \u202e.
func JSON(encoded []byte) []byte {
	if !bytes.ContainsFunc(encoded, unescaped) {
		return encoded
	}
	var out bytes.Buffer
	for _, r := range string(encoded) {
		if !unescaped(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.Bytes()
}

// unescaped reports whether encoding/json writes r, which is hidden, as it is.
func unescaped(r rune) bool { return r >= 0x7f && hidden(r) }

// hidden reports whether r has no shape of its own.
func hidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
