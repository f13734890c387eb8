// Package scan reads JSON in one pass, in place and without building values. It is for
// MQTT messages, which arrive by the thousand.
package scan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const maxDepth = 100

// Kind is the type of a JSON value, by its first byte.
type Kind byte

// The kinds of values. Invalid means that no value begins here, as at the end of the
// document.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Object
	Array
)

// Scanner reads a document value by value. Its position is always before the next
// value. It must not be used after an error or concurrently.
type Scanner struct {
	b     []byte
	i     int
	depth int
}

// New returns a Scanner for the document b, which must not change while it is read.
func New(b []byte) *Scanner { return &Scanner{b: b} }

// Kind returns the kind of the next value.
func (s *Scanner) Kind() Kind {
	switch c := s.peek(); {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == 't', c == 'f':
		return Bool
	case c == 'n':
		return Null
	case c == '-', c >= '0' && c <= '9':
		return Number
	}
	return Invalid
}

// Object reads an object. It calls fn for every key, in the document's order. fn must
// read or skip the key's value; key is valid until it does.
func (s *Scanner) Object(fn func(key []byte) error) error {
	return s.list('{', '}', func(int) error {
		key, err := s.Text()
		if err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.bad("a colon")
		}
		s.i++
		return fn(key)
	})
}

// Array reads an array. It calls fn with the index of every element. fn must read or
// skip the element.
func (s *Scanner) Array(fn func(i int) error) error { return s.list('[', ']', fn) }

// list reads an object or array: open, then fn for each entry, then end.
func (s *Scanner) list(open, end byte, fn func(i int) error) error {
	if s.peek() != open {
		return s.bad(string(open))
	}
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("JSON nested deeper than %d", maxDepth)
	}
	s.i++
	if s.peek() == end {
		s.i++
		s.depth--
		return nil
	}
	for n := 0; ; n++ {
		if err := fn(n); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case end:
			s.i++
			s.depth--
			return nil
		default:
			return s.bad("a comma or " + string(end))
		}
	}
}

// Float reads a number.
func (s *Scanner) Float() (float64, error) {
	raw, err := s.number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, fmt.Errorf("JSON: the number %.40s is too large", raw)
	}
	return v, nil
}

// number reads the bytes of a number, such as -0.5e+3. JSON does not allow 01, 1. and
// .5.
func (s *Scanner) number() ([]byte, error) {
	s.peek()
	start := s.i
	s.take('-')
	if !s.take('0') && s.digits() == 0 {
		return nil, s.bad("a number")
	}
	if s.take('.') && s.digits() == 0 {
		return nil, s.bad("a digit")
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if s.digits() == 0 {
			return nil, s.bad("a digit")
		}
	}
	return s.b[start:s.i], nil
}

func (s *Scanner) digits() (n int) {
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
		n++
	}
	return n
}

func (s *Scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// Text reads a string. The result may be a slice of the document: do not change it.
func (s *Scanner) Text() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.bad("a string")
	}
	start := s.i
	if n := bytes.IndexByte(s.b[start+1:], '"'); n >= 0 && plain(s.b[start+1:start+1+n]) {
		s.i = start + 1 + n + 1
		return s.b[start+1 : s.i-1], nil
	}
	for i := start + 1; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return unescape(s.b[start:s.i])
		case c == '\\':
			i++ // an escaped character does not end the string
		case c < 0x20:
			s.i = i
			return nil, s.bad("no control character in a string")
		}
	}
	s.i = len(s.b)
	return nil, s.bad("the end of a string")
}

// plain reports whether a string's bytes are its text: ASCII without a backslash and
// without control characters. It tests eight bytes at a time.
func plain(b []byte) bool {
	const ones, highBits = 0x0101010101010101, 0x8080808080808080 // 1 and 0x80 in each byte
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		slash := w ^ '\\'*ones // a backslash becomes a zero byte
		// A byte's high bit is set if the byte is not ASCII, below 0x20, or a backslash.
		if (w|(w-0x20*ones)&^w|(slash-ones)&^slash)&highBits != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < 0x20 || c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

func unescape(quoted []byte) ([]byte, error) {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	return []byte(text), nil
}

// Bool reads true or false.
func (s *Scanner) Bool() (bool, error) {
	if s.peek() == 't' {
		return true, s.word("true")
	}
	return false, s.word("false")
}

// Null reads null.
func (s *Scanner) Null() error {
	s.peek()
	return s.word("null")
}

func (s *Scanner) word(w string) error {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.bad(w)
	}
	s.i += len(w)
	return nil
}

// Skip reads a value of any kind and discards it.
func (s *Scanner) Skip() error {
	var err error
	switch s.Kind() {
	case Object:
		return s.Object(func([]byte) error { return s.Skip() })
	case Array:
		return s.Array(func(int) error { return s.Skip() })
	case String:
		_, err = s.Text()
	case Number:
		_, err = s.number()
	case Bool:
		_, err = s.Bool()
	case Null:
		err = s.Null()
	default:
		err = s.bad("a value")
	}
	return err
}

// Raw reads a value of any kind and returns its bytes, a slice of the document.
func (s *Scanner) Raw() ([]byte, error) {
	s.peek()
	start := s.i
	err := s.Skip()
	return s.b[start:s.i], err
}

// End returns an error if anything but white space follows the document's value.
func (s *Scanner) End() error {
	if s.peek() != 0 || s.i < len(s.b) {
		return s.bad("the end")
	}
	return nil
}

// peek skips white space and returns the next byte, 0 at the end of the document.
func (s *Scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

func (s *Scanner) bad(want string) error {
	return fmt.Errorf("JSON: %s expected at byte %d of %d", want, s.i, len(s.b))
}

// Finite returns b with null in place of NaN and infinities. JSON has neither, but
// Python, MicroPython and Arduino libraries write them. Without any, it returns b
// itself.
func Finite(b []byte) []byte {
	var out []byte
	done := 0 // b[:done] is already in out
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			i = endOfText(b, i)
		case c == '-' || c|0x20 == 'n' || c|0x20 == 'i': // |0x20 makes a letter lower case
			if n := notFinite(b[i:]); n > 0 {
				out = append(append(out, b[done:i]...), "null"...)
				i += n
				done = i
				continue
			}
			i++
		default:
			i++
		}
	}
	if done == 0 {
		return b
	}
	return append(out, b[done:]...)
}

// endOfText returns the index after the string that begins at b[i].
func endOfText(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// notFinite returns the length of the NaN or infinity at the beginning of b, 0 if
// there is none. Upper and lower case do not matter.
func notFinite(b []byte) int {
	sign := 0
	if b[0] == '-' {
		sign = 1
	}
	for _, w := range []string{"infinity", "inf", "nan"} {
		end := sign + len(w)
		if len(b) < end || !strings.EqualFold(string(b[sign:end]), w) {
			continue
		}
		if end == len(b) || strings.IndexByte(" \t\r\n,]}", b[end]) >= 0 {
			return end
		}
	}
	return 0
}
