package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is go list's output for a package of the module or a dependency.
type listed struct {
	ImportPath, Dir, Export, ForTest   string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Module                             *struct{ Main bool }
}

// typed is the module, type-checked from its source, tests included. A package is checked
// without its tests and again with them, so an object is identified by its position.
type typed struct {
	*testing.T
	set     *token.FileSet
	sources map[string]*listed
	own     []*listed                 // packages of the module, each after its imports
	others  types.Importer            // packages of other modules, from the compiler's export data
	plain   map[string]*types.Package // packages of the module without their tests
	parsed  map[string]*ast.File
	uses    func(s *listed, info *types.Info) // called for each package that is checked
}

// check type-checks the module for this system, and calls uses for each package.
func check(t *testing.T, uses func(*listed, *types.Info)) *typed {
	m := &typed{T: t, set: token.NewFileSet(), sources: map[string]*listed{}, plain: map[string]*types.Package{}, parsed: map[string]*ast.File{}, uses: uses}
	m.list()
	m.others = importer.ForCompiler(m.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(m.sources[path].Export) })
	for _, s := range m.own {
		m.plain[s.ImportPath] = m.pkg(s, s.ImportPath, nil, s.GoFiles)
	}
	for _, s := range m.own {
		tested := m.plain[s.ImportPath]
		if len(s.TestGoFiles) > 0 {
			tested = m.pkg(s, s.ImportPath, nil, slices.Concat(s.GoFiles, s.TestGoFiles))
		}
		if len(s.XTestGoFiles) > 0 {
			m.pkg(s, s.ImportPath+"_test", tested, s.XTestGoFiles)
		}
	}
	return m
}

func (m *typed) list() {
	cmd := exec.Command("go", "list", "-deps", "-test", "-export", "-json=ImportPath,Dir,Export,ForTest,Module,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir, cmd.Stderr = filepath.Join("..", ".."), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		m.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var s listed
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			m.Fatal(err)
		}
		if s.ForTest != "" || strings.HasSuffix(s.ImportPath, ".test") {
			continue
		}
		m.sources[s.ImportPath] = &s
		if s.Module != nil && s.Module.Main {
			m.own = append(m.own, &s) // go list prints a package after those that it imports
		}
	}
}

// pkg type-checks the files of one package. Errors in packages with tests are ignored: a
// package checked twice has two versions of each type, which do not match. The uses of
// objects are recorded nevertheless.
func (m *typed) pkg(s *listed, path string, tested *types.Package, names []string) *types.Package {
	var files []*ast.File
	for _, name := range names {
		name = filepath.Join(s.Dir, name)
		if m.parsed[name] == nil {
			f, err := parser.ParseFile(m.set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				m.Fatal(err)
			}
			m.parsed[name] = f
		}
		files = append(files, m.parsed[name])
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: imports{m, tested}, FakeImportC: true, Error: func(error) {}}
	p, err := conf.Check(path, m.set, files, info)
	if err != nil && path == s.ImportPath {
		m.Fatal(err)
	}
	m.uses(s, info)
	return p
}

// imports finds imported packages. It returns tested instead of the package of the same
// path without tests.
type imports struct {
	m      *typed
	tested *types.Package
}

// Import is for types.Config.
func (i imports) Import(path string) (*types.Package, error) {
	if i.tested != nil && path == i.tested.Path() {
		return i.tested, nil
	}
	if p := i.m.plain[path]; p != nil {
		return p, nil
	}
	return i.m.others.Import(path)
}
