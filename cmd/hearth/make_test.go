package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// makes runs a target with a program that prints its arguments, one a line, in place of
// hearth. It returns these, or make's message if it refuses.
func makes(t *testing.T, environ []string, args ...string) []string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hearth")
	write(t, program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("make", append([]string{"--no-print-directory", "-C", root, "-o", program, "HEARTH=" + program}, args...)...)
	c.Env = append(append(os.Environ(), "MAKEFLAGS="), environ...) // make test has flags of its own
	out, err := c.CombinedOutput()
	if _, refused := err.(*exec.ExitError); err != nil && !refused {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestMakePassesItsSettingsAsTheyAre(t *testing.T) {
	tool.Needed(t, "apt-get install make", "make")
	others := []string{"NAME=host", "FILE=x.yml", "FROM=a", "TO=b", "FUNCTION=c", "TOPIC=d"} // of another program
	for _, c := range []struct {
		args, want []string
	}{
		{[]string{"settings-check"}, []string{"settings", "check"}},
		{[]string{"settings-export"}, []string{"settings", "export"}},
		{[]string{"settings-check", "FILE=my file.yml"}, []string{"settings", "check", "my file.yml"}},
		{[]string{"settings-check", "FILE="}, []string{"settings", "check"}},
		{[]string{"run"}, []string{"run"}},
		{[]string{"run", "FUNCTION=weather"}, []string{"run", "weather"}},
		{[]string{"run", "FUNCTION=weather;echo run"}, []string{"run", "weather;echo run"}},
		{[]string{"run", "FUNCTION=`echo x` 'y' \"z\""}, []string{"run", "`echo x` 'y' \"z\""}},
		{[]string{"run", "FUNCTION=weather", "DRY_RUN=1"}, []string{"run", "weather", "--dry-run"}},
		{[]string{"run", "FUNCTION=weather", "DRY_RUN=true"}, []string{"run", "weather", "--dry-run"}},
		{[]string{"run", "FUNCTION=weather", "DRY_RUN=0"}, []string{"run", "weather"}},
		{[]string{"run", "FUNCTION=weather", "DRY_RUN=false"}, []string{"run", "weather"}},
		{[]string{"run", "FUNCTION=weather", "DRY_RUN="}, []string{"run", "weather"}},
		{[]string{"backfill", "FUNCTION=treasuries", "FROM=2020-01-01"}, []string{"backfill", "treasuries", "--from=2020-01-01"}},
		{[]string{"backfill", "FUNCTION=a b", "FROM=2020 01", "TO=;x"}, []string{"backfill", "a b", "--from=2020 01", "--to=;x"}},
		{[]string{"backtest", "FROM=2026-01-01", "RULES=my rules.yml", "ALL=1"}, []string{"backtest", "--rules=my rules.yml", "--from=2026-01-01", "--all"}},
		{[]string{"functions-forget"}, []string{"functions", "forget"}},
		{[]string{"functions-forget", "NAME=a b"}, []string{"functions", "forget", "a b"}},
		{[]string{"device-forget", "DEVICE=office-air"}, []string{"device", "forget", "office-air"}},
		{[]string{"device-forget", "DEVICE=tele-*", "DRY_RUN=1"}, []string{"device", "forget", "tele-*", "--dry-run"}},
		{[]string{"device-forget", "FROM=hearth/evil 1", "ALL=yes"}, []string{"device", "forget", "--from=hearth/evil 1", "--all"}},
		{[]string{"device-forget", "DEVICE=tele-*", "FROM=", "ALL=1"}, []string{"device", "forget", "tele-*", "--from=", "--all"}}, // hearth refuses it
		{[]string{"device-forget", "DEVICE=", "FROM=tele", "ALL=1"}, []string{"device", "forget", "", "--from=tele", "--all"}},
		{[]string{"fault", "DEVICE=office-air", "FAULT=over"}, []string{"fault", "office-air", "over"}},
		{[]string{"device", "TOPIC=home/#"}, []string{"device", "home/#"}},
		{[]string{"why", "DEVICE=office-air"}, []string{"why", "office-air"}},
		{[]string{"device"}, []string{"device"}},
	} {
		if got := makes(t, others, c.args...); !slices.Equal(got, c.want) {
			t.Errorf("make %q: %q, want %q", c.args, got, c.want)
		}
	}
	for _, args := range [][]string{
		{"run", "FUNCTION=weather", "DRYRUN=1"}, {"run", "FUNCTION=weather", "dry_run=1"}, {"run", "FUNCTION=weather", "DRY_RNU="},
		{"backfill", "FUNCTION=treasuries", "FROM=2020-01-01", "UNTIL=2020-02-01"}, {"functions-forget", "NAME=a", "FUNCTION=b"},
		{"device", "TOPIK=home/#"}, {"settings-check", "FILES=other.yml"},
	} {
		unknown, _, _ := strings.Cut(args[len(args)-1], "=")
		if got := makes(t, nil, args...); len(got) != 1 || !strings.Contains(got[0], "make "+args[0]+" does not know "+unknown+": it takes ") {
			t.Errorf("make %q: %q, want %s refused", args, got, unknown)
		}
	}
	if got := makes(t, nil, "run", "FUNCTION=weather", "DRY_RUN=maybe"); !strings.Contains(got[0], `DRY_RUN is "maybe": write 1 or 0`) {
		t.Errorf("%q", got)
	}
}

// The source may be an archive, which git does not know.
func TestMakeSaysWhatIsNotTested(t *testing.T) {
	tool.Needed(t, "apt-get install make", "make")
	makefile, err := filepath.Abs(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a_test.go"), "tool."+`Optional(t, "no-such-program", "that it works")`+"\ntool."+`Optional(t, "sh", "that a shell works")`)
	c := exec.Command("make", "--no-print-directory", "-C", dir, "-f", makefile, "untested")
	c.Env = append(os.Environ(), "MAKEFLAGS=")
	if out, err := c.CombinedOutput(); err != nil || string(out) != "not tested: that it works, because no-such-program is not on the PATH\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
