package device

import (
	"fmt"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

const maxID = 60 // bytes

// ID makes a device id of a name, of small letters, digits, - and _: "Living room (left)"
// becomes living-room-left, "Кухня" becomes kukhnia. If the name has a symbol that cannot be
// written with these, or is too long, a hash of the whole name follows, so that "Lamp 💡" and
// "Lamp 🔥" get two ids. The id depends on nothing but the name.
func ID(name string) string {
	name = norm.NFC.String(name)
	id, lost := spell(name)
	switch {
	case id == "":
		return "device" + hash(name)
	case lost || len(id) > maxID:
		h := hash(name)
		return strings.TrimRight(id[:min(len(id), maxID-len(h))], "-") + h
	}
	return id
}

// hash returns a short hash of a name, as the end of an id.
func hash(name string) string {
	return fmt.Sprintf("-%06x", crc32.ChecksumIEEE([]byte(name))&0xffffff)
}

// spell writes a name in small Latin letters, digits and _, with a - in place of
// everything between. lost reports whether it left out a symbol.
func spell(name string) (id string, lost bool) {
	var b []byte
	gap := false
	for _, r := range name {
		s, known := latin(unicode.ToLower(r))
		if r == 'ー' && len(b) > 0 && !gap { // it lengthens the vowel before
			s, known = string(b[len(b)-1:]), true
		}
		lost = lost || !known
		for _, c := range []byte(s) {
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' {
				if gap && len(b) > 0 {
					b = append(b, '-')
				}
				b, gap = append(b, c), false
			} else {
				gap = true
			}
		}
	}
	return string(b), lost
}

// latin writes a small letter or another character in ASCII. It is a space for
// punctuation. known is false for a symbol that has no letters, such as an emoji.
func latin(r rune) (s string, known bool) {
	if r < utf8.RuneSelf {
		return string(r), true
	}
	if s, ok := transliterations[r]; ok {
		return s, true
	}
	written := unidecode.Unidecode(string(r))
	s = strings.ToLower(quotes.Replace(written))
	switch {
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }):
		return s, true
	case unicode.In(r, unicode.M, unicode.Cf): // an accent, a sign that shapes the character before
		return "", true
	case unicode.In(r, unicode.Z, unicode.P):
		return " ", true
	}
	return s, unicode.IsLetter(r) && written != ""
}

// quotes are how letters without a sound of their own are written: ь as '.
var quotes = strings.NewReplacer("'", "", "`", "", `"`, "")

// transliterations are the letters that are written as others, where the usual table
// would drop their accents.
var transliterations = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'é': "e", 'è': "e", 'à': "a", 'ç': "c", 'ñ': "n", 'å': "a", 'ø': "oe", 'æ': "ae"}
