package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/edge/cli"
	"github.com/hearth-home/hearth/local/docs"
	"github.com/hearth-home/hearth/shared/command"
)

const root = "../.."

func TestThePagesAreNotStale(t *testing.T) {
	all, err := pages(root)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := docs.Write(root, all, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("%s is out of date: run hearth docs", name)
	}
}

// The programs and the Makefile accept every command line in the documents.
func TestTheDocumentsCommandsExist(t *testing.T) {
	m := readMakefile(t)
	counts := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		b, err := os.ReadFile(path)
		for _, line := range commandLines(string(b)) {
			name, err := m.check(line)
			if err != nil {
				t.Errorf("%s: %s: %v", path, line, err)
			}
			counts[name]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"make", "hearth", "hearth-edge", "mqtt"} {
		if counts[name] < 3 {
			t.Errorf("%d command lines of %s: this test looks at the wrong places", counts[name], name)
		}
	}
}

// The programs accept the examples in their help.
func TestTheExamplesWork(t *testing.T) {
	m := readMakefile(t)
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for line := range strings.SplitSeq(c.Example, "\n") {
			for _, words := range commands(line) {
				if _, err := m.check(words); err != nil {
					t.Errorf("%s: %s: %v", c.CommandPath(), line, err)
				}
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(program())
	look(cli.Program(nil))
	look(connector())
}

// A make target with the name of a command is one line that calls the command.
func TestTargetsAreThinWrappers(t *testing.T) {
	m := readMakefile(t)
	wrappers := 0
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), "hearth ")
		target := strings.ReplaceAll(path, " ", "-")
		if c.HasParent() && target != "help" && slices.Contains(m.targets, target) {
			wrappers++
			_, recipe, _ := strings.Cut(m.text, "\n"+target+": ")
			recipe, _, _ = strings.Cut(recipe, "\n\n")
			if lines := strings.Split(recipe, "\n"); len(lines) != 2 || !strings.Contains(lines[1], "$(HEARTH) "+path) {
				t.Errorf("make %s: want one line that calls $(HEARTH) %s, not %q", target, path, lines[1:])
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(program())
	if wrappers < 8 {
		t.Errorf("only %d targets are commands", wrappers)
	}
}

func TestCommandLinesAreFoundAndChecked(t *testing.T) {
	m := readMakefile(t)
	for text, want := range map[string]string{
		"```sh\nmake run FUNCTION=weather DRY_RUN=1  # what would be stored\n```": "",
		"as `make settings-check FILE=other.yml` says, and `hearth/<node>/x`":     "",
		"```sh\nA=b sudo .bin/hearth run weather --dry-run && make up\n```":       "",
		"```sh\nkubectl exec x -- /mqtt dead list\n… dead show m5k2… # it\n```":   "",
		"```text\nhearth nonsense\n```":                                           "",
		"`hearth backfil`":                                                        "did you mean",
		"`hearth run weather --dryrun`":                                           "unknown flag",
		"`hearth dead drop -reason x`":                                            "unknown flag",
		"`hearth dead show a b`":                                                  `too many arguments: "b"`,
		"`make fnctions`":                                                         "no target fnctions",
		"`make up THE_URL=x`":                                                     "nothing reads THE_URL",
	} {
		var errs []string
		for _, line := range commandLines(text) {
			if _, err := m.check(line); err != nil {
				errs = append(errs, err.Error())
			}
		}
		if got := strings.Join(errs, "; "); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

var (
	fence  = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
	inline = regexp.MustCompile("`([^`\n]+)`")
)

// commandLines returns the commands in a document's blocks of shell and in its inline
// code, each as words.
func commandLines(text string) (out [][]string) {
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		if block[1] == "sh" || block[1] == "bash" {
			for line := range strings.SplitSeq(block[2], "\n") {
				out = append(out, commands(line)...)
			}
		}
	}
	for _, s := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		out = append(out, commands(s[1])...)
	}
	return slices.DeleteFunc(out, func(words []string) bool { return programOf(words[0]) == "" })
}

// words matches a shell's words: a word with its quotes, an operator, or a comment up to
// the end of the line.
var words = regexp.MustCompile(`'[^']*'|"[^"]*"|&&|\|\||[|;()<>]+|#.*|(?:'[^']*'|"[^"]*"|[^\s'"|;()<>&])+`)

// commands splits a line at a shell's operators. It removes what precedes the program:
// sudo, variables, and kubectl exec … --.
func commands(line string) (out [][]string) {
	var now []string
	end := func() {
		for len(now) > 0 && (now[0] == "sudo" || regexp.MustCompile(`^[A-Z_]+=`).MatchString(now[0])) {
			now = now[1:]
		}
		if i := slices.Index(now, "--"); i >= 0 && i+1 < len(now) && now[0] == "kubectl" {
			now = now[i+1:]
		}
		if len(now) > 0 {
			out = append(out, now)
		}
		now = nil
	}
	for _, w := range words.FindAllString(line, -1) {
		switch {
		case w[0] == '#':
			end()
			return out
		case strings.ContainsAny(w[:1], "|;()<>&"):
			end()
		default:
			now = append(now, strings.Trim(w, `'"`))
		}
	}
	end()
	return out
}

// programOf returns which of hearth's programs a word calls, or "".
func programOf(word string) string {
	switch word {
	case "…", "mqtt", "/mqtt": // docs/mqtt.md shortens the connector's with …
		return "mqtt"
	case "hearth", ".bin/hearth":
		return "hearth"
	case "hearth-edge", "make":
		return word
	}
	return ""
}

// makefile is its text and its targets.
type makefile struct {
	text, settings string
	targets        []string
}

func readMakefile(t *testing.T) (m makefile) {
	t.Helper()
	for into, names := range map[*string][]string{&m.text: {"Makefile"}, &m.settings: {"docs/configuration.md"}} {
		for _, name := range names {
			b, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			*into += string(b)
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(m.text, -1) {
		m.targets = append(m.targets, found[1])
	}
	return m
}

// check returns which program a command line calls, and an error if the program does not
// accept it.
func (m makefile) check(line []string) (name string, err error) {
	switch name = programOf(line[0]); name {
	case "make":
		return name, m.checkMake(line[1:])
	case "hearth":
		return name, takes(program(), line[1:])
	case "hearth-edge":
		return name, takes(cli.Program(nil), line[1:])
	case "mqtt":
		return name, takes(connector(), line[1:])
	}
	return "", nil
}

func (m makefile) checkMake(args []string) error {
	for _, arg := range args {
		variable, _, given := strings.Cut(arg, "=")
		switch read := regexp.MustCompile(`\$[({]?(if |or |call setting,|call picked,|call switch,)?\$?[({]?` + regexp.QuoteMeta(variable) + `\b`); {
		case !given && !slices.Contains(m.targets, arg):
			return fmt.Errorf("there is no target %s", arg)
		case given && !read.MatchString(m.text) && !strings.Contains(m.settings, "`"+variable+"`"):
			return fmt.Errorf("nothing reads %s", variable)
		}
	}
	return nil
}

// connector returns the commands of connectors/mqtt.
func connector() *cobra.Command {
	c := &cobra.Command{Use: "mqtt", RunE: func(*cobra.Command, []string) error { return nil }}
	c.AddCommand(deadcmd.New("mqtt", nil, nil))
	return command.Program(c)
}

// takes returns an error if a program does not accept these arguments, without running it.
// The bare name of a command is always accepted: a text may mention a command so.
func takes(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if len(rest) == 0 && c.HasParent() {
		return nil
	}
	if err := c.ParseFlags(rest); err != nil {
		return c.FlagErrorFunc()(c, err)
	}
	if help, err := c.Flags().GetBool("help"); err == nil && help {
		return nil
	}
	return c.ValidateArgs(c.Flags().Args())
}
