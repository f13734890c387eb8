package bridge

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports are the packages of the connector, each with those of them that it imports,
// as their comments say.
var imports = map[string][]string{
	"message":    nil,
	"intake":     {"message"},
	"deadletter": {"message"},
	"deliver":    {"deadletter", "message"},
	"bridge":     {"deadletter", "deliver", "intake", "message"},
	"deadcmd":    {"deadletter"},
	"mqtttest":   nil,
}

func TestTheConnectorsPackagesImportOnlyWhatTheySay(t *testing.T) {
	const own = "github.com/hearth-home/hearth/"
	dirs, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]bool{}
	for _, file := range dirs {
		pkg := filepath.Base(filepath.Dir(file))
		if got[pkg] == nil {
			got[pkg] = map[string]bool{}
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			rest, ours := strings.CutPrefix(path, own)
			switch name, inside := strings.CutPrefix(rest, "connectors/mqtt/"); {
			case inside:
				got[pkg][name] = true
			case ours && !strings.HasPrefix(rest, "shared/"):
				t.Errorf("%s imports %s", file, rest)
			}
		}
	}
	for name, have := range got {
		want, known := imports[name]
		if have := slices.Sorted(maps.Keys(have)); !known || !slices.Equal(have, want) {
			t.Errorf("%s imports %v, want %v", name, have, want)
		}
	}
	if len(got) != len(imports) {
		t.Errorf("%d packages, want %d", len(got), len(imports))
	}
}
