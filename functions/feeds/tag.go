package function

import "strings"

// nameAt returns the name with which s begins, "" if there is none.
func nameAt(s string) string {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':')) {
			return s[:i]
		}
	}
	return s
}

// attributes reads the rest of a start tag; empty reports that the element ends with it.
// Where a < comes before the >, the > is missing.
func (s *scanner) attributes() (attrs []attribute, empty bool) {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n\f")
		switch {
		case s.rest == "" || s.rest[0] == '<':
			return attrs, false
		case s.rest[0] == '>':
			s.rest = s.rest[1:]
			return attrs, false
		case strings.HasPrefix(s.rest, "/>"):
			s.rest = s.rest[2:]
			return attrs, true
		}
		name := nameAt(s.rest)
		if name == "" { // such as a stray quote
			s.rest = s.rest[1:]
			continue
		}
		s.rest = strings.TrimLeft(s.rest[len(name):], " \t\r\n\f")
		a := attribute{key: strings.ToLower(name)}
		if strings.HasPrefix(s.rest, "=") {
			s.rest = strings.TrimLeft(s.rest[1:], " \t\r\n\f")
			a.value = s.unescape(s.value())
		}
		if attrs = append(attrs, a); s.parts+len(attrs) > maxParts {
			return attrs, false
		}
	}
}

// value reads the value of an attribute.
func (s *scanner) value() (v string) {
	if s.rest != "" && (s.rest[0] == '"' || s.rest[0] == '\'') {
		if v, after, found := strings.Cut(s.rest[1:], s.rest[:1]); found {
			s.rest = after
			return v
		}
		s.rest = s.rest[1:]
	}
	end := strings.IndexAny(s.rest, " \t\r\n\f>")
	if end < 0 {
		end = len(s.rest)
	}
	if v, s.rest = s.rest[:end], s.rest[end:]; strings.HasPrefix(s.rest, ">") && strings.HasSuffix(v, "/") {
		v, s.rest = v[:len(v)-1], "/"+s.rest
	}
	return v
}
