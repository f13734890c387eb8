package function

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// visible returns the visible text of n, with a single space between words. It leaves out
// scripts, hidden elements and disabled buttons.
func visible(n *html.Node) string {
	var b strings.Builder
	appendVisible(&b, n)
	return words(b.String())
}

// appendVisible appends the visible text of n and its children.
func appendVisible(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		b.WriteString(n.Data)
		return
	case n.Type == html.ElementNode && hidden(n):
		return
	case n.DataAtom == atom.Input && slices.Contains([]string{"submit", "button"}, strings.ToLower(attr(n, "type"))):
		b.WriteString(" " + attr(n, "value") + " ")
	}
	endsWord := n.Type == html.ElementNode && !slices.Contains(inline, n.DataAtom)
	if endsWord {
		b.WriteByte(' ')
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		appendVisible(b, c)
	}
	if endsWord {
		b.WriteByte(' ')
	}
}

// inline elements do not end a word.
var inline = []atom.Atom{atom.A, atom.Abbr, atom.B, atom.Em, atom.Font, atom.I, atom.Mark, atom.Small, atom.Strong, atom.Sub, atom.Sup, atom.U}

// invisible elements have no visible text.
var invisible = []atom.Atom{atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Svg, atom.Iframe, atom.Object}

// hidden reports whether n is not visible: by its element, an attribute or its style.
func hidden(n *html.Node) bool {
	if slices.Contains(invisible, n.DataAtom) {
		return true
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "disabled":
			if n.DataAtom == atom.Button || n.DataAtom == atom.Input {
				return true
			}
		case "style":
			if strings.Contains(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""), "display:none") {
				return true
			}
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// plain returns the text of s, which may be HTML, as in a feed's titles and descriptions.
// Of a text that is longer than maxText, it is the beginning's.
func plain(s string) string {
	s = s[:min(len(s), maxText)]
	if !strings.ContainsAny(s, "<&") {
		return words(s)
	}
	n, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return words(s)
	}
	return visible(n)
}

// words returns s as valid UTF-8, with a single space between words and U+FFFD for control
// characters.
func words(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))), " ")
}

// cutText trims s and shortens it to at most n letters, the last of which is then "…".
func cutText(s string, n int) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return s
}
