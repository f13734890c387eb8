package settings

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// advice replaces the most common messages of the YAML parser. A message is recognised
// by a part of its text.
var advice = []struct{ message, text string }{
	{"tab character", "a tab character is here: indent with spaces"},
	{"did not find expected key", "this line does not fit the lines above: its indentation, or a quote or bracket before it, is wrong"},
	{"did not find expected '-' indicator", "this line does not fit the list above: begin it with -, or correct its indentation"},
	{"could not find expected ':'", "there is no `: ` after this key"},
	{"cannot start any token", "a text cannot begin with this character: put it in quotes"},
	{"unexpected end of stream", "a quote is opened here and never closed"},
	{"unknown directive", "a text cannot begin with %: put it in quotes"},
	{"unknown anchor", "there is no anchor of that name before this: define it with &name, or put the text in quotes"},
}

// noteSyntaxError notes an error of the YAML parser.
func (f *File) noteSyntaxError(file []byte, err error) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		f.mistake(position{}, "", "this is not YAML: "+err.Error(), false)
		return
	}
	where, text := position{e.Mark.Line, e.Mark.Column}, e.Message
	if charAt(file, where) == '\t' {
		text = "found a tab character"
	}
	where, text = cause(file, where, position{e.ContextMark.Line, e.ContextMark.Column}, text)
	for _, a := range advice {
		if strings.Contains(text, a.message) {
			text = a.text
			break
		}
	}
	f.mistake(where, "", text, false)
}

// cause returns where the mistake is, which the parser notices only at a later position, and
// what it is. began is where the parser began with what it was reading.
func cause(file []byte, noticed, began position, text string) (position, string) {
	lines := strings.Split(string(file), "\n")
	switch {
	case strings.Contains(text, "unexpected end of stream"), strings.Contains(text, "could not find expected ':'"):
		return began, text
	case strings.Contains(text, "did not find expected ',' or") && noticed.line > began.line:
		return began, fmt.Sprintf("the bracket that opens here is not closed, or a comma is missing before line %d", noticed.line)
	case strings.Contains(text, "did not find expected ',' or"):
		return noticed, "a comma is missing before this, or a bracket after it"
	case strings.Contains(text, "did not find expected node content"):
		if open := lastBracket(lines, noticed); open != (position{}) {
			return open, "the bracket that opens here is never closed"
		}
	case strings.Contains(text, "mapping values are not allowed"):
		return secondColon(lines, noticed)
	case strings.Contains(text, "did not find expected key"):
		for n := max(began.line, 1); n < noticed.line && n <= len(lines); n++ {
			if line := lines[n-1]; strings.Count(line, `"`)%2 == 1 {
				return position{n, columnOf(line, strings.LastIndex(line, `"`))}, "a quote is opened here and not closed in this line"
			}
		}
	}
	return noticed, text
}

// secondColon returns what makes a `: ` wrong where the parser noticed it: a line before it
// without one, the indentation, or another `: ` in its line.
func secondColon(lines []string, noticed position) (position, string) {
	if noticed.line < 1 || noticed.line > len(lines) {
		return noticed, "a second `: ` in a line: put the text in quotes"
	}
	line := lines[noticed.line-1]
	if before := string([]rune(line)[:min(max(noticed.column-1, 0), len([]rune(line)))]); strings.Contains(before, ": ") {
		return noticed, "a second `: ` in a line: put the text in quotes"
	}
	for n := noticed.line - 1; n >= 1; n-- {
		text := strings.TrimSpace(lines[n-1])
		if text == "" || text[0] == '#' {
			continue
		}
		at := position{n, columnOf(lines[n-1], strings.Index(lines[n-1], text))}
		switch {
		case len(text) > 1 && text[0] == '-' && text[1] != ' ' && text[1] != '-':
			return at, "write a space after the -"
		case !strings.Contains(text, ": ") && !strings.HasSuffix(text, ":") && text[0] != '-':
			return at, "there is no `: ` after this key"
		}
		break
	}
	return position{noticed.line, columnOf(line, len(line)-len(strings.TrimLeft(line, " ")))}, "this line is indented too far"
}

// lastBracket returns the position of the last bracket that opens before a position.
func lastBracket(lines []string, before position) position {
	for n := min(before.line-1, len(lines)); n >= 1; n-- {
		if i := strings.LastIndexAny(lines[n-1], "[{"); i >= 0 {
			return position{n, columnOf(lines[n-1], i)}
		}
	}
	return position{}
}

// columnOf returns the column of a byte of a line.
func columnOf(line string, at int) int { return utf8.RuneCountInString(line[:max(at, 0)]) + 1 }

// charAt returns the character at a position, 0 behind the end of its line.
func charAt(file []byte, where position) rune {
	lines := bytes.Split(file, []byte("\n"))
	if where.line < 1 || where.line > len(lines) {
		return 0
	}
	line := []rune(string(lines[where.line-1]))
	if where.column < 1 || where.column > len(line) {
		return 0
	}
	return line[where.column-1]
}
