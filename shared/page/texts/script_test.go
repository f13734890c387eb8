package texts

import (
	"regexp"
	"strings"
	"testing"
)

// kind is what a token of a script is.
type kind int

const (
	name    kind = iota
	literal      // a string, without its quotes
	chunk        // a part of a template string, between its expressions
	pattern      // a regular expression
	sign
)

// scriptToken is a token of a script; at is where it begins.
type scriptToken struct {
	kind kind
	text string
	at   int
}

var (
	nameOrNumber = regexp.MustCompile(`^[\p{L}\p{N}_$]+`)
	quotedText   = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)
	templateText = regexp.MustCompile("^(?:[^`\\\\$]|\\\\.|\\$[^{])*")
	regularText  = regexp.MustCompile(`^/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\]|\\.)*\])+/[a-z]*`)
	commentText  = regexp.MustCompile(`^(?:\s+|//[^\n]*|/\*(?s:.*?)\*/)`)
)

// tokensOf reads a script. Its signs are single characters, except for ${.
func tokensOf(script string) (out []scriptToken) {
	var depths []int // of braces, of each template string that has begun
	for at := 0; at < len(script); {
		rest := script[at:]
		take := func(k kind, n, from, to int) {
			out = append(out, scriptToken{k, rest[from:to], at})
			at += n
		}
		template := func(before int) { // a chunk, and what ends it
			text := templateText.FindString(rest[before:])
			n := before + len(text)
			take(chunk, n, before, n)
			if strings.HasPrefix(script[at:], "${") {
				rest, depths = script[at:], append(depths, 0)
				take(sign, 2, 0, 2)
			} else {
				at++
			}
		}
		last := len(depths) - 1
		switch found := quotedText.FindString(rest); {
		case commentText.MatchString(rest):
			at += len(commentText.FindString(rest))
		case found != "":
			take(literal, len(found), 1, len(found)-1)
		case rest[0] == '`':
			template(1)
		case rest[0] == '}' && last >= 0 && depths[last] == 0:
			depths = depths[:last]
			take(sign, 1, 0, 1)
			rest = script[at:]
			template(0)
		case nameOrNumber.MatchString(rest):
			n := len(nameOrNumber.FindString(rest))
			take(name, n, 0, n)
		case rest[0] == '/' && beginsPattern(out) && regularText.MatchString(rest):
			n := len(regularText.FindString(rest))
			take(pattern, n, 0, n)
		default:
			if last >= 0 {
				depths[last] += strings.Count(rest[:1], "{") - strings.Count(rest[:1], "}")
			}
			take(sign, 1, 0, 1)
		}
	}
	return out
}

// beginsPattern reports whether a slash after these tokens begins a regular expression.
func beginsPattern(before []scriptToken) bool {
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return last.kind == sign && !strings.Contains(")]}", last.text) || last.kind == name && last.text == "return"
}

func TestAScriptIsReadInTokens(t *testing.T) {
	script := "// say(\"no\")\nsay(\"a.b\", f(1, [2]), `x ${n > 1 ? `y ${n}` : {}} z`) / 2; x.replace(/[/\"]/g, 'it\\'s')"
	var got []string
	for _, tok := range tokensOf(script) {
		if tok.kind == literal || tok.kind == chunk || tok.kind == pattern {
			got = append(got, tok.text)
		}
	}
	if want := `a.b|x |y ||` + ` z|/[/"]/g|it\'s`; strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
	if u := inScript("x.js", script); len(u) != 1 || u[0].key != "a.b" || u[0].arguments != 2 || u[0].at != "x.js:2" {
		t.Errorf("uses %+v", u)
	}
}
