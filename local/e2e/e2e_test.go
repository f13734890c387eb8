// Package e2e builds every function of stack.yml as faas-cli does and runs it as its
// image does. It checks the function's limits: size, memory, a clean stop.
package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/openfaas/go-sdk/stack"

	wrap "github.com/hearth-home/hearth/local/shrinkwrap"
)

// TestMain runs the tests in the repository's root: faas-cli's paths are relative to it.
func TestMain(m *testing.M) {
	if err := wrap.Root(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// readStack returns a stack file as faas-cli reads it.
func readStack(t *testing.T, file string) *stack.Services {
	t.Helper()
	s, err := wrap.Stack(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// functions returns the functions of all stack files, sorted by file and name, and the
// paths that faas-cli copies into every build context.
func functions(t *testing.T) (list []stack.Function, copied []string) {
	t.Helper()
	files, err := filepath.Glob("stack*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s := readStack(t, file)
		for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
			list = append(list, s.Functions[name])
		}
		copied = s.StackConfiguration.CopyExtraPaths
	}
	return list, copied
}
