// Package shrinkwrap builds a function as its image does, without Docker. It creates the
// build context by the library behind faas-cli build --shrinkwrap, and runs the
// Dockerfile's go build. Paths are relative to the repository's root, as for faas-cli.
package shrinkwrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/openfaas/go-sdk/builder"
	"github.com/openfaas/go-sdk/stack"
)

// Root changes the working folder to the repository's root, the nearest folder with a
// stack.yml.
func Root() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "stack.yml")); err == nil {
			return os.Chdir(dir)
		}
	}
	return errors.New("no stack.yml above the working folder")
}

// Main runs a package's tests, m, in the repository's root, and returns the exit code. Into
// scratch it writes the name of a temporary folder, which it removes at the end.
func Main(m interface{ Run() int }, scratch *string) int {
	code := 1
	err := Root()
	if err == nil {
		*scratch, err = os.MkdirTemp("", "hearth-test-programs-")
	}
	if err == nil {
		code = m.Run()
		err = os.RemoveAll(*scratch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Stack reads a stack file as faas-cli does. A file without functions is an error.
func Stack(file string) (*stack.Services, error) {
	s, err := stack.ParseYAMLFile(file, "", "", true)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(s.Functions) == 0 {
		return nil, fmt.Errorf("%s has no functions", file)
	}
	for name, f := range s.Functions {
		f.Name = name
		s.Functions[name] = f
	}
	return s, nil
}

// Context creates the build context of f below dir and returns its folder. copied are the
// paths that the stack file adds to every build context (copy_extra_paths).
func Context(f stack.Function, copied []string, dir string) (string, error) {
	lang, err := stack.ParseYAMLForLanguageTemplate(filepath.Join("template", f.Language, "template.yml"))
	if err != nil {
		return "", fmt.Errorf("template %s: %w", f.Language, err)
	}
	dir, err = builder.CreateBuildContext(f.Name, f.Handler, f.Language, copied,
		builder.WithBuildDir(dir), builder.WithHandlerOverlay(lang.HandlerFolder))
	if err != nil {
		return "", fmt.Errorf("shrink-wrap %s: %w", f.Name, err)
	}
	return dir, nil
}

// Ignore removes the files from a build context that its .dockerignore excludes. It knows
// two forms: a path, and **/ with a pattern for base names. The Dockerfile stays, for
// Compile.
func Ignore(context string) error {
	text, err := os.ReadFile(filepath.Join(context, ".dockerignore"))
	if err != nil {
		return err
	}
	patterns := strings.Fields(string(text))
	return filepath.WalkDir(context, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(context, p)
		if rel == "Dockerfile" || !slices.ContainsFunc(patterns, func(pattern string) bool { return ignored(pattern, rel) }) {
			return nil
		}
		if !d.IsDir() {
			return os.Remove(p)
		}
		if err := os.RemoveAll(p); err != nil {
			return err
		}
		return fs.SkipDir
	})
}

func ignored(pattern, rel string) bool {
	if base, anywhere := strings.CutPrefix(pattern, "**/"); anywhere {
		ok, _ := path.Match(base, path.Base(rel))
		return ok
	}
	return pattern == rel
}

var buildStep = regexp.MustCompile(`(?m)^\s*(go build .*) /out/handler (.*)$`)

// Compile runs the go build of the Dockerfile in dir for Linux on arch, and writes the
// binary to bin. A build that changes go.sum is an error.
func Compile(ctx context.Context, dir, arch, bin string) error {
	dockerfile, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		return err
	}
	step := buildStep.FindSubmatch(dockerfile)
	if step == nil {
		return errors.New("the Dockerfile has no line: go build … /out/handler …")
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", string(step[1])+" "+bin+" "+string(step[2]))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile for %s: %w\n%s", arch, err, out)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "go.sum")); err != nil || !bytes.Equal(sum, after) {
		return errors.Join(err, errors.New("the build changed go.sum"))
	}
	return nil
}
