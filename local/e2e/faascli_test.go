package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// TestFaasCLIMakesTheSameContext: faas-cli build --shrinkwrap creates the same build
// contexts as TestFunctions uses.
func TestFaasCLIMakesTheSameContext(t *testing.T) {
	cli := tool.Optional(t, "faas-cli", "that faas-cli makes the build contexts which the tests compile")
	files, err := filepath.Glob("stack*.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := copyOfRepository(t)
	for _, file := range files {
		cmd := exec.CommandContext(t.Context(), cli, "build", "--shrinkwrap", "-f", file)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("faas-cli build --shrinkwrap -f %s: %v\n%s", file, err, out)
		}
	}
	list, copied := functions(t)
	for _, f := range list {
		want, got := tree(t, shrinkwrap(t, f, copied)), tree(t, filepath.Join(dir, "build", f.Name))
		if !maps.Equal(want, got) {
			t.Errorf("%s: faas-cli made %v\nwant %v", f.Name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}

// copyOfRepository returns a folder with links to the repository's files. faas-cli
// writes its build/ there.
func copyOfRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "build" || e.Name()[0] == '.' {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree returns the SHA-256 of each file below dir, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		sums[rel] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
