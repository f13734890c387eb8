package dotenv

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// set sets a variable in a file with this text, and returns the text after it.
func set(t *testing.T, text, name, v string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Set(file, map[string]string{name: v}); err != nil {
		t.Fatalf("Set in %q: %v", text, err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSetLeavesTheRestOfTheFile(t *testing.T) {
	for _, c := range [][2]string{
		{"", "K=v\n"},
		{"A=1\nB=2", "A=1\nB=2\nK=v\n"},
		{"# keys\nA=1\n#K=\n#B=\n", "# keys\nA=1\n#K=\nK=v\n#B=\n"},
		{"# K=old", "# K=old\nK=v\n"},
		{"A=1\n  export  K='old value' # of mine\nB='x y' # last\n", "A=1\n  export  K=v # of mine\nB='x y' # last\n"},
		{"K=\nA=1\nK=\"it's\"\n", "K=\nA=1\nK=v\n"},
		{"KK=1\nMY_K=2\n", "KK=1\nMY_K=2\nK=v\n"},
		{"K=1 # old\n#K=2\n", "K=v # old\n#K=2\n"},
	} {
		if got := set(t, c[0], "K", "v"); got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
	}
}

// Whatever a person pastes, the file then has it, for a shell as well.
func TestWhatSetWritesParseAndShellsRead(t *testing.T) {
	values := []string{"", "plain-Key_1", `it's "a" \key`, "#x", "a # b", "$HOME", "`id`", "a b", " a ", "~/x", "a:~", "x;y&z|", "{a,b}*?", "ä€", `\`, `'`, `"`, "a\tb", "home:52.52,13.41;cabin:46.5,8", "!x", "a=b=c"}
	rapid.Check(t, func(r *rapid.T) {
		if v := rapid.String().Draw(r, "value"); checkValue(v) == nil {
			if text, err := with("# mine\nA='1 2'\n", map[string]string{"K": v}); err == nil {
				values = append(values, v)
			} else {
				r.Fatalf("%q: %v\n%s", v, err, text)
			}
		}
	})
	all, dir := map[string]string{}, files(t)
	for i, v := range values {
		all[fmt.Sprintf("K%d", i)] = v
	}
	text, err := with("A='1 2' # kept\n", all)
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells(t) {
		got := sourced(t, shell, dir, text, slices.Sorted(maps.Keys(all)))
		for k, want := range all {
			if got[k] != want {
				t.Errorf("%s reads %q, want %q", shell, got[k], want)
			}
		}
	}
}

func TestSetRefusesWhatNoLineCanHold(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	for _, v := range []string{"a-secret\nB=1", "a-secret\r", "a-secret\x00", "a-secret\x1b[2J", "a-secret\xff"} {
		if err := Set(file, map[string]string{"K": v}); err == nil || !strings.Contains(err.Error(), "K: ") || strings.Contains(err.Error(), "a-secret") {
			t.Errorf("%q: %v", v, err)
		}
	}
	if err := os.WriteFile(file, []byte("A=a-secret with more\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Set(file, map[string]string{"K": "v"}); err == nil || !strings.Contains(err.Error(), "line 1: A") || strings.Contains(err.Error(), "a-secret") {
		t.Errorf("a file with a mistake: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "A=a-secret with more\n" {
		t.Errorf("the file was changed: %q", b)
	}
}

func TestSetReplacesTheFileForItsUserOnly(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real"), filepath.Join(dir, ".env")
	if err := os.WriteFile(file, []byte("A=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := Set(link, map[string]string{"K": "v"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if found, _ := os.ReadDir(dir); len(found) != 2 {
		t.Errorf("it left %v", found)
	}
}

func TestWritersAtTheSameTimeLoseNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			if err := Set(file, map[string]string{fmt.Sprintf("K%d", i): "v"}); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if vars, err := Load(file, nil); err != nil || len(vars) != 20 {
		t.Errorf("%d variables, %v", len(vars), err)
	}
}
