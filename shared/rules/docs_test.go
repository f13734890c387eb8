package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/settings"
)

// TestTheDocsNameEveryRuleAndHaveNoMistake: docs/alerts.md is what a stranger copies from.
func TestTheDocsNameEveryRuleAndHaveNoMistake(t *testing.T) {
	b, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, name := range compile(t, "").Names() {
		if _, zigbee := strings.CutPrefix(name, "zigbee-"); !strings.Contains(text, "`"+name+"`") && !(zigbee && strings.Contains(text, "`"+strings.TrimPrefix(name, "zigbee-")+"`")) {
			t.Errorf("docs/alerts.md does not name the rule %s", name)
		}
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(blocks) < 3 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		f := settings.Parse([]byte(block[1]))
		Compile(f, nil)
		if err := f.Err(); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
}
