package function

import (
	"strings"
	"testing"
	"time"
)

// TestDates: testdata/dates.tsv has the dates of four peers' tests and others of their kinds.
func TestDates(t *testing.T) {
	for line := range strings.Lines(read(t, "dates.tsv")) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		s, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%q has no tab", line)
		}
		got := "no"
		if d, ok := (dates{}).parse(s); ok {
			if got = d.known; got == "" {
				got = d.at.Format(time.RFC3339Nano)
			}
		}
		if got != want {
			t.Errorf("%-60q %s, want %s", s, got, want)
		}
	}
}
