// Command ahead runs tests with the clock set years ahead: what passes only in
// the days in which it was written fails here. It builds Go's own package time
// from a changed copy, in which Now counts on from a given moment at which the
// test's process starts; timers and measured durations stay as they are.
//
//	go run ./tools/ahead [packages]
//
// Without packages it runs all whose tests start no server: another program
// would not have their clock.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// moments are when the tests run, and where.
var moments = []struct{ now, zone string }{
	{"2028-02-29T12:00:00Z", "UTC"},
	{"2035-12-31T23:59:58+13:00", "Pacific/Auckland"}, // the year ends within two seconds, though not in UTC
}

const (
	module  = "github.com/hearth-home/hearth/"
	servers = module + "shared/testserver"
	slow    = module + "connectors/mqtt/deliver" // its tests wait three quarters of a minute; they are told every moment that matters
	reading = "sec, nsec, mono := runtimeNow()"  // of the clock, in time.Now
	counted = reading + "\n\tsec += ahead"
	source  = `package time

// begin is when this process starts; the linker gives it.
var begin string

// ahead is by how many seconds the clock is ahead.
var ahead = func() int64 {
	sec, _, _ := runtimeNow()
	t, err := Parse(RFC3339, begin)
	if err != nil {
		panic("there is no moment to begin at: " + err.Error())
	}
	return t.Unix() - sec
}()
`
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ahead:", err)
		os.Exit(1)
	}
}

func run(packages []string) error {
	dir, err := filepath.Abs(".bin/ahead") // always the same: paths are part of what go caches
	if err == nil {
		err = os.MkdirAll(dir, 0o750)
	}
	if err != nil {
		return err
	}
	overlay, err := changed(dir)
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		if packages, err = alone(); err != nil {
			return err
		}
	}
	var failed []string
	for _, m := range moments {
		fmt.Printf("# %s in %s\n", m.now, m.zone)
		args := []string{"test", "-timeout", "5m", "-overlay", overlay, "-ldflags", "-X time.begin=" + m.now}
		cmd := exec.Command("go", append(args, packages...)...)
		cmd.Env = append(os.Environ(), "TZ="+m.zone)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			failed = append(failed, m.now)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("tests fail at %s", strings.Join(failed, " and "))
	}
	return nil
}

// changed writes the copy of package time into dir and returns the file for
// go's -overlay.
func changed(dir string) (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	now := filepath.Join(from, "time.go")
	b, err := os.ReadFile(now)
	if err != nil {
		return "", err
	}
	if bytes.Count(b, []byte(reading)) != 1 {
		return "", errors.New("this Go reads the clock otherwise: look at time.Now")
	}
	replace := map[string]string{}
	for name, b := range map[string][]byte{now: bytes.Replace(b, []byte(reading), []byte(counted), 1), filepath.Join(from, "ahead.go"): []byte(source)} {
		replace[name] = filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(replace[name], b, 0o600); err != nil {
			return "", err
		}
	}
	b, err = json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}

// alone lists the packages whose tests start no server.
func alone() ([]string, error) {
	list := exec.Command("go", "list", "-test", "-f", "{{.ForTest}} {{.ImportPath}} {{.Deps}}", "./...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	var packages []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(line))
		name, test := strings.CutSuffix(words[0], ".test")
		if test && !slices.Contains(words, servers) && name != slow {
			packages = append(packages, name)
		}
	}
	if len(packages) == 0 {
		return nil, errors.New("no package tests without a server")
	}
	return packages, nil
}
