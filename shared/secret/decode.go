package secret

import (
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// levels is how many encodings of a secret inside each other are decoded: for example an
// upstream repeats a key in a URL inside HTML inside JSON, an error quotes this answer, and
// the log quotes the error.
const levels = 6

// char is a character of a text and the position after it. r is a byte or a rune; it is -1
// at the end of the text.
type char struct {
	r   rune
	end int32
}

// plain are the bytes that begin no escape sequence and mean nothing but themselves.
var plain = func() (p [256]bool) {
	for b := range p {
		p[b] = !strings.ContainsRune("%\\&+", rune(b)) && b != 0xC2 && b != 0xC3 && b != 0xEF
	}
	return p
}()

// decoder reads a text whose escape sequences may be decoded several times. It remembers
// what it has decoded: each position costs about the same, however deep the encodings are.
type decoder struct {
	text string
	memo [256]decoded // by position modulo 256
}

type decoded struct {
	at    int32 // the position plus 1; 0: none
	known int32 // chars has the levels 0 to known
	chars [levels + 1]char
}

// char returns the character at position i of the text after it was decoded so many times.
func (d *decoder) char(i int32, times int) char {
	if int(i) >= len(d.text) {
		return char{-1, i}
	}
	raw := char{rune(d.text[i]), i + 1}
	if times == 0 || plain[d.text[i]] {
		return raw
	}
	e := &d.memo[int(i)%len(d.memo)]
	if e.at == i+1 && int(e.known) >= times {
		return e.chars[times]
	}
	c := d.decode(i, times)
	if e.at != i+1 { // decode may have used e for a later position
		e.at, e.known, e.chars[0] = i+1, 0, raw
	}
	if int(e.known) == times-1 {
		e.known, e.chars[times] = int32(times), c
	}
	return c
}

// decode returns the character at position i, where an escape sequence that consists of
// characters of the level below may begin.
func (d *decoder) decode(i int32, level int) char {
	c := d.char(i, level-1)
	switch c.r {
	case '%', '\\', '&':
		out := sequence{d, level - 1}.escape(c)
		if out == c && level > 1 {
			out = sequence{d, 0}.escape(c) // the rest of the sequence is as it is
		}
		return out
	case 0xC2, 0xC3: // a byte that was read as Latin-1 and written as UTF-8
		if next := d.char(c.end, level-1); next.r >= 0x80 && next.r < 0xC0 {
			return char{c.r&3<<6 | next.r&0x3F, next.end}
		}
	case 0xEF: // a character that was not valid, replaced
		if b := d.char(c.end, level-1); b.r == 0xBF {
			if b = d.char(b.end, level-1); b.r == 0xBD {
				return char{utf8.RuneError, b.end}
			}
		}
	}
	return c
}

// sequence parses escape sequences of characters that were decoded so many times.
type sequence struct {
	d     *decoder
	times int
}

// next returns the character after c.
func (s sequence) next(c char) char { return s.d.char(c.end, s.times) }

// number parses from min to max digits after c. Its r is -1 if there are fewer.
func (s sequence) number(c char, base rune, min, max int) char {
	out := char{0, c.end}
	for n := range max {
		digit := s.next(out)
		v := digitOf(digit.r)
		if v < 0 || v >= base {
			if n < min {
				return char{-1, c.end}
			}
			break
		}
		out = char{out.r*base + v, digit.end}
	}
	return out
}

func digitOf(r rune) rune {
	switch {
	case '0' <= r && r <= '9':
		return r - '0'
	case 'a' <= r && r <= 'f':
		return r - 'a' + 10
	case 'A' <= r && r <= 'F':
		return r - 'A' + 10
	}
	return -1
}

// escape returns the character that the escape sequence at c means, or c if none begins there.
func (s sequence) escape(c char) char {
	switch c.r {
	case '%':
		return s.percent(c)
	case '\\':
		return s.backslash(c)
	}
	return s.entity(c)
}

// percent decodes %2F, and %u002F of JavaScript's escape.
func (s sequence) percent(c char) char {
	if u := s.next(c); u.r == 'u' {
		return s.utf16(c, s.number(u, 16, 4, 4), '%')
	}
	if n := s.number(c, 16, 2, 2); n.r >= 0 {
		return n
	}
	return c
}

// utf16 returns n, or the rune of the surrogate pair that n begins. It returns c if n is no
// number. The second half begins with intro and u, too.
func (s sequence) utf16(c, n char, intro rune) char {
	if n.r < 0 {
		return c
	}
	if utf16.IsSurrogate(n.r) {
		if at := s.next(n); at.r == intro {
			if u := s.next(at); u.r == 'u' {
				low := s.number(u, 16, 4, 4)
				if r := utf16.DecodeRune(n.r, low.r); r != utf8.RuneError {
					return char{r, low.end}
				}
			}
		}
	}
	return n
}

// letters are the escape sequences of a backslash and one letter.
var letters = map[rune]rune{'a': '\a', 'b': '\b', 'e': 0x1B, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// backslash decodes the escape sequences of JSON, JavaScript, Go, Python, PHP and C: \n, \/,
// \x2f, \u002f, \u{2f}, \U0000002f and \057. Before other punctuation it means just that.
func (s sequence) backslash(c char) char {
	e := s.next(c)
	n := char{-1, 0}
	switch {
	case e.r == 'x':
		n = s.number(e, 16, 2, 2)
	case e.r == 'U':
		n = s.number(e, 16, 8, 8)
	case e.r == 'u':
		if brace := s.next(e); brace.r == '{' {
			n = s.number(brace, 16, 1, 8)
			if end := s.next(n); n.r >= 0 && end.r == '}' {
				return char{n.r, end.end}
			}
			return c
		}
		return s.utf16(c, s.number(e, 16, 4, 4), '\\')
	case '0' <= e.r && e.r <= '3':
		n = s.number(c, 8, 3, 3)
	case letters[e.r] != 0:
		n = char{letters[e.r], e.end}
	case e.r >= ' ' && e.r <= '~' && !isLetterOrDigit(e.r): // quotes and slashes, and what a regular expression, Markdown, line protocol or a shell escapes
		n = e
	}
	if n.r < 0 {
		return c
	}
	return n
}

func isLetterOrDigit(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

const maxName = 8 // letters of an HTML entity

// entity decodes &quot;, &#34; and &#x22;.
func (s sequence) entity(c char) char {
	first := s.next(c)
	if first.r == '#' {
		var n char
		if x := s.next(first); x.r|0x20 == 'x' {
			n = s.number(x, 16, 1, 8)
		} else {
			n = s.number(first, 10, 1, 8)
		}
		if end := s.next(n); n.r >= 0 && end.r == ';' {
			return char{n.r, end.end}
		}
		return c
	}
	name := []byte("&")
	for e := first; len(name) <= maxName && e.r > ' ' && e.r < 0x7F; e = s.next(e) {
		name = append(name, byte(e.r))
		if e.r != ';' {
			continue
		}
		text := html.UnescapeString(string(name))
		if r, n := utf8.DecodeRuneInString(text); n == len(text) {
			return char{r, e.end}
		}
		break
	}
	return c
}
