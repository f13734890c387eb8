package e2e

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openfaas/go-sdk/builder"
	"github.com/openfaas/go-sdk/stack"
)

const sizeLimit = 20e6 // bytes of a function's binary

// shrinkwrap makes the build context of f with the code that faas-cli build
// uses.
func shrinkwrap(t *testing.T, f stack.Function, copied []string) string {
	t.Helper()
	lang, err := stack.ParseYAMLForLanguageTemplate(filepath.Join("template", f.Language, "template.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := builder.CreateBuildContext(f.Name, f.Handler, f.Language, copied,
		builder.WithBuildDir(t.TempDir()), builder.WithHandlerOverlay(lang.HandlerFolder))
	if err != nil {
		t.Fatalf("shrink-wrap %s: %v", f.Name, err)
	}
	return dir
}

// dockerignore removes what Docker would not see, by .dockerignore: a path, or **/ and a pattern
// for base names.
func dockerignore(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := strings.Fields(string(text))
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if !slices.ContainsFunc(patterns, func(pattern string) bool { return ignored(pattern, rel) }) || rel == "Dockerfile" {
			return nil // the Dockerfile stays, for the test
		}
		if d.IsDir() {
			return errFirst(os.RemoveAll(p), fs.SkipDir)
		}
		return os.Remove(p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func errFirst(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func ignored(pattern, rel string) bool {
	if base, anywhere := strings.CutPrefix(pattern, "**/"); anywhere {
		ok, _ := path.Match(base, path.Base(rel))
		return ok
	}
	return pattern == rel
}

var buildStep = regexp.MustCompile(`(?m)^\s*(go build .*) /out/handler (.*)$`)

// compile runs the go build of the Dockerfile in the context and returns the
// binary, checked.
func compile(t *testing.T, context, arch string) string {
	t.Helper()
	dockerfile, err := os.ReadFile(filepath.Join(context, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	step := buildStep.FindSubmatch(dockerfile)
	if step == nil {
		t.Fatal("the Dockerfile has no line: go build … /out/handler …")
	}
	sum, err := os.ReadFile(filepath.Join(context, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "handler")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", string(step[1])+" "+bin+" "+string(step[2]))
	cmd.Dir = context
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile for %s: %v\n%s", arch, err, out)
	}
	if after, err := os.ReadFile(filepath.Join(context, "go.sum")); err != nil || !bytes.Equal(sum, after) {
		t.Errorf("the build changed go.sum (%v)", err)
	}
	check(t, bin, arch)
	return bin
}

// check holds a binary to what the image needs: its architecture, no dynamic
// linker, its size.
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
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f MB", arch, float64(info.Size())/1e6)
	if info.Size() >= sizeLimit {
		t.Errorf("%s: %d bytes, the limit is %.0f", arch, info.Size(), sizeLimit)
	}
}
