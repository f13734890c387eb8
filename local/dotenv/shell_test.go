package dotenv

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// sourced returns what the shell has in the named variables after `set -a; . ./.env`, in a
// folder with files that patterns match. Each value is in the environment of a program.
func sourced(t interface{ Fatalf(string, ...any) }, shell, dir, text string, names []string) map[string]string {
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(text), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	cmd := exec.Command(shell, "-c", "set -a; . ./.env; set +a; exec env -0")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8"}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("%s: %v: %s\n%q", shell, err, said.String(), text)
	}
	vars := map[string]string{}
	for kv := range strings.SplitSeq(string(out), "\x00") {
		if k, v, _ := strings.Cut(kv, "="); slices.Contains(names, k) {
			vars[k] = v
		}
	}
	return vars
}

func shells(t *testing.T) []string {
	return []string{tool.Needed(t, "apt-get install dash", "dash", "sh"), tool.Needed(t, "apt-get install bash", "bash")}
}

// files are names that the patterns *, ?, [a] and K=* match.
func files(t *testing.T) string {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "K=a", "K=ab", "K=a1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// line returns a line of pieces that have a meaning for a shell, or for our reader.
func line(t *rapid.T) string {
	pieces := []string{"K", "L1", "export ", "=", "=", "'", "'", `"`, `"`, " ", "\t", "#", " # x", ";", "&", "|", "<", ">", "(", ")", "$", "$HOME", "${K}", "$'a'", "`", "\\",
		"~", ":~", "~/", "*", "?", "[a]", "{a,b}", "!", "^", "%", "+", "\r", "\u00a0", "\u2003", "ä", "Á", "…", "\x81", "\xff", "a", "1", "-", ".", "/", ",", "@", "home:52.52,13.41", "https://u:p@h/x?y=z", "\x01", "\v", "\f", "\x00", "\ufeff"}
	start := rapid.SampledFrom([]string{"K=", "K='", `K="`, "export K=", "export K='", "L1=", "", "# "}).Draw(t, "start")
	end := rapid.SampledFrom([]string{"", "'", `"`, " ", "\\", " # why"}).Draw(t, "end")
	return start + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "") + end
}

// Whatever Parse accepts, dash and bash read alike. Lines that it accepts are gathered to
// files, so that few processes check many lines.
func TestWhatParseAcceptsAShellReadsAlike(t *testing.T) {
	found, dir := shells(t), files(t)
	accepted := 0
	rapid.Check(t, func(r *rapid.T) {
		var text strings.Builder
		for i := range 60 {
			l := line(r)
			if _, err := Parse(l); err == nil && !strings.Contains(l, "\n") {
				// every line keeps its own name, so that a later one does not hide it
				text.WriteString(strings.NewReplacer("K=", fmt.Sprintf("K%d=", i), "L1=", fmt.Sprintf("L%d=", i)).Replace(l) + "\n")
				accepted++
			}
		}
		want, err := Parse(text.String())
		if err != nil {
			r.Skip("a line that is refused with its own name")
		}
		names := slices.Sorted(maps.Keys(want))
		for _, shell := range found {
			got := sourced(r, shell, dir, text.String(), names)
			for _, k := range names {
				if got[k] != want[k] {
					r.Fatalf("%s reads %s as %q, we as %q, in\n%s", shell, k, got[k], want[k], text.String())
				}
			}
		}
	})
	if accepted < 500 {
		t.Errorf("only %d lines were accepted: the test compares too little", accepted)
	}
}

// The refusals are not idle: a shell reads each of these lines differently, or not at all.
func TestARefusedLineIsReadDifferentlyByAShell(t *testing.T) {
	found, dir := shells(t), files(t)
	for _, l := range []string{"K=home:52,13;cabin:46,8", "K=a&b", "K=a|b", "K=a>b", "K=$HOME", "K=`echo a`", "K=~/x", "K=a:~/x", `K=a\nb`, `K=a"b"`, "K=a b", "K= v", "K=v\r", `K="a$HOME"`, `K='a'#b`} {
		_, plain, _ := strings.Cut(l, "=")
		for _, shell := range found {
			text := l + "\n"
			if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell, "-c", `set -a; . ./.env; printf %s "$K"`)
			cmd.Dir = dir
			out, _ := cmd.Output()
			if string(out) == strings.TrimSuffix(plain, "\r") {
				t.Errorf("%s reads %q as it stands: why is it refused?", shell, l)
			}
		}
	}
}
