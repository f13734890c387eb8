package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/catalogue"
)

// TestTheListsNameNoMeasurement: the code of the page with everything as lists names no function, measurement or field.
// It takes titles, units and order from the catalogue.
func TestTheListsNameNoMeasurement(t *testing.T) {
	names := names(t)
	texts := pageTexts(t)
	if len(names) < 100 || len(texts) < 200 {
		t.Fatalf("%d names, %d texts", len(names), len(texts))
	}
	for _, s := range texts {
		if what, bad := named(names, s.text); bad {
			t.Errorf("%s: %q is %s: take it from the catalogue", s.at, s.text, what)
		}
	}
}

func TestANameInATextIsFound(t *testing.T) {
	names := map[string]string{"air": "a measurement", "pm2_5_ugm3": "a field"}
	for text, want := range map[string]bool{"air": true, "the air": false, "pm2_5_ugm3": true, "over pm2_5_ugm3": true, "x": false} {
		if _, got := named(names, text); got != want {
			t.Errorf("%q: found %t, want %t", text, got, want)
		}
	}
}

// named reports whether a text is one of the names, or contains one with an underscore. A
// name without underscore may be an English word, so it does not count inside a text.
func named(names map[string]string, text string) (what string, bad bool) {
	if what, bad = names[text]; bad {
		return what, true
	}
	for name, what := range names {
		if strings.Contains(name, "_") && strings.Contains(text, name) {
			return what, true
		}
	}
	return "", false
}

func names(t *testing.T) map[string]string {
	t.Helper()
	functions, err := stack.Read(filepath.Join("..", ".."), nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range functions {
		out[f.Name] = "a function"
	}
	for _, m := range append(catalogue.All(), catalogue.States()) {
		out[m.Name], out[m.Function] = "a measurement", "a function"
		for _, f := range m.Fields {
			out[f.Key] = "a field"
		}
		for _, k := range m.Text {
			out[k] = "a text of a measurement"
		}
	}
	delete(out, "")       // the states' measurement has no name
	delete(out, "action") // also an attribute of the page's form
	return out
}

type text struct{ at, text string }

// pageTexts returns the strings in the page's code, in the actions of its templates and in
// its script.
func pageTexts(t *testing.T) (out []text) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "shared", "page", "status", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch name := filepath.Base(path); {
		case strings.HasSuffix(name, "_test.go"):
		case strings.HasSuffix(name, ".go"):
			out = append(out, goTexts(t, path, b)...)
		case strings.HasSuffix(name, ".html"):
			for _, action := range regexp.MustCompile(`\{\{.*?\}\}`).FindAllString(string(b), -1) {
				out = append(out, quoted(name, action)...)
			}
		case strings.HasSuffix(name, ".js"):
			out = append(out, quoted(name, string(b))...)
		}
	}
	return out
}

func goTexts(t *testing.T, path string, b []byte) (out []text) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, b, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil // keys of the JSON
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				out = append(out, text{set.Position(n.Pos()).String(), s})
			}
		}
		return true
	})
	return out
}

// quoted returns the texts in quotes.
func quoted(name, code string) (out []text) {
	for _, m := range regexp.MustCompile("[\"'`]([^\"'`\n]*)[\"'`]").FindAllStringSubmatch(code, -1) {
		out = append(out, text{name, m[1]})
	}
	return out
}
