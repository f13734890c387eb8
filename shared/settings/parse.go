package settings

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxBytes    = 1 << 20
	maxElements = 2000 // elements of a section
)

// Parse reads hearth.yml and notes its mistakes and warnings in the File, which is
// never nil. The packages that use a section may note more. Parse does no I/O.
func Parse(file []byte) *File {
	f := &File{at: map[string]position{}}
	root := f.document(file)
	if root == nil {
		return f
	}
	d := &decoder{file: f}
	sections := fieldsOf(reflect.TypeFor[File]())
	if root.Kind == yaml.AliasNode || root.Kind != yaml.MappingNode {
		if !isNull(root) {
			d.mistake(root, "", "expected sections, as in `devices:`, but found %s", kind(root))
		}
		return f
	}
	keys := d.keys(root, "", 0)
	v := reflect.ValueOf(f).Elem()
	for _, s := range sections { // house first, since other sections have times in its zone
		for _, k := range keys {
			if k.name == s.name {
				d.value(k.value, v.Field(s.index), s.name, s.one, 1)
			}
		}
	}
	for _, k := range keys {
		if !slices.Contains(names(sections), k.name) && !strings.HasPrefix(k.name, "x-") {
			f.mistake(position{k.node.Line, k.node.Column}, "", unknown("section", k.name, names(sections))+"; this version ignores it", true)
		}
	}
	f.check()
	return f
}

// document returns the root of the file's only YAML document, nil if it has none.
func (f *File) document(file []byte) *yaml.Node {
	if len(file) > maxBytes {
		f.mistake(position{}, "", "hearth.yml is larger than 1 MiB", false)
		return nil
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if where, text := findNonText(file); text != "" {
		f.mistake(where, "", text, false)
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(file))
	var doc, next yaml.Node
	if err := in.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // EOF: the file has only comments
			f.noteSyntaxError(file, err)
		}
		return nil
	}
	switch err := in.Decode(&next); {
	case err == nil:
		f.mistake(position{next.Line, next.Column}, "", "a second document begins here: hearth.yml is one, without lines of ---", false)
		return nil
	case !errors.Is(err, io.EOF):
		f.noteSyntaxError(file, err)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

// findNonText returns the position of the first byte that is not text, and what to do
// about it. "": all is text.
func findNonText(file []byte) (position, string) {
	line, column, indent := 1, 1, true
	for i := 0; i < len(file); {
		r, n := utf8.DecodeRune(file[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return position{line, column}, "this is not UTF-8: save hearth.yml as UTF-8"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f:
			return position{line, column}, "a control character is here: remove it"
		case r == '\n':
			line, column, indent = line+1, 0, true
		case indent && unicode.IsSpace(r) && r != ' ' && r != '\t' && r != '\r':
			return position{line, column}, "a special space is here, as web pages have it: indent with ordinary spaces"
		case r != ' ':
			indent = false
		}
		i, column = i+n, column+1
	}
	return position{}, ""
}
