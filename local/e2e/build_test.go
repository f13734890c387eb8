package e2e

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/openfaas/go-sdk/stack"

	wrap "github.com/hearth-home/hearth/local/shrinkwrap"
)

// A function's binary must be smaller, in bytes.
const (
	sizeLimit = 20e6
	pageLimit = 26e6 // with html/template, which makes the linker keep every exported method
)

// shrinkwrap creates the build context of f and returns its folder.
func shrinkwrap(t *testing.T, f stack.Function, copied []string) string {
	t.Helper()
	dir, err := wrap.Context(f, copied, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// dockerignore removes the files from a build context that Docker would ignore.
func dockerignore(t *testing.T, context string) {
	t.Helper()
	if err := wrap.Ignore(context); err != nil {
		t.Fatal(err)
	}
}

// compile runs the Dockerfile's go build in the build context, checks the binary and
// returns its path.
func compile(t *testing.T, context, arch string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "handler")
	if err := wrap.Compile(t.Context(), context, arch, bin); err != nil {
		t.Fatal(err)
	}
	check(t, bin, arch)
	return bin
}

// check checks that a binary fits the image: it is built for arch, needs no dynamic
// linker and is below the limit.
func check(t *testing.T, bin, arch string) {
	t.Helper()
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	if f.Machine != want {
		t.Errorf("built for %v, want %v", f.Machine, want)
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("%s: linked dynamically", arch)
	}
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f MB", arch, float64(len(b))/1e6)
	limit := int(sizeLimit)
	if bytes.Contains(b, []byte("html/template.(*Template).Execute")) {
		limit = pageLimit
	}
	if len(b) >= limit {
		t.Errorf("%s: %d bytes, the limit is %d", arch, len(b), limit)
	}
}
