package page

import (
	"regexp"
	"strings"
	"testing"
)

// TestTheScriptHasTheTextsThatItUses: the script of the page has those of each of its parts, and no
// others.
func TestTheScriptHasTheTextsThatItUses(t *testing.T) {
	script := string(assets()["page.js"].plain)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\bsay\("([^"]+)"`).FindAllStringSubmatch(script, -1) {
		used[m[1]] = true
		if !strings.Contains(script, `"`+m[1]+`":`) {
			t.Errorf("the text %s is missing", m[1])
		}
	}
	if len(used) < 60 || strings.Contains(script, `"weather.`) {
		t.Errorf("%d texts, or those of the markup, too", len(used))
	}
}
