// Package structure tests rules of the project that the compiler does not check: which
// parts may import which, what only one package may do, and which words are not used.
package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hearth-home/hearth"

// pkg is go list's output for a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// mayImport lists, for each folder in the module's root, the folders whose packages it may
// import.
var mayImport = map[string][]string{
	"functions":  {"shared"},
	"connectors": {"connectors", "shared"},
	"edge":       {"edge", "shared"},
	"shared":     {"shared"},
	"local":      {"functions", "connectors", "edge", "shared", "local"},
	"cmd":        {"connectors", "edge", "shared", "local", "cmd"}, // no function: local runs them
	"tools":      {"functions", "connectors", "edge", "shared", "local"},
}

func TestImports(t *testing.T) {
	for _, p := range list(t, "./...") {
		from, ok := part(p.ImportPath)
		if !ok {
			t.Errorf("%s: the folder is not in mayImport, and the module's root holds no package", p.ImportPath)
		}
		for _, to := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if to != module && !strings.HasPrefix(to, module+"/") {
				continue
			}
			if into, _ := part(to); to == p.ImportPath || slices.Contains(mayImport[from], into) {
				continue
			}
			t.Errorf("%s imports %s; it may import %s only", p.ImportPath, to, strings.Join(mayImport[from], ", "))
		}
	}
}

// part returns the folder in the module's root that a package is in; ok is false if
// mayImport does not list it.
func part(importPath string) (string, bool) {
	rest := strings.TrimPrefix(importPath, module+"/")
	name, _, _ := strings.Cut(rest, "/")
	return name, mayImport[name] != nil
}

// TestDependencies checks the dependencies of the programs. The connector, the edge agent
// and the pure packages have no database. A function's image has no SQLite, no MQTT client
// and no command-line library; package local has no command-line library either.
func TestDependencies(t *testing.T) {
	sqlite, mqtt, cobra := "modernc.org/sqlite", "github.com/eclipse/paho.mqtt.golang", "github.com/spf13/cobra"
	databases := []string{sqlite, module + "/shared/store", "github.com/jackc/pgx", "github.com/influxdata/influxdb-client-go"}
	for pattern, never := range map[string][]string{
		"./connectors/mqtt": databases, "./edge": databases, "./functions/...": {sqlite, mqtt, cobra}, "./local": {cobra},
		"./shared/alert": databases, "./shared/quality": databases,
	} {
		for _, p := range list(t, pattern) {
			for _, dep := range p.Deps {
				for _, bad := range never {
					if dep == bad || strings.HasPrefix(dep, bad+"/") {
						t.Errorf("%s links %s", p.ImportPath, dep)
					}
				}
			}
		}
	}
}

// list runs go list at the module's root.
func list(t *testing.T, pattern string) (out []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", pattern)
	cmd.Dir = filepath.Join("..", "..")
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		t.Fatalf("no packages in %s", pattern)
	}
	return out
}
