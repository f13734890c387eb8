package chaos

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
)

// cpu is what a process has used, in seconds.
func cpu(t testing.TB, s *testserver.Server) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold spaces
	words := strings.Fields(rest)
	const ticks = 100.0 // a second, on every Linux that Go runs on
	user, err1 := strconv.ParseFloat(words[11], 64)
	system, err2 := strconv.ParseFloat(words[12], 64)
	if err1 != nil || err2 != nil {
		t.Fatalf("cannot read %q", b)
	}
	return (user + system) / ticks
}

// peak is the most memory that a process ever held, in MB.
func peak(t testing.TB, s *testserver.Server) float64 {
	return entry(t, s, "status", "VmHWM:") * 1024 / 1e6
}

// written is what a process has handed to the disk, in bytes.
func written(t testing.TB, s *testserver.Server) float64 { return entry(t, s, "io", "write_bytes:") }

func entry(t testing.TB, s *testserver.Server, file, name string) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.Pid(), file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), name)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		t.Fatalf("%s has no %s", file, name)
	}
	v, err := strconv.ParseFloat(words[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
