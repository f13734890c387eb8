// Package texts has the texts that a person reads on the page, all in one file: english.json. It
// has a part for each part of the page. A text is a string, two of them for one thing and for many,
// or a list of words. {1}, {2} stand for the arguments.
package texts

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"
)

//go:embed english.json
var english []byte

// text is a text of the file.
type text struct {
	One  string   `json:"one"`  // of a text that counts: for one thing
	Many string   `json:"many"` // for any other number, and any text that counts nothing
	List []string `json:"-"`
}

// UnmarshalJSON reads a string, an object with one and many, or a list.
func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, &t.Many)
	case '[':
		return json.Unmarshal(b, &t.List)
	}
	type pair text
	return json.Unmarshal(b, (*pair)(t))
}

// all are the texts by part and name.
var all = read(english)

func read(file []byte) map[string]map[string]text {
	var out map[string]map[string]text
	if err := json.Unmarshal(file, &out); err != nil {
		panic(err) // a test reads the file
	}
	return out
}

// find returns a text by its key: the part, a dot and the name.
func find(key string) (text, bool) {
	part, name, _ := strings.Cut(key, ".")
	t, ok := all[part][name]
	return t, ok
}

// Say returns a text with the arguments in it; the first one is the number of a text that counts.
// Of an unknown key it returns the key.
func Say(key string, args ...any) string {
	return fill(key, args, func(s string) string { return s }, func(a any) string { return fmt.Sprint(a) })
}

// HTML is Say as markup: text and arguments are escaped, except for arguments that are markup.
func HTML(key string, args ...any) template.HTML {
	return template.HTML(fill(key, args, template.HTMLEscapeString, func(a any) string { return string(escaped(a)) }))
}

// escaped returns an argument as markup.
func escaped(a any) template.HTML {
	if h, ok := a.(template.HTML); ok {
		return h
	}
	return template.HTML(template.HTMLEscapeString(fmt.Sprint(a)))
}

// fill writes a text with its arguments, each as its function does.
func fill(key string, args []any, text func(string) string, arg func(any) string) string {
	t, ok := find(key)
	if !ok {
		return text(key)
	}
	form := t.Many
	if t.One != "" && len(args) > 0 && fmt.Sprint(args[0]) == "1" {
		form = t.One
	}
	return places.ReplaceAllStringFunc(text(form), func(place string) string {
		if n := int(place[1] - '1'); n < len(args) {
			return arg(args[n])
		}
		return place
	})
}

// places matches where arguments stand.
var places = regexp.MustCompile(`\{[1-9]\}`)

// List returns a list of words; of an unknown key one with the key.
func List(key string) []string {
	if t, ok := find(key); ok {
		return t.List
	}
	return []string{key}
}

// Part returns the texts of a part by name.
func Part(name string) map[string]string {
	out := map[string]string{}
	for key, t := range all[name] {
		out[key] = t.Many
	}
	return out
}

// Funcs are the functions of the markup: say is Say, or HTML if an argument is markup; bold writes
// an argument in bold.
var Funcs = template.FuncMap{"say": say, "bold": func(a any) template.HTML { return "<b>" + escaped(a) + "</b>" }}

func say(key string, args ...any) any {
	for _, a := range args {
		if _, ok := a.(template.HTML); ok {
			return HTML(key, args...)
		}
	}
	return Say(key, args...)
}

// said matches the key of a text in a script.
var said = regexp.MustCompile(`\bsay\("([^"]+)"`)

// Script returns a statement that adds the texts that a script uses to those of base/say.js.
func Script(script []byte) []byte {
	used := map[string]any{}
	for _, m := range said.FindAllSubmatch(script, -1) {
		key := string(m[1])
		switch t, ok := find(key); {
		case ok && t.One != "":
			used[key] = t
		case ok:
			used[key] = t.Many
		}
	}
	b, _ := json.Marshal(used) // texts can be encoded
	return slices.Concat([]byte("Object.assign(texts, "), b, []byte(");\n"))
}
