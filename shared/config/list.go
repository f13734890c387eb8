package config

import (
	"errors"
	"strings"
)

// List is a setting of several words: SPY,AAPL. Commas and line breaks separate them;
// spaces around a word and empty words are dropped. A semicolon is refused.
type List []string

// UnmarshalText parses a List.
func (l *List) UnmarshalText(text []byte) error {
	if strings.Contains(string(text), ";") {
		return errors.New("its elements are separated by commas, not by semicolons")
	}
	*l = split(string(text), ",\n")
	return nil
}

// Entries is a setting of several elements that may hold commas: home:1;cabin:2.
// Semicolons and line breaks separate them; spaces around an element and empty
// elements are dropped.
type Entries []string

// UnmarshalText parses Entries. It refuses nothing: a comma may be part of an element,
// and what is wrong with one says who knows its form.
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
