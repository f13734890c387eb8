package function

import (
	"bytes"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// declaredCharset matches the encoding in the declaration of an XML document.
var declaredCharset = regexp.MustCompile(`(?i)<\?xml\s[^>]{0,200}?encoding\s*=\s*["']?\s*([\w.:-]{1,40})`)

// feedText returns a feed in UTF-8, of one that was encoded twice the text that was meant.
func feedText(body []byte, contentType string) string {
	return encodedOnce(strings.TrimPrefix(textOf(body, contentType), "\ufeff"))
}

// textOf returns a feed in UTF-8. A byte order mark counts first, then the charset of the
// Content-Type, then that of the XML declaration, then UTF-8, but only what the bytes can
// be: text in UTF-8, even with a few bad bytes, is never of an alphabet that has a byte for
// each letter. If they can be none of these, each that cannot be read becomes U+FFFD; with
// nothing else declared, bytes that are mostly no UTF-8 are Windows-1252.
func textOf(body []byte, contentType string) string {
	if e := wide(body); e != nil {
		text, _ := decoded(e, body)
		return strings.TrimPrefix(text, "\ufeff")
	}
	_, params, _ := mime.ParseMediaType(contentType)
	labels := []string{params["charset"]}
	if m := declaredCharset.FindSubmatch(body[:min(len(body), 2000)]); m != nil {
		labels = append(labels, string(m[1]))
	}
	if b := bytes.TrimPrefix(body, []byte("\ufeff")); len(b) < len(body) {
		body, labels = bytes.TrimLeft(b, "\ufeff"), nil
	}
	letters, bad := utf8Letters(body)
	readable := ""
	for _, label := range labels {
		e := encodingOf(label)
		_, bytewise := e.(*charmap.Charmap)
		if bytewise && letters > fewBad*bad || bad == 0 && e == nil && label != "" {
			break
		}
		if e == nil {
			continue
		}
		text, whole := decoded(e, body)
		if whole {
			return text
		}
		if readable == "" {
			readable = text
		}
	}
	switch {
	case bad == 0:
		return string(body)
	case readable != "":
		return readable
	case bad > letters:
		text, _ := decoded(charmap.Windows1252, body)
		return text
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

const fewBad = 10 // times as many letters in UTF-8 as bad bytes: text in UTF-8 with mistakes

// encodedOnce returns the text that was meant by one in UTF-8 that was taken for Windows-1252 or
// Latin-1 and encoded again, such as FÃ¶hr for Föhr: each of its letters is a byte there, and all
// together are UTF-8. It returns other texts as they are.
func encodedOnce(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		c, ok := charmap.Windows1252.EncodeRune(r)
		switch {
		case r < 0x80 || ok:
		case r <= 0x9f: // the byte of Latin-1
			c = byte(r)
		default:
			return text
		}
		b = append(b, c)
	}
	if len(b) == len(text) || !utf8.Valid(b) {
		return text
	}
	return string(b)
}

// wide returns the encoding of bytes with a byte order mark of UTF-16 or UTF-32, or with the
// zero bytes that these have beside a < or {; nil if they are neither.
func wide(b []byte) encoding.Encoding {
	if len(b) < 4 {
		return nil
	}
	big, little := utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	switch start := string(b[:4]); {
	case start == "\x00\x00\xfe\xff", start[:3] == "\x00\x00\x00":
		return big
	case start == "\xff\xfe\x00\x00", start[0] != 0 && start[1:] == "\x00\x00\x00":
		return little
	case start[:2] == "\xfe\xff", start[0] == 0 && start[1] != 0 && start[2] == 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case start[:2] == "\xff\xfe", start[0] != 0 && start[1] == 0 && start[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	}
	return nil
}

// encodingOf returns the encoding of a label; nil for UTF-8, for ASCII, which is declared
// for other bytes, for what wide has excluded, and for a label that is not known.
func encodingOf(label string) encoding.Encoding {
	label = strings.ToLower(strings.TrimSpace(label))
	if label == "" || strings.Contains(label, "ascii") || strings.HasPrefix(label, "utf") || strings.HasPrefix(label, "iso-10646") {
		return nil
	}
	if e, err := htmlindex.Get(label); err == nil {
		return e
	}
	e, err := ianaindex.IANA.Encoding(strings.ReplaceAll(label, "_", "-"))
	if err != nil {
		return nil
	}
	return e
}

// decoded returns a text in UTF-8; whole is false if bytes became U+FFFD.
func decoded(e encoding.Encoding, body []byte) (text string, whole bool) {
	b, err := e.NewDecoder().Bytes(body)
	return string(b), err == nil && !bytes.ContainsRune(b, utf8.RuneError)
}

// utf8Letters returns how many characters bytes have in UTF-8 that are not ASCII, and how
// many bytes are no UTF-8.
func utf8Letters(b []byte) (letters, bad int) {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case size > 1:
			letters++
		case r == utf8.RuneError:
			bad++
		}
		b = b[size:]
	}
	return letters, bad
}
