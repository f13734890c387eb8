package dotenv

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseReadsWhatAShellWould(t *testing.T) {
	for text, want := range map[string]string{
		"K=v":                                    "v",
		"export K=v":                             "v",
		"export \t K=v":                          "v",
		" \tK=v \t":                              "v",
		"K=":                                     "",
		"K= # why":                               "",
		"K=a # why; not":                         "a",
		"K=a#b":                                  "a#b",
		"K=#hearth":                              "#hearth",
		"K='a # $b'":                             "a # $b",
		"K='a;b&c|d>e' # x":                      "a;b&c|d>e",
		`K="a \"b\" \\ \$c \d" # x`:              `a "b" \ $c \d`,
		`K="it's"`:                               "it's",
		"# it's; $(x)\r\n\nK=postgres://u:p=q@h": "postgres://u:p=q@h",
		"K=https://h/~me?a=[b]*":                 "https://h/~me?a=[b]*",
		"K=1\nK=two":                             "two",
		"K=grün…":                                "grün…",
	} {
		vars, err := Parse(text)
		if err != nil || vars["K"] != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, vars["K"], err, want)
		}
	}
}

// Each line, and words of the error that says what to write.
var refused = map[string]string{
	"K=home:52.52,13.41;cabin:46.5,8.0": "; has a meaning of its own for a shell: write K='…', the value in single quotes",
	"K=a&b":                             "single quotes",
	"K=a|b":                             "single quotes",
	"K=a>b":                             "single quotes",
	"K=a<b":                             "single quotes",
	"K=(a)":                             "single quotes",
	"K=$HOME":                           "single quotes",
	"K=a${b}":                           "single quotes",
	"K=`id`":                            "single quotes",
	"K=~/x":                             "single quotes",
	"K=a:~/x":                           "single quotes",
	`K=a\`:                              "single quotes",
	`K=a\nb`:                            "single quotes",
	`K=it's`:                            `write K="…", the value in double quotes`,
	`K=a"b"`:                            "single quotes",
	"K=*/15 * * * *":                    "single quotes",
	"K=a b # why":                       "single quotes",
	"K=a\u00a0b":                        "U+00A0",
	"export K=a*":                       "single quotes",
	"export K={a,b}":                    "single quotes",
	"K= v":                              "write K='…', the value in single quotes",
	"K =v":                              "no space before the =",
	"K=v L=w":                           "single quotes",
	"export K":                          "KEY=value",
	`K="a$b"`:                           `\$`,
	"K=\"a`b\"":                         "\\`",
	`K="a`:                              "closing quote",
	`K='a`:                              "closing quote",
	`K="a\`:                             "closing quote",
	`K='a'b`:                            "one pair of quotes",
	`K='a'#b`:                           "one pair of quotes",
	`K='it'\''s'`:                       "one pair of quotes",
	`K="a" b`:                           "single quotes",
	"K=v\r":                             "sed -i",
	"K='v'\r":                           "sed -i",
	"\r":                                "sed -i",
	"K='a\x01'":                         "control",
	"\ufeffK=v":                         "byte order mark",
	"UID=5":                             "another name",
	"SECONDS=5":                         "another name",
	"K[0]=v":                            "KEY=value",
	"K+=v":                              "KEY=value",
	"K-L=v":                             "KEY=value",
	"geheim":                            "KEY=value",
	". ./other.env":                     "KEY=value",
}

func TestParseRefusesWhatAShellReadsDifferently(t *testing.T) {
	for line, want := range refused {
		vars, err := Parse("A=1\n" + line + "\n")
		if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v; want an error that names line 2 and says %q", line, vars, err, want)
		}
	}
}

func TestParseNamesEveryWrongLineAndNoContent(t *testing.T) {
	_, err := Parse("A=geheim;\nB=1\nC=\"$geheim\"\ngeheim\nD='geheim' x\nE-F=geheim\n")
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Fatalf("err = %v, want one without the content", err)
	}
	for _, want := range []string{"line 1: A:", "line 3: C:", "line 4:", "line 5: D:", "line 6:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, []byte("A=file\nB=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, err := Load(file, []string{"A=process", "C=x=y", "=odd"})
	if err != nil || vars["A"] != "process" || vars["B"] != "file" || vars["C"] != "x=y" {
		t.Errorf("Load = %v, %v", vars, err)
	}
	if vars, err := Load(file+".none", nil); err != nil || len(vars) != 0 {
		t.Errorf("without a file: %v, %v; want none", vars, err)
	}
}

// What Parse accepts, it accepts again when each value is written as its errors advise.
func FuzzParse(f *testing.F) {
	for line := range refused {
		f.Add(line)
	}
	f.Add("export K='a b' # c\nL=\"it's \\\"$\\\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := Parse(text)
		if err != nil {
			return
		}
		again := ""
		for k, v := range vars {
			if strings.Contains(v, "'") {
				v = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v) + `"`
			} else {
				v = "'" + v + "'"
			}
			again += k + "=" + v + "\n"
		}
		if got, err := Parse(again); err != nil || !maps.Equal(got, vars) {
			t.Errorf("%q: %q, then %q, %v", text, vars, got, err)
		}
	})
}
