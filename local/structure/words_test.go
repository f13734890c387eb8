package structure

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// retired are words that a reader of the field would have to look up, each with the
// term that stands for it. They are regular expressions of whole words, in any case.
var retired = map[string]string{
	`graveyards?`:                 "dead letters",
	`bur(y|ies|ied|ying)`:         "add to the dead letters",
	`funerals?`:                   "dead letter",
	`wish(es|ed)?`:                "request",
	`invent(s|ed)?`:               "simulated (by a simulated sensor) or sample (an example answer)",
	`made[ -]up`:                  "simulated or sample",
	`leans?( on)?`:                "depends on",
	`told passes|passes on up`:    "acknowledge up to",
	`hears? (of|nothing)`:         "gets a message, receives nothing",
	`last words`:                  "latest state, end of the log",
	`takes? its word`:             "depends on",
	`unless told`:                 "by default",
	`asked for again`:             "to be retried",
	`in vain`:                     "timeout while waiting for",
	`surroundings`:                "environment, fixture",
	`without a word`:              "silently, without an error",
	`(is|are|was|were|went) away`: "cannot be reached, is down",
	`told (back|once)`:            "repeats, sends one message",
	`tells (back|slack)`:          "repeats, sends to Slack",
	`turned away`:                 "refused",
	`nobody knows`:                "unknown",
	`telegrams?`:                  "Telegraf metric",
	`outweighs`:                   "takes precedence",
	`wild values?`:                "outlier",
	`gives? up its oldest`:        "evict the oldest messages",
	`hung up`:                     "closed the connection",
	`in earnest`:                  "live, with the real key",
	`what it said`:                "its last message",
	`under way`:                   "in flight, running",
	`enough of us`:                "Retry-After",
	`word of the house`:           "term",
}

// TestPlainWords: no Go file, document, message or setting uses a retired word.
func TestPlainWords(t *testing.T) {
	found := 0
	for path, text := range texts(t) {
		for _, use := range uses(text) {
			found++
			t.Errorf("%s:%s", path, use)
		}
	}
	if found > 0 {
		t.Log("docs/glossary.md has the words to use")
	}
}

var patterns = func() map[*regexp.Regexp]string {
	out := map[*regexp.Regexp]string{}
	for word, instead := range retired {
		out[regexp.MustCompile(`(?i)\b(`+word+`)\b`)] = instead
	}
	return out
}()

// uses returns where a text uses retired words: "12: wish: write request".
func uses(text []byte) (out []string) {
	for n, line := range bytes.Split(text, []byte("\n")) {
		for word, instead := range patterns {
			if m := word.Find(line); m != nil {
				out = append(out, fmt.Sprintf("%d: %s: write %s", n+1, m, instead))
			}
		}
	}
	return out
}

func TestARetiredWordIsFound(t *testing.T) {
	if got := uses([]byte("fine\nthe Wishes of a graveyard-keeper, leaning")); len(got) != 2 {
		t.Errorf("%q, want 2: line 2 has two retired words and one that only begins like one", got)
	}
}

// texts are the files that a person writes and reads, by their path from the root.
func texts(t *testing.T) map[string][]byte {
	t.Helper()
	root, out := filepath.Join("..", ".."), map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && (slices.Contains([]string{"node_modules", "testdata", "build", "vendor"}, name) || strings.HasPrefix(name, ".") && len(name) > 2):
			return fs.SkipDir
		case d.IsDir() || name == "words_test.go" || !slices.Contains([]string{".go", ".md", ".yml", ".html", ".js", ".css", ".sql"}, filepath.Ext(name)):
			return nil
		}
		out[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(out) < 300 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}

// TestTheGlossaryIsShort: at most 30 terms, in order, each with one meaning.
func TestTheGlossaryIsShort(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "glossary.md"))
	if err != nil {
		t.Fatal(err)
	}
	var terms []string
	for _, m := range regexp.MustCompile(`(?m)^\| \*\*(.+)\*\* \| (.+) \|$`).FindAllSubmatch(text, -1) {
		terms = append(terms, string(m[1]))
	}
	if n := len(terms); n == 0 || n > 30 {
		t.Errorf("%d terms, want 1 to 30", n)
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(terms))); !slices.Equal(terms, sorted) {
		t.Errorf("not in order, or twice: %q", terms)
	}
}
