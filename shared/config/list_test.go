package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
)

func TestAListHasOneSeparator(t *testing.T) {
	type lists struct {
		Symbols  List    `env:"SYMBOLS" envDefault:"SPY, AAPL"`
		Projects Entries `env:"PROJECTS"`
		Inner    struct {
			Bases List `env:"BASES"`
		} `envPrefix:"INNER_"`
	}
	parse := func(vars map[string]string) (lists, error) {
		return Parse[lists](Env{Vars: vars, Secrets: secret.NewFolder(t.TempDir())})
	}
	c, err := parse(map[string]string{"PROJECTS": " a, b:1 ;; c:2\nd:3;", "INNER_BASES": "x,,\n /y z/a ,"})
	if err != nil || !slices.Equal(c.Symbols, []string{"SPY", "AAPL"}) || !slices.Equal(c.Projects, []string{"a, b:1", "c:2", "d:3"}) || !slices.Equal(c.Inner.Bases, []string{"x", "/y z/a"}) {
		t.Errorf("%q, %v", c, err)
	}
	for wrong, by := range map[string]string{"x;y": "semicolons", "x y": "spaces", "a,x\ty": "spaces", "/ /data": "spaces", "/media/my disk /data": "spaces"} {
		_, err = parse(map[string]string{"SYMBOLS": wrong, "INNER_BASES": wrong})
		for _, want := range []string{"configuration: ", "SYMBOLS: its elements are separated by commas, not by " + by, "INNER_BASES: its elements"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %s", wrong, err, want)
			}
		}
	}
}
