package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/stack"
)

const root = "../.."

func TestTheReferenceIsNotStale(t *testing.T) {
	blocks, err := stack.Read(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Pages(root, blocks)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := Write(root, pages, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("%s is out of date: run hearth docs", name)
	}
}

// A block must name exactly the settings that its function reads. A variable that nothing
// reads is left over from the block that was copied, or misspelt. A setting that the block
// does not name cannot be set in .env. An upstream's address must be in the block, because
// only there the sample server's address can replace it.
func TestABlockNamesExactlyTheSettingsOfItsFunction(t *testing.T) {
	known := map[string]bool{ // read by the watchdog and by Go
		"read_timeout": true, "write_timeout": true, "exec_timeout": true, "healthcheck_interval": true, "GOGC": true, "GOMEMLIMIT": true,
	}
	for _, dir := range []string{"shared/store", "shared/notify", "shared/serve", "shared/source"} {
		for _, s := range settingsOf(t, dir) {
			known[s.Name] = true
		}
	}
	blocks, err := stack.Read(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blocks {
		if _, err := os.Stat(filepath.Join(root, f.Folder, "handler.go")); err != nil {
			continue // not written yet: it has no page either
		}
		own := map[string]bool{}
		for _, s := range settingsOf(t, f.Folder) {
			own[s.Name] = true
			if _, ok := f.Env[s.Name]; !ok && !s.secret && !known[s.Name] {
				t.Errorf("%s: the block in the stack file does not name the setting %s", f.Name, s.Name)
			}
			if s.secret && !slices.Contains(f.Secrets, s.preset) {
				t.Errorf("%s: the block in the stack file does not list the secret %s", f.Name, s.preset)
			}
		}
		for name := range f.Env {
			if !own[name] && !known[name] {
				t.Errorf("%s: the block in the stack file names %s, which the function does not read", f.Name, name)
			}
		}
	}
}

func settingsOf(t *testing.T, dir string) []setting {
	t.Helper()
	p, err := load(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := p.settings("Config", "")
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

// What make up reads from the environment is in the reference, and the other way
// round. What a connector or a store reads has its own table.
func TestTheReferenceHasEveryVariableOfMakeUp(t *testing.T) {
	read := map[string]bool{}
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code += string(b)
		for _, m := range regexp.MustCompile(`vars\["([A-Z_]+)"\]`).FindAllStringSubmatch(string(b), -1) {
			read[m[1]] = true
		}
	}
	b, err := os.ReadFile(root + "/docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "## make up\n")
	if !ok || len(read) < 8 {
		t.Fatalf("no table of make up, or only %d variables in the code", len(read))
	}
	for name := range read {
		if !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("docs/configuration.md lacks %s", name)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(row[1], -1) {
			if !strings.Contains(code, `"`+name[1]+`"`) && name[1] != "LIVE" && name[1] != "INFLUX_CA_FILE" { // local/host reads these
				t.Errorf("nothing reads %s", name[1])
			}
		}
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const handler = "// Package function brings tides | from the coast.\npackage function\n\n" +
	"import (\n\t\"time\"\n\tcommon \"github.com/hearth-home/hearth/shared/pg\"\n\t\"github.com/hearth-home/hearth/shared/secret\"\n)\n\n" +
	"type Config struct {\n" +
	"\tURL string `env:\"TIDES_URL\" envDefault:\"https://t.example/a|b\"` // where to ask\n" +
	"\t// which coasts\n\tCoasts []string `env:\"TIDES_COASTS,required\"`\n" +
	"\tKey secret.String `env:\"TIDES_KEY_SECRET\" envDefault:\"tides-key\"` // secret with the key\n" +
	"\tEvery time.Duration `env:\"TIDES_EVERY\" envDefault:\"15m\"` // pause\n" +
	"\tDB common.Config `envPrefix:\"DB_\"`\n\tinner\n\tcache map[string]int\n}\n\n" +
	"type inner struct {\n\tN int `env:\"TIDES_N\"` // how many\n}\n"

func TestSettingsFollowTagsCommentsAndNestedStructs(t *testing.T) {
	dir := folder(t, map[string]string{
		"functions/tides/handler.go": handler,
		"shared/pg/pg.go":            "package pg\ntype Config struct { Host string `env:\"HOST\"` // its name\n}\n",
	})
	p, err := load(dir, "functions/tides")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.settings("Config", "")
	if err != nil {
		t.Fatal(err)
	}
	want := []setting{
		{Name: "TIDES_URL", preset: "https://t.example/a|b", kind: "text", About: "where to ask"},
		{Name: "TIDES_COASTS", kind: "list of text", About: "which coasts", required: true},
		{Name: "TIDES_KEY_SECRET", preset: "tides-key", kind: secretKind, About: "secret with the key", secret: true},
		{Name: "TIDES_EVERY", preset: "15m", kind: "duration", About: "pause"},
		{Name: "DB_HOST", kind: "text", About: "its name"},
		{Name: "TIDES_N", kind: "whole number", About: "how many"},
	}
	if len(got) != len(want) {
		t.Fatalf("settings = %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("setting %d = %+v, want %+v", i, got[i], want[i])
		}
	}
	page, err := functionPage(dir, stack.Function{Name: "tides", Folder: "functions/tides", Env: map[string]string{"TIDES_EVERY": "1h"},
		Annotations: map[string]string{"topic": "cron-function", "schedule": "@daily"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Brings tides | from the coast.", "Runs at `@daily`", "| `TIDES_URL` | `https://t.example/a\\|b` | where to ask |",
		"| `TIDES_COASTS` | **required** | which coasts (list of text) |", "(locally `TIDES_KEY` in `.env`)", "| `TIDES_EVERY` | `1h` |",
	} {
		if !strings.Contains(string(page), line) {
			t.Errorf("%s\nlacks %s", page, line)
		}
	}
}

func TestASettingWithoutACommentIsRefused(t *testing.T) {
	dir := folder(t, map[string]string{"functions/x/handler.go": "package function\ntype Config struct {\n\tA string `env:\"A_VAR\"`\n}\n"})
	p, err := load(dir, "functions/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.settings("Config", ""); err == nil || !strings.Contains(err.Error(), "A_VAR") {
		t.Errorf("err = %v, want it to name A_VAR", err)
	}
}

func TestWriteWritesOnlyChangedPages(t *testing.T) {
	dir := folder(t, map[string]string{"same.md": "a"})
	pages := []Page{{"same.md", []byte("a")}, {"new/b.md", []byte("b")}}
	for i, want := range []string{"new/b.md", ""} {
		stale, err := Write(dir, pages, false)
		if err != nil || strings.Join(stale, " ") != want {
			t.Errorf("write %d: %v, %v; want %q", i, stale, err, want)
		}
	}
}
