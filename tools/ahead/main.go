// Command ahead runs tests with the clock set years ahead. A test that passes only around
// the day on which it was written fails here.
//
// It builds the tests with a changed copy of Go's package time. There, time.Now starts at
// a given moment when the test process starts. Timers and measured durations do not
// change.
//
//	go run ./tools/ahead [packages]
//
// Without arguments it tests all packages whose tests start no server, since a server
// would have the real clock.
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

// moments are the times and time zones at which the tests run.
var moments = []struct{ now, zone string }{
	{"2028-02-29T12:00:00Z", "UTC"},
	{"2035-12-31T23:59:58+13:00", "Pacific/Auckland"}, // the year ends within two seconds, though not in UTC
}

const (
	module  = "github.com/hearth-home/hearth/"
	servers = module + "shared/testserver"
	slow    = module + "connectors/mqtt/deliver" // left out: its tests take 45 s, and every time they depend on is passed to them
	reading = "sec, nsec, mono := runtimeNow()"  // the line of time.Now that reads the clock
	counted = reading + "\n\tsec += ahead"
	source  = `package time

// begin is the time at which this process starts; the linker sets it.
var begin string

// ahead is how many seconds the clock is ahead.
var ahead = func() int64 {
	sec, _, _ := runtimeNow()
	t, err := Parse(RFC3339, begin)
	if err != nil {
		panic("the linker did not set begin: " + err.Error())
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

// run tests the packages at every moment.
func run(packages []string) error {
	dir, err := filepath.Abs(".bin/ahead") // always the same folder, since its path is part of the key of Go's build cache
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
		if packages, err = withoutServer(); err != nil {
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

// changed writes the changed files of package time into dir and returns the file for
// Go's flag -overlay.
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
		return "", errors.New("time.Now of this Go version reads the clock in another way: adapt the constant reading")
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

// withoutServer lists the packages whose tests start no server: the test binary does not
// depend on shared/testserver. It leaves out the package slow.
func withoutServer() ([]string, error) {
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
