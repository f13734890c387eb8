package texts

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
)

// use is a call that takes a text.
type use struct {
	at        string
	call      string // Say, HTML, List or Part; say in markup and scripts
	key       string // "": it is no string literal
	arguments int
}

// TestEachUseHasItsText: each key in the code, the markup and the scripts of the page is in the file,
// with as many arguments, and each text of the file is used.
func TestEachUseHasItsText(t *testing.T) {
	used, found := map[string]bool{}, map[string]int{}
	for _, u := range uses(t) {
		found[filepath.Ext(strings.SplitN(u.at, ":", 2)[0])]++
		if mistake := mistakeOf(u); mistake != "" {
			t.Errorf("%s: %s", u.at, mistake)
		}
		if used[u.key] = true; u.call == "Part" {
			for name := range all[u.key] {
				used[u.key+"."+name] = true
			}
		}
	}
	for part, names := range all {
		for name := range names {
			if !used[part+"."+name] {
				t.Errorf("nothing uses %s.%s", part, name)
			}
		}
	}
	if found[".go"] < 100 || found[".html"] < 50 || found[".js"] < 50 {
		t.Errorf("only %v uses: this test looks at the wrong files", found)
	}
}

func TestAWrongUseIsFound(t *testing.T) {
	for _, u := range []use{
		{call: "Say"}, {call: "Say", key: "power.nothing"}, {call: "Say", key: "verdict.things"}, {call: "Say", key: "verdict.well", arguments: 1},
		{call: "HTML", key: "weather.fromTo", arguments: 2}, {call: "List", key: "verdict.well"}, {call: "Say", key: "air.co2"}, {call: "Part", key: "nothing"},
	} {
		if mistakeOf(u) == "" {
			t.Errorf("%+v is taken for right", u)
		}
	}
	if mistake := mistakeOf(use{call: "say", key: "weather.fromTo", arguments: 3}); mistake != "" {
		t.Error(mistake)
	}
}

// mistakeOf says what is wrong with a use, "" if nothing is.
func mistakeOf(u use) string {
	text, ok := find(u.key)
	wanted := argumentsOf(text.Many)
	if text.One != "" {
		wanted = max(wanted, 1)
	}
	switch {
	case u.key == "":
		return u.call + " has a key that is no string: a text that is not used could not be found"
	case u.call == "Part":
		if all[u.key] == nil {
			return "there is no part " + u.key
		}
	case !ok:
		return "there is no text " + u.key
	case (u.call == "List") != (text.List != nil):
		return u.key + " is a list, or is none"
	case u.call != "List" && u.arguments != wanted:
		return fmt.Sprintf("%s has %d arguments, and is given %d", u.key, wanted, u.arguments)
	}
	return ""
}

// uses returns all uses in the folders of the page.
func uses(t *testing.T) (out []use) {
	t.Helper()
	eachFile(t, func(path string, b []byte) {
		switch filepath.Ext(path) {
		case ".go":
			out = append(out, inGo(t, path, b)...)
		case ".html":
			eachNode(t, path, b, func(n parse.Node) {
				if u, ok := inMarkup(path, n); ok {
					out = append(out, u)
				}
			})
		case ".js":
			out = append(out, inScript(path, string(b))...)
		}
	})
	return out
}

// eachFile calls f with each file of the page that may have texts.
func eachFile(t *testing.T, f func(path string, b []byte)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "uplot.js" {
			return err
		}
		b, err := os.ReadFile(path)
		f(path, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inGo returns the calls of this package in a file.
func inGo(t *testing.T, path string, b []byte) (out []use) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, b, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[ast.Expr]*ast.CallExpr{} // by the function
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			calls[call.Fun] = call
		}
		selected, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selected.X.(*ast.Ident); !ok || x.Name != "texts" || selected.Sel.Name == "Funcs" || selected.Sel.Name == "Script" {
			return true
		}
		u := use{at: set.Position(n.Pos()).String(), call: selected.Sel.Name}
		if call := calls[selected]; call != nil && len(call.Args) > 0 && !call.Ellipsis.IsValid() {
			u.arguments = len(call.Args) - 1
			if s, ok := call.Args[0].(*ast.BasicLit); ok {
				u.key, _ = strconv.Unquote(s.Value)
			}
		}
		out = append(out, u)
		return true
	})
	return out
}

// eachNode calls f with each node of the markup of a file.
func eachNode(t *testing.T, path string, b []byte, f func(parse.Node)) {
	t.Helper()
	tree := parse.New(path)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(b), "", "", trees); err != nil {
		t.Fatal(err)
	}
	for _, tree := range trees {
		walk(tree.Root, f)
	}
}

func walk(n parse.Node, f func(parse.Node)) {
	f(n)
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, f)
		walk(b.List, f)
		if b.ElseList != nil {
			walk(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, x := range n.Nodes {
			walk(x, f)
		}
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, f)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, f)
		}
	case *parse.CommandNode:
		for _, a := range n.Args {
			walk(a, f)
		}
	}
}

// inMarkup returns the use that a node is.
func inMarkup(path string, n parse.Node) (u use, ok bool) {
	c, ok := n.(*parse.CommandNode)
	if !ok || c.Args[0].String() != "say" {
		return u, false
	}
	u = use{at: fmt.Sprintf("%s: %s", path, c), call: "say", arguments: len(c.Args) - 2}
	if len(c.Args) > 1 {
		if s, is := c.Args[1].(*parse.StringNode); is {
			u.key = s.Text
		}
	}
	return u, true
}

// inScript returns the calls of say in a script.
func inScript(path, script string) (out []use) {
	tokens := tokensOf(script)
	for i, tok := range tokens {
		if tok.text != "say" || tok.kind != name || i+1 == len(tokens) || tokens[i+1].text != "(" || i > 0 && tokens[i-1].text == "function" {
			continue
		}
		u := use{at: fmt.Sprintf("%s:%d", path, 1+bytes.Count([]byte(script[:tok.at]), []byte("\n"))), call: "say"}
		if i+2 < len(tokens) && tokens[i+2].kind == literal {
			u.key = tokens[i+2].text
		}
		for depth, j := 1, i+2; j < len(tokens) && depth > 0; j++ {
			if tokens[j].kind != sign {
				continue
			}
			switch tokens[j].text {
			case "(", "[", "{", "${":
				depth++
			case ")", "]", "}":
				depth--
			case ",":
				if depth == 1 {
					u.arguments++
				}
			}
		}
		out = append(out, u)
	}
	return out
}
