// Package tool finds the programs that tests run. A missing program that a Debian package
// installs skips its test on a laptop and fails it if CI is set. A missing program without
// such a package skips its test everywhere; make test and make e2e list what was then not
// tested.
package tool

import (
	"os"
	"os/exec"
	"testing"
)

// Needed returns the path of the first of names that is installed. If none is, it skips
// the test, or fails it if CI is set. get says how to install it.
func Needed(t testing.TB, get string, names ...string) string {
	t.Helper()
	path := look(names)
	if path == "" {
		Missing(t, names[0]+" is not on the PATH: "+get)
	}
	return path
}

// Find is Needed for a test that does something useful without the program too: on a
// laptop it returns "" and the test goes on.
func Find(t testing.TB, get string, names ...string) string {
	t.Helper()
	if os.Getenv("CI") != "" {
		return Needed(t, get, names...)
	}
	path := look(names)
	if path == "" {
		t.Logf("%s is not on the PATH: %s", names[0], get)
	}
	return path
}

// Optional returns the path of a program that no Debian package installs. If it is not on
// the PATH, it skips the test, also if CI is set. untested says what is then not tested;
// write name and untested as literals, because make reads them from the source.
func Optional(t testing.TB, name, untested string) string {
	t.Helper()
	path := look([]string{name})
	if path == "" {
		t.Skipf("not tested: %s, because %s is not on the PATH", untested, name)
	}
	return path
}

// Missing skips the test, or fails it if CI is set. reason says what is missing and how to
// get it.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// look returns the path of the first of names that is installed, or "".
func look(names []string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
