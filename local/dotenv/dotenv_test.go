package dotenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseReadsWhatAShellWould(t *testing.T) {
	for text, want := range map[string]string{
		"K=v":                                   "v",
		"export K=v":                            "v",
		"K=":                                    "",
		"K=a b # why":                           "a b",
		"K=a#b":                                 "a#b",
		"K=# only a comment":                    "",
		"K='a # $b'":                            "a # $b",
		`K="a \"b\" \\ \$c" # x`:                `a "b" \ $c`,
		"# c\n\nK=postgres://u:p=q@h:5432/home": "postgres://u:p=q@h:5432/home",
		"K=one\r\n":                             "one",
		"K=1\nK=two":                            "two",
	} {
		vars, err := Parse(text)
		if err != nil || vars["K"] != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, vars["K"], err, want)
		}
	}
}

func TestParseNamesTheLineAndNotItsContent(t *testing.T) {
	for _, text := range []string{"A=1\ngeheim", "A=1\nK=\"geheim", "A=1\nK='geheim' x", "A=1\nK-L=geheim"} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("Parse(%q) = %v, want an error that names line 2 alone", text, err)
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
