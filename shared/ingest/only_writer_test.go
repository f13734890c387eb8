package ingest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnlyThisPackageWritesReadings: readings that another package writes would not be
// checked. Series.Write is the only method Write of this module that takes a context,
// and WriteEarly and Commit are the only other methods of the store that take readings.
func TestOnlyThisPackageWritesReadings(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if d.IsDir() {
			if name == "shared/ingest" || name == "shared/store" || name == "shared/page/pagetest" || // the last is for tests
				d.Name() == "node_modules" || len(d.Name()) > 2 && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		for _, at := range writes(t, path) {
			t.Errorf("%s:%d writes readings: they go through shared/ingest", name, at)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

// writes returns the lines of a file that write readings.
func writes(t *testing.T, path string) (lines []int) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || !isContext(call.Args[0]) {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch {
		case (s.Sel.Name == "Write" || s.Sel.Name == "WriteEarly") && len(call.Args) == 2, s.Sel.Name == "Commit" && len(call.Args) == 4 && !isEmptyBatch(call.Args[2]):
			lines = append(lines, set.Position(call.Pos()).Line)
		}
		return true
	})
	return lines
}

// isContext recognises ctx, x.ctx, r.Context() and context.Background().
func isContext(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.HasSuffix(strings.ToLower(e.Name), "ctx")
	case *ast.SelectorExpr:
		return strings.EqualFold(e.Sel.Name, "ctx")
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok {
			of, _ := s.X.(*ast.Ident)
			return s.Sel.Name == "Context" || of != nil && of.Name == "context"
		}
	}
	return false
}

// isEmptyBatch recognises store.Batch{}.
func isEmptyBatch(e ast.Expr) bool {
	lit, ok := e.(*ast.CompositeLit)
	return ok && len(lit.Elts) == 0
}

func TestTheSearchFindsCallsThatWrite(t *testing.T) {
	if got := writes(t, "batch.go"); len(got) != 2 {
		t.Errorf("in batch.go at %v, want a WriteEarly and a Commit", got)
	}
	if got := writes(t, "source.go"); len(got) != 2 {
		t.Errorf("in source.go at %v, want two Commits", got)
	}
}
