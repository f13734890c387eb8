package dotenv

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A value that lacks quotes is an unquoted, which says why.
type unquoted string

func (u unquoted) Error() string { return string(u) }

// inQuotes returns how to write the value rest of a variable. It does not show the value.
func inQuotes(name, rest string) string {
	if strings.Contains(rest, "'") {
		return "write " + name + `="…", the value in double quotes, with a backslash before each " $ ` + "`" + ` and \ in it`
	}
	return "write " + name + "='…', the value in single quotes"
}

var (
	errLineEnd = errors.New(`the line ends with CR LF, and a shell takes the CR for a part of the value: save the file with Unix line ends (sed -i 's/\r$//' .env)`)
	errControl = errors.New("the value holds a control character")
)

// value reads what stands after the =, as a shell's assignment does.
func value(s string, exported bool) (string, error) {
	if strings.HasSuffix(s, "\r") {
		return "", errLineEnd
	}
	v, rest, err := split(s, exported)
	if err != nil {
		return "", err
	}
	comment := strings.TrimLeft(rest, blank)
	switch {
	case strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		return "", errControl
	case comment == "":
		return v, nil
	case len(comment) == len(rest):
		return "", errors.New("there is text right after the closing quote: put the whole value in one pair of quotes, and a space before a comment")
	case comment[0] != '#':
		return "", unquoted("a shell reads what stands after a space as a command")
	}
	return v, nil
}

// split reads a value, and returns what follows it on its line.
func split(s string, exported bool) (v, rest string, err error) {
	switch {
	case strings.HasPrefix(s, "'"):
		return single(s[1:])
	case strings.HasPrefix(s, `"`):
		return double(s[1:])
	}
	return word(s, exported)
}

var errNoEnd = errors.New("the closing quote is missing on this line: a value has one line, and a quote in it needs quotes of the other kind around the value")

func single(s string) (v, rest string, err error) {
	v, rest, ok := strings.Cut(s, "'")
	if !ok {
		return "", "", errNoEnd
	}
	return v, rest, nil
}

// double reads up to the closing quote. A backslash is only special before " $ ` and \.
func double(s string) (v, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), s[i+1:], nil
		case '$', '`':
			return "", "", fmt.Errorf("a shell replaces what follows %c in double quotes: write \\%c, or use single quotes", c, c)
		case '\\':
			if i+1 < len(s) && strings.IndexByte("\"$`\\", s[i+1]) >= 0 {
				i++
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errNoEnd
}

// word reads a value without quotes. After export, a shell replaces patterns and braces too.
func word(s string, exported bool) (v, rest string, err error) {
	special := ";&|<>()$`\\\"'"
	if exported {
		special += "*?[{}"
	}
	end := len(s)
	for i, c := range s {
		if strings.ContainsRune(blank, c) {
			end = i
			break
		}
		home := c == '~' && (i == 0 || s[i-1] == ':' || s[i-1] == '=')
		switch {
		case unicode.IsSpace(c):
			return "", "", unquoted(fmt.Sprintf("the value holds a space of another kind, %U", c))
		case home || strings.ContainsRune(special, c):
			return "", "", unquoted(fmt.Sprintf("%c has a meaning of its own for a shell", c))
		}
	}
	return s[:end], s[end:], nil
}
