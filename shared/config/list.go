package config

import (
	"errors"
	"slices"
	"strings"
)

// List is a setting of several words: SPY,AAPL. Commas and line breaks separate them;
// spaces around a word and empty words are dropped. A semicolon is refused, and so is a
// space within a word, except within a path: /media/my disk.
type List []string

// UnmarshalText parses a List.
func (l *List) UnmarshalText(text []byte) error {
	if strings.Contains(string(text), ";") {
		return errors.New("its elements are separated by commas, not by semicolons")
	}
	words := split(string(text), ",\n")
	for _, w := range words {
		path := strings.HasPrefix(w, "/")
		parts := strings.Fields(w)
		if len(parts) > 1 && (!path || slices.ContainsFunc(parts[1:], func(p string) bool { return strings.HasPrefix(p, "/") })) {
			return errors.New("its elements are separated by commas, not by spaces")
		}
	}
	*l = words
	return nil
}

// Entries is a setting of several elements that may hold commas: home:1;cabin:2.
// Semicolons and line breaks separate them; spaces around an element and empty
// elements are dropped.
type Entries []string

// UnmarshalText parses Entries. It refuses nothing: a comma may be part of an element.
// Who knows the form of an element refuses one that is several with commas between them.
func (e *Entries) UnmarshalText(text []byte) error {
	*e = split(string(text), ";\n")
	return nil
}

func split(s, separators string) (out []string) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
