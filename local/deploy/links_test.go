package deploy

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	inline  = regexp.MustCompile("`(make|hearth|hearth-edge) ([^`]+)`")
)

// anchor is GitHub's name of a heading.
func anchor(title string) string {
	title = link.ReplaceAllString(strings.ToLower(title), "]")
	title = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(title, "")
	return strings.ReplaceAll(strings.TrimSpace(title), " ", "-")
}

// Links to files and headings of the repository lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			file := page
			if target != "" {
				file = path.Join(path.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: %s: there is no such file", page, m[1])
				continue
			}
			if fragment == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(read(t, file), -1) {
				found = found || anchor(h[1]) == fragment
			}
			if !found {
				t.Errorf("%s: %s: there is no such heading", page, m[1])
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were checked", links)
	}
}

// Commands within a sentence exist too.
func TestCommandsInSentencesExist(t *testing.T) {
	n := 0
	for _, page := range pages(t) {
		for _, m := range inline.FindAllStringSubmatch(read(t, page), -1) {
			fields := strings.Fields(strings.NewReplacer("'", "", "…", password).Replace(m[2]))
			wrong := ""
			if n++; m[1] == "make" {
				wrong = checkMake(t, fields)
			} else {
				wrong = checkHearth(t, m[1], fields)
			}
			if wrong != "" {
				t.Errorf("%s: `%s %s`: %s", page, m[1], m[2], wrong)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d commands were checked", n)
	}
}
