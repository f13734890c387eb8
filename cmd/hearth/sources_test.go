package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/source"
)

func TestWhatCannotBeRunOrBackfilledIsSaid(t *testing.T) {
	n := local.Names{All: []string{"github", "treasuries", "weather", "zigbee"}, Sources: []string{"github", "treasuries", "weather"}, History: []string{"github", "treasuries"}}
	one := local.Names{All: n.All, Sources: n.Sources, History: []string{"treasuries"}}
	for want, err := range map[string]error{
		"": checkSource(n, "weather"), "<nil>": checkHistory(n, "github"),
		`unknown function "wether": did you mean "weather"?`:             checkSource(n, "wether"),
		`unknown function "treasuris": did you mean "treasuries"?`:       checkHistory(n, "treasuris"),
		"zigbee has no schedule and is no source":                        checkSource(n, "zigbee"),
		"the sources are github, treasuries and weather":                 checkHistory(n, "zigbee"),
		"weather has no history to backfill; github and treasuries have": checkHistory(n, "weather"),
		"weather has no history to backfill; treasuries has":             checkHistory(one, "weather"),
		"no source here has history to backfill":                         checkHistory(local.Names{All: n.All, Sources: n.Sources}, "weather"),
	} {
		if wanted := want != "" && want != "<nil>"; wanted != (err != nil) || wanted && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A script that asks for JSON reads in it why nothing was fetched.
func brokenDatabase(t *testing.T, p commandtest.Program) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hearth.db"), strings.Repeat("this is no database\n", 100))
	p.Env = append(p.Env, "HEARTH_DIR="+dir)
	for _, args := range [][]string{{"run", "weather", "--json"}, {"run", "weather", "--dry-run", "--json"}} {
		var a source.Answer
		parse(t, p, command.Failed, &a, args...)
		if a.Function != "weather" || a.Status != "failed" || !strings.Contains(a.Error, "hearth.db") || a.Warnings == nil {
			t.Errorf("%q: %+v", args, a)
		}
	}
	if code, _, errs := p.Run(t, "functions", "list"); code != command.Failed || !strings.Contains(errs, "run .bin/hearth database salvage") {
		t.Errorf("functions list: %d %s", code, errs)
	}
	var got salvaged
	if parse(t, p, command.Partly, &got, "database", "salvage", "--json"); got.Kept == "" || got.Rows != 0 || got.Gaps == 0 {
		t.Errorf("%+v", got)
	}
	if b, err := os.ReadFile(got.Kept); err != nil || !strings.HasPrefix(string(b), "this is no database") {
		t.Errorf("%.100s, %v", b, err)
	}
	if code, out, errs := p.Run(t, "database", "salvage"); code != command.Done || !strings.Contains(out, "the database is good") {
		t.Errorf("again: %d %s%s", code, out, errs)
	}
}
