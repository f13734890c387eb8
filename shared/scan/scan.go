// Package scan reads JSON in one pass where it lies, without building values:
// MQTT messages come by the thousand.
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

// Kind is what a value is, by its first byte.
type Kind byte

// The kinds of values. Invalid is none, such as the end of the document.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Object
	Array
)

// Scanner stands before one value of a document after the other. After an error
// it must not be used further.
type Scanner struct {
	b     []byte
	i     int
	depth int
}

// New returns a Scanner before the document's value.
func New(b []byte) *Scanner { return &Scanner{b: b} }

// Kind tells what value comes next.
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

// Object calls fn for every key in order. fn reads the key's value, or skips it;
// key is valid until then.
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

// Array calls fn for every element, which reads or skips it.
func (s *Scanner) Array(fn func(i int) error) error { return s.list('[', ']', fn) }

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
		return 0, fmt.Errorf("JSON: %.40s is beyond what a number can be", raw)
	}
	return v, nil
}

// number reads a number's bytes: -0.5e+3 and its like, no 01, no 1., no .5.
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

// Text reads a string. What it returns may be a part of the document.
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
			i++ // whatever it is, it does not end the string
		case c < 0x20:
			s.i = i
			return nil, s.bad("no control character in a string")
		}
	}
	s.i = len(s.b)
	return nil, s.bad("the end of a string")
}

// plain reports that a string is what it looks like: no backslash, nothing but
// ASCII, no control characters. It looks at eight bytes at a time.
func plain(b []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		slash := w ^ '\\'*ones
		if (w|(w-0x20*ones)&^w|(slash-ones)&^slash)&tops != 0 {
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

// Skip passes over a value of any kind.
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

// Raw reads a value of any kind and returns its bytes in the document.
func (s *Scanner) Raw() ([]byte, error) {
	s.peek()
	start := s.i
	err := s.Skip()
	return s.b[start:s.i], err
}

// End reports whether something comes after the document's value.
func (s *Scanner) End() error {
	if s.peek() != 0 || s.i < len(s.b) {
		return s.bad("the end")
	}
	return nil
}

// peek passes over white space; 0 is the end.
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

// Finite returns a document in which NaN and infinities, which JSON does not
// have but Python, MicroPython and Arduino libraries write, are null. It is b
// itself where there are none.
func Finite(b []byte) []byte {
	var out []byte
	done := 0 // of b, in out
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			i = endOfText(b, i)
		case c == '-' || c|0x20 == 'n' || c|0x20 == 'i':
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

// endOfText is where the string that begins at i ends.
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

// notFinite is the length of such a word at the beginning of b, 0 if there is none.
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
