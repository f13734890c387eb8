package texts

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
)

// Texts that stand in the markup or a script all the same: proper names, units, and what no person
// reads.
var (
	properNames = []string{"hearth", "CPU", "min", "CO₂", "PM2.5", "views"} // views is a key of hearth.yml
	notRead     = []string{"the page shows the past", "Bearer ", "Enter", "Date", "Authorization", "Escape", "use strict", "data-sunrise", "data-sunset"}
	units       = []string{"kB", "MB", "GB", "TB", "kB/s", "MB/s", "GB/s", "kHz", "MHz", "GHz", "px"}
)

// TestNoTextStandsBesideTheFile: no markup and no script of the page has a text that a person reads.
// The lists of package status are not translated.
func TestNoTextStandsBesideTheFile(t *testing.T) {
	eachFile(t, func(path string, b []byte) {
		if strings.HasPrefix(path, filepath.Join("..", "status")) {
			return
		}
		switch filepath.Ext(path) {
		case ".html":
			for _, text := range append(bareInMarkup(string(b)), bareInActions(t, path, b)...) {
				t.Errorf("%s: %q belongs into english.json", path, text)
			}
		case ".js":
			for _, text := range bareInScript(string(b)) {
				t.Errorf("%s: %q belongs into english.json", path, text)
			}
		}
	})
}

func TestABareTextIsFound(t *testing.T) {
	for markup, want := range map[string]string{
		`<p>{{say "a.b"}} late</p>`: "late", `<a aria-label="Open {{.X}}">`: "Open", `{{if .X}}Yes{{end}}`: "Yes", `<p title="x">`: "x",
		`<p class="x y">{{.X}} °</p>hearth CPU {{/* note */}}`: "",
	} {
		if got := strings.Join(bareInMarkup(markup), "|"); got != want {
			t.Errorf("%s: %q, want %q", markup, got, want)
		}
	}
	if got := bareInActions(t, "x", []byte(`{{or .X "All devices"}}{{say "a.b" "late"}}{{say "a.b" .X}}{{if eq .X "value"}}{{asset "x.css"}}{{end}}`)); !slices.Equal(got, []string{"All devices", "late"}) {
		t.Errorf("%q", got)
	}
	for script, want := range map[string]string{
		"set(x, \"Earlier\")": "Earlier", "set(x, `${n} more`)": " more", "f(\"no values\")": "no values", "f(\"to \")": "to ", "f(`${a} old`)": " old", "f(yes ? \"still\" : 1)": "still",
		"x.innerHTML = `<a title=\"Find\">`": `<a title="Find">`, "x.innerHTML = '<b>Find</b>'": `<b>Find</b>`,
		"say(\"plot.still\")": "", "x.querySelector(\"li .said\")": "", "n.className = `rows-${n}`": "", "// a comment\n/a b/.test(x)": "", "addEventListener(\"click\", f)": "", "`<p class=\"a b\">${x}</p>`": "",
	} {
		if got := strings.Join(bareInScript(script), "|"); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

var (
	action     = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tag        = regexp.MustCompile(`(?s)<[^>]*>?`)
	attribute  = regexp.MustCompile(`\b(?:aria-label|aria-valuetext|title|placeholder|alt)="([^"]*)"`)
	aWord      = regexp.MustCompile(`\pL[\pL\pN.₂-]*`)
	aSelector  = []string{"querySelector", "querySelectorAll", "closest", "matches", "part", "of"}
	aSentence  = regexp.MustCompile(`^\p{Lu}\p{Ll}+(?:$|[ .:,…])|\pL{2,},? \pL{2,}|^\pL+ $|^ \pL+$`)
	inTemplate = regexp.MustCompile(`(?:^| )\pL{2,}(?:$|[ .,:;])`)
)

// bareInMarkup returns the words of a person's language outside of actions, tags and proper names.
func bareInMarkup(markup string) (out []string) {
	plain := action.ReplaceAllString(markup, " ")
	texts := []string{tag.ReplaceAllString(plain, " ")}
	for _, m := range attribute.FindAllStringSubmatch(plain, -1) {
		texts = append(texts, m[1])
	}
	for _, text := range texts {
		for _, word := range aWord.FindAllString(text, -1) {
			if !slices.Contains(slices.Concat(properNames, notRead), word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// bareInActions returns the strings in the actions of markup that are neither keys nor names.
func bareInActions(t *testing.T, path string, b []byte) (out []string) {
	t.Helper()
	eachNode(t, path, b, func(n parse.Node) {
		c, ok := n.(*parse.CommandNode)
		if !ok || slices.Contains([]string{"asset", "eq", "ne", "printf"}, c.Args[0].String()) {
			return
		}
		for i, arg := range c.Args {
			if s, ok := arg.(*parse.StringNode); ok && !(i == 1 && c.Args[0].String() == "say") {
				out = append(out, s.Text)
			}
		}
	})
	return out
}

// bareInScript returns the strings of a script that a person would read: those that begin with a
// capital or have several words, words in templates, and those that the file has.
func bareInScript(script string) (out []string) {
	tokens := tokensOf(script)
	for i, tok := range tokens {
		if tok.kind != literal && tok.kind != chunk || slices.Contains(slices.Concat(notRead, units), tok.text) {
			continue
		}
		called := ""
		if i > 1 && tokens[i-1].text == "(" && tokens[i-1].kind == sign {
			called = tokens[i-2].text
		}
		if called == "say" || slices.Contains(aSelector, called) {
			continue
		}
		if isBare(tok) {
			out = append(out, tok.text)
		}
	}
	return out
}

func isBare(tok scriptToken) bool {
	for _, m := range attribute.FindAllStringSubmatch(tok.text, -1) {
		if aWord.MatchString(m[1]) {
			return true
		}
	}
	text := tag.ReplaceAllString(tok.text, "")
	for _, name := range properNames {
		text = strings.ReplaceAll(text, name, "")
	}
	return aSentence.MatchString(text) || tok.kind == chunk && inTemplate.MatchString(text) || slices.Contains(shortTexts(), text)
}

// shortTexts are the texts of the plots and the ages that are a word in small letters.
func shortTexts() (out []string) {
	for _, part := range []string{"plot", "ages", "rewind"} {
		for _, text := range all[part] {
			if aWord.FindString(text.Many) == text.Many {
				out = append(out, text.Many)
			}
		}
	}
	return out
}
