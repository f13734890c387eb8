package mapping

import (
	"os"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/settings"
)

// TestTheDocumentsExamplesWork parses every block of YAML in the two pages.
func TestTheDocumentsExamplesWork(t *testing.T) {
	n := 0
	for _, page := range []string{"devices.md", "settings.md"} {
		b, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(b), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			if f := settings.Parse([]byte(block)); len(f.Mistakes) > 0 {
				t.Errorf("%v\n%s", f.Mistakes, block)
			}
			if _, err := Parse([]byte(block)); err != nil {
				t.Errorf("%v\n%s", err, block)
			}
			n++
		}
	}
	if n < 5 {
		t.Errorf("%d blocks", n)
	}
}
