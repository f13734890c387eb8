package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The programs' messages name hearth's own commands, not the targets of make.
func TestMessagesNameHearthsCommands(t *testing.T) {
	m := readMakefile(t)
	files := 0
	for _, dir := range []string{"cmd", "connectors", "edge", "functions", "local", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
				return err
			case filepath.Ext(path) != ".go", strings.HasSuffix(path, "_test.go"), strings.Contains(path, filepath.Join("local", "docs")): // the documents' first steps use make
				return nil
			}
			files++
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					for _, found := range regexp.MustCompile(`\bmake ([a-z-]+)`).FindAllStringSubmatch(text.Value, -1) {
						if slices.Contains(m.targets, found[1]) {
							t.Errorf("%s: %s: name the command of hearth instead", path, text.Value)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
}
