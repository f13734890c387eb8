package testserver

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Peak returns the most memory in MiB that a running process has had so far: VmHWM of
// proc(5), which counts what a container's limit counts, and its program's pages.
func Peak(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatalf("no VmHWM of process %d: %v", pid, err)
	}
	return kib >> 10
}
