// Package commandtest tests the command line of a program: its help, and the
// program as it is built.
package commandtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// Help compares the help of a program and of each of its commands with the files in
// testdata/help, and wants an example in each and lines of at most 80 columns.
func Help(t *testing.T, root *cobra.Command) {
	t.Helper()
	var names []string
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "_") + ".txt"
		names = append(names, name)
		text := command.Help(c)
		golden.Text(t, filepath.Join("testdata", "help", name), text)
		if c.HasParent() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.SplitSeq(text, "\n") {
			if len([]rune(line)) > 80 {
				t.Errorf("%s: a line of more than 80 columns: %s", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(root)
	files, err := os.ReadDir(filepath.Join("testdata", "help"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(names, f.Name()) {
			t.Errorf("testdata/help/%s: no command is called that; delete it", f.Name())
		}
	}
}

// Program is a program that was built.
type Program struct {
	path string
	Dir  string   // where it runs; "": here
	Env  []string // beside PATH and HOME
}

// Build compiles the program in a package's folder, "." or "../mqtt".
func Build(t testing.TB, folder string) Program {
	t.Helper()
	p := Program{path: filepath.Join(t.TempDir(), "program")}
	cmd := exec.Command("go", "build", "-o", p.path, folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", folder, err, out)
	}
	return p
}

// Command is the program with these arguments, to be started.
func (p Program) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = p.Dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, p.Env...)
	return cmd
}

// Run runs the program to its end and returns its exit code and what it wrote.
func (p Program) Run(t testing.TB, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := p.Command(ctx, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// Completion has each shell that is here read the program's script, and the program
// complete a word that was begun; so does bash without the package bash-completion.
func Completion(t *testing.T, p Program, begun, whole string) {
	t.Helper()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, script, errs := p.Run(t, "completion", shell)
		if code != 0 || len(script) < 500 {
			t.Errorf("%s: exit code %d, %d bytes: %s", shell, code, len(script), errs)
			continue
		}
		path := tool.Find(t, "apt-get install "+shell, shell)
		if path == "" {
			continue
		}
		file := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
		if shell == "bash" {
			bareBash(t, p, path, file, begun, whole)
		}
	}
	// The scripts ask the program itself.
	if code, out, errs := p.Run(t, "__complete", begun); code != 0 || !strings.Contains("\n"+out, "\n"+whole+"\t") {
		t.Errorf("%q is not completed to %q: %d %s%s", begun, whole, code, out, errs)
	}
}

// bareBash presses the tab key after a word that was begun, in a bash that has nothing but
// the program's script.
func bareBash(t *testing.T, p Program, bash, script, begun, whole string) {
	t.Helper()
	const press = `source "$1"
COMP_WORDS=("$2" "$3") COMP_CWORD=1 COMP_TYPE=9 COMP_LINE="$2 $3"
function=$(complete -p "$4"); function=${function##*-F }; "${function%% *}"
printf '%s\n' "${COMPREPLY[@]}"`
	cmd := exec.Command(bash, "--norc", "--noprofile", "-c", press, "bash", script, p.path, begun, p.name(t))
	var errs bytes.Buffer
	cmd.Stderr = &errs // compopt complains: no shell waits for the completion
	out, err := cmd.Output()
	if err != nil || string(out) != whole+"\n" {
		t.Errorf("bash without bash-completion: %v\n%q, want %s\n%s", err, out, whole, &errs)
	}
}

// name is the one for which the script completes.
func (p Program) name(t *testing.T) string {
	t.Helper()
	_, out, _ := p.Run(t, "version")
	name, _, _ := strings.Cut(out, " ")
	return name
}
