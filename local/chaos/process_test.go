package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
)

// cpu returns the processor time that a process and its children have used, in seconds.
func cpu(t testing.TB, s *testserver.Server) (used float64) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(s.Pid())
	for _, file := range all {
		b, err := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(b), ") ") // the name may hold spaces
		words := strings.Fields(rest)
		own := filepath.Base(filepath.Dir(file)) == pid
		if err != nil || len(words) < 15 || !own && words[1] != pid {
			continue
		}
		used += seconds(t, words[11:13])
		if own {
			used += seconds(t, words[13:15]) // of children that have ended
		}
	}
	return used
}

func seconds(t testing.TB, ticks []string) (sum float64) {
	t.Helper()
	for _, s := range ticks {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n / 100 // USER_HZ is 100 on every Linux that Go runs on
	}
	return sum
}

// peak returns the largest resident set of a process so far, in MB.
func peak(t testing.TB, s *testserver.Server) float64 {
	return entry(t, s, "status", "VmHWM:") * 1024 / 1e6
}

// written returns how many bytes a process has caused to be written to disk.
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
