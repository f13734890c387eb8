package settings

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxBytes = 1 << 20
	most     = 2000 // elements of a section
)

// Parse reads hearth.yml and notes its mistakes and warnings in the File, which is
// never nil. The package that acts on a section may find more. It does no I/O.
func Parse(file []byte) *File {
	f := &File{at: map[string]at{}}
	root := f.syntax(file)
	if root == nil {
		return f
	}
	d := &decoder{file: f}
	sections := fieldsOf(reflect.TypeFor[File]())
	if root.Kind == yaml.AliasNode || root.Kind != yaml.MappingNode {
		if !isNull(root) {
			d.mistake(root, "", "sections are wanted here, as in `devices:`, and this is %s", kind(root))
		}
		return f
	}
	keys := d.keys(root, "", 0)
	v := reflect.ValueOf(f).Elem()
	for _, s := range sections { // the house comes first: times are in its zone
		for _, k := range keys {
			if k.name == s.name {
				d.value(k.value, v.Field(s.index), s.name, s.one, 1)
			}
		}
	}
	for _, k := range keys {
		if !slices.Contains(names(sections), k.name) && !strings.HasPrefix(k.name, "x-") {
			f.mistake(at{k.node.Line, k.node.Column}, "", unknown("section", k.name, names(sections))+"; this version passes over it", true)
		}
	}
	f.check()
	return f
}

// syntax returns the root of the file's one document, nil where there is none.
func (f *File) syntax(file []byte) *yaml.Node {
	if len(file) > maxBytes {
		f.mistake(at{}, "", "hearth.yml is larger than 1 MiB", false)
		return nil
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if where, text := unreadable(file); text != "" {
		f.mistake(where, "", text, false)
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(file))
	var doc, next yaml.Node
	if err := in.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // nothing but comments
			f.refuse(file, err)
		}
		return nil
	}
	switch err := in.Decode(&next); {
	case err == nil:
		f.mistake(at{next.Line, next.Column}, "", "a second document begins here: hearth.yml is one, without lines of ---", false)
		return nil
	case !errors.Is(err, io.EOF):
		f.refuse(file, err)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

// unreadable finds the first byte that is no text.
func unreadable(file []byte) (at, string) {
	line, column := 1, 1
	for i := 0; i < len(file); {
		r, n := utf8.DecodeRune(file[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return at{line, column}, "this is no UTF-8: save hearth.yml as UTF-8"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f:
			return at{line, column}, "a control character stands here: take it out"
		case r == '\n':
			line, column = line+1, 0
		}
		i, column = i+n, column+1
	}
	return at{}, ""
}

// advice is what to do about the commonest messages of the YAML parser.
var advice = []struct{ message, text string }{
	{"tab character", "a tab stands here: indent with spaces"},
	{"mapping values are not allowed", "a second `: ` in a line, or a line that is indented too far: put the text in quotes, or move the line"},
	{"did not find expected key", "this line does not belong to what stands above: its indentation, or a quote or a bracket before it, is wrong"},
	{"did not find expected '-' indicator", "this line does not belong to the list above: begin it with -, or mend its indentation"},
	{"could not find expected ':'", "a line before this has no `: ` behind its key"},
	{"cannot start any token", "a text cannot begin with this character: put it in quotes"},
	{"unexpected end of stream", "a quote is opened and never closed"},
	{"did not find expected ',' or", "a bracket is opened and never closed, or a comma is missing"},
	{"unknown anchor", "no anchor of that name stands before this: define it with &name, or put the text in quotes"},
}

// refuse notes what the YAML parser does not take.
func (f *File) refuse(file []byte, err error) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		f.mistake(at{}, "", "this is no YAML: "+err.Error(), false)
		return
	}
	where, text := at{e.Mark.Line, e.Mark.Column}, e.Message
	if character(file, where) == '\t' {
		text = "found a tab character"
	}
	for _, a := range advice {
		if strings.Contains(text, a.message) {
			text = a.text
			break
		}
	}
	f.mistake(where, "", text, false)
}

// character is what stands at a place, 0 behind the end of its line.
func character(file []byte, where at) rune {
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
