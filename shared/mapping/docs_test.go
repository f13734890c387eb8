package mapping

import (
	"os"
	"strings"
	"testing"
)

// TestTheDocumentsExamplesWork reads every block of docs/devices.md.
func TestTheDocumentsExamplesWork(t *testing.T) {
	b, err := os.ReadFile("../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(b), "```yaml\n")[1:]
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if _, err := Parse([]byte(block)); err != nil {
			t.Errorf("%v\n%s", err, block)
		}
	}
	if len(blocks) < 3 {
		t.Errorf("%d blocks", len(blocks))
	}
}
