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

// Line returns s as one line. Line breaks and tabs become spaces. Other control characters,
// format characters (among them those that change the direction of text) and bytes that are
// not UTF-8 become ·.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case hidden(r):
			return '·'
		}
		return r
	}, s)
}

// Text is Line for a text of several lines: its line breaks and tabs stay.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && hidden(r) {
			return '·'
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

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
func unescaped(r rune) bool { return r >= 0x7f && r != unicode.ReplacementChar && hidden(r) }

// hidden reports whether r has no shape of its own, or is not of a text: a byte that is not
// UTF-8 is read as the replacement character.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}
