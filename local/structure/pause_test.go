package structure

import (
	"go/ast"
	"go/token"
	"testing"
)

// TestAPauseIsThatOfSharedPause: no program waits by hand for a time that a context may
// end, in a select or in a loop that sleeps.
func TestAPauseIsThatOfSharedPause(t *testing.T) {
	for _, f := range files(t, "cmd", "connectors", "edge", "functions", "local", "shared", "tools") {
		if f.folder == "shared/pause" {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectStmt:
				if isPause(n) {
					t.Errorf("%s, package %s: a select waits for a time or the end of a context: call pause.For", f.folder, f.Name)
				}
			case *ast.ForStmt:
				if n.Cond != nil && contains(n.Cond, "Err") && n.Post != nil && contains(n.Post, "Sleep") {
					t.Errorf("%s, package %s: a loop sleeps until a context ends: call pause.For in its condition", f.folder, f.Name)
				}
			}
			return true
		})
	}
}

// isPause reports whether a select has two cases: a context ends, and a time is over.
func isPause(s *ast.SelectStmt) bool {
	if len(s.Body.List) != 2 {
		return false
	}
	ends, over := false, false
	for _, c := range s.Body.List {
		received, ok := c.(*ast.CommClause).Comm.(*ast.ExprStmt)
		if !ok {
			return false
		}
		from, ok := received.X.(*ast.UnaryExpr)
		if !ok || from.Op != token.ARROW {
			return false
		}
		switch x := from.X.(type) {
		case *ast.CallExpr:
			name, _ := x.Fun.(*ast.SelectorExpr)
			ends = ends || name != nil && name.Sel.Name == "Done"
			over = over || name != nil && name.Sel.Name == "After"
		case *ast.SelectorExpr:
			over = over || x.Sel.Name == "C"
		}
	}
	return ends && over
}

// contains reports whether a node calls a method or a function of this name.
func contains(n ast.Node, name string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			f, _ := call.Fun.(*ast.SelectorExpr)
			found = found || f != nil && f.Sel.Name == name
		}
		return true
	})
	return found
}
