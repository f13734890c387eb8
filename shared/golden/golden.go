// Package golden compares test results with golden files.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/reading"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

// Readings fails t if rs, in line protocol, differ from the file at path. Run the test
// with -update to write the file; then review its diff.
func Readings(t testing.TB, path string, rs []reading.Reading) {
	t.Helper()
	var b strings.Builder
	for _, r := range rs {
		b.WriteString(r.Line() + "\n")
	}
	Text(t, path, b.String())
}

// Text fails t if got differs from the file at path. With -update it writes the file.
func Text(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}
