package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// file is a Go file of the module that is no test.
type file struct {
	*ast.File
	folder  string // from the root: "shared/store"
	imports []string
	names   map[string]string // import paths by the name in the file; without one, the path's last element
}

// files parses the Go files below these folders of the module.
func files(t *testing.T, folders ...string) (out []file) {
	t.Helper()
	root, set := filepath.Join("..", ".."), token.NewFileSet()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, filepath.Dir(path))
			out = append(out, newFile(f, filepath.ToSlash(rel)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d files in %v", len(out), folders)
	}
	return out
}

func newFile(f *ast.File, folder string) file {
	out := file{File: f, folder: folder, names: map[string]string{}}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value) // the parser saw it as a string
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		out.imports, out.names[name] = append(out.imports, path), path
	}
	return out
}

// calls calls each for every call of a package's function or of a method. For a method,
// path is "".
func (f file) calls(each func(path, name string, args []ast.Expr)) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok {
			path := ""
			if x, ok := s.X.(*ast.Ident); ok {
				path = f.names[x.Name]
			}
			each(path, s.Sel.Name, call.Args)
		}
		return true
	})
}

// forTests are folders that only tests use.
var forTests = []string{"shared/testserver", "shared/testserver/browser", "shared/testserver/tool", "shared/command/commandtest", "shared/page/pagetest"}

// Only shared/config reads the process's environment, so that make up can give each
// function an environment of its own.
func TestOnlyConfigReadsTheProcessEnvironment(t *testing.T) {
	for _, f := range files(t, "functions", "shared") {
		if f.folder == "shared/config" || slices.Contains(forTests, f.folder) {
			continue
		}
		f.calls(func(path, name string, _ []ast.Expr) {
			if (path == "os" || path == "syscall") && slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, name) {
				t.Errorf("%s calls %s.%s: use serve.Env", f.folder, path, name)
			}
		})
		ast.Inspect(f.File, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && strings.Contains(s.Value, "/var/openfaas/secrets") {
				t.Errorf("%s names the folder of secrets", f.folder)
			}
			return true
		})
	}
}

// A second package that reads YAML could read hearth.yml by other rules.
func TestOnlySettingsReadsHearthYML(t *testing.T) {
	readers := 0
	for _, f := range files(t, "functions", "shared", "connectors", "edge", "local") {
		for _, path := range f.imports {
			if !strings.Contains(path, "yaml") {
				continue
			}
			if readers++; f.folder != "shared/settings" {
				t.Errorf("%s imports %s: read hearth.yml by shared/settings", f.folder, path)
			}
		}
	}
	if readers == 0 {
		t.Error("nobody reads YAML: this test looks at the wrong files")
	}
}

// All readings and device states are checked and stored by shared/ingest. The test finds
// the store's methods by name and number of arguments; the context distinguishes
// Series.Write(ctx, readings) from io.Writer's.
func TestOnlyIngestWritesReadings(t *testing.T) {
	writes := map[string]int{"Write": 2, "Commit": 4, "SaveDevices": 2}
	seen := 0
	for _, f := range files(t, "functions", "shared", "connectors", "edge", "local") {
		if f.folder == "shared/store" || strings.HasPrefix(f.folder, "shared/store/") || slices.Contains(forTests, f.folder) {
			continue
		}
		f.calls(func(path, name string, args []ast.Expr) {
			if path != "" || len(args) == 0 || writes[name] != len(args) || !isContext(args[0]) {
				return
			}
			if seen++; f.folder != "shared/ingest" {
				t.Errorf("%s calls %s, which stores readings or states: only shared/ingest may", f.folder, name)
			}
		})
	}
	if seen == 0 {
		t.Error("no call stores readings: this test looks for the wrong calls")
	}
}

// isContext reports whether an argument's text looks like a context.
func isContext(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.HasSuffix(strings.ToLower(e.Name), "ctx")
	case *ast.CallExpr:
		s, ok := e.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"Context", "Background", "TODO", "WithoutCancel"}, s.Sel.Name)
	}
	return false
}

// Only shared/config decides what a web address is. Otherwise a page could link to an
// address that a source refuses.
func TestOnlyConfigChecksWebAddresses(t *testing.T) {
	checks := 0
	for _, f := range files(t, "functions", "shared", "connectors") {
		if f.folder == "shared/fetch" { // compares the scheme of a redirect
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			e, ok := n.(*ast.BinaryExpr)
			if !ok {
				return true
			}
			of, ok := e.X.(*ast.SelectorExpr)
			to, lit := e.Y.(*ast.BasicLit)
			if ok && lit && of.Sel.Name == "Scheme" && strings.HasPrefix(to.Value, `"http`) {
				if checks++; f.folder != "shared/config" {
					t.Errorf("%s compares a scheme with %s: config.URL and config.Link check addresses", f.folder, to.Value)
				}
			}
			return true
		})
	}
	if checks == 0 {
		t.Error("nobody checks an address: this test looks at the wrong expressions")
	}
}

// Only shared/testserver/tool decides what a test does without a program: a test that
// skipped itself in its own way could do so silently, or in CI.
func TestOnlyToolSkipsTestsWithoutAProgram(t *testing.T) {
	own := regexp.MustCompile(`exec\.LookPath\(|Getenv\("CI"\)`)
	for path, text := range texts(t) {
		if !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "shared/command/commandtest/") {
			continue
		}
		if found := own.Find(text); found != nil {
			t.Errorf("%s has %s: use shared/testserver/tool", path, found)
		}
	}
	optional := regexp.MustCompile(`tool\.Optional\(`)
	literal := regexp.MustCompile(`tool\.Optional\([a-z], "[^"|]+", "[^"|]+"\)`) // as make untested reads it
	calls := 0
	for path, text := range texts(t) {
		n := len(optional.FindAll(text, -1))
		if calls += n; n != len(literal.FindAll(text, -1)) {
			t.Errorf("%s: make untested cannot read a call of tool.Optional", path)
		}
	}
	if calls == 0 {
		t.Error("no test uses tool.Optional: this test looks for the wrong calls")
	}
}
