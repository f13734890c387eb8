package function

import (
	"html"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html/atom"
)

// node is an element of a document.
type node struct {
	key   string // the name in lower case with the prefix of vocabularies: "pubdate", "dc:date"
	base  string // the xml:base that holds in it, "" if there is none
	attrs []attribute
	parts []part
}

type attribute struct{ key, value string } // the key in lower case, the value without entities

// part is a child of an element: a text as the document has it, with entities unless it is
// CDATA, or else an element.
type part struct {
	text  string
	cdata bool
	child *node
}

// vocabularies has the prefix by which the elements of a namespace are known here, whatever
// prefix the document uses. The names of RSS have none. An address counts without http://,
// upper case and a final slash or #.
var vocabularies = map[string]string{
	"www.w3.org/2005/atom":                "atom",
	"purl.org/atom/ns":                    "atom",
	"purl.org/dc/elements/1.0":            "dc",
	"purl.org/dc/elements/1.1":            "dc",
	"purl.org/dc/terms":                   "dcterms",
	"purl.org/rss/1.0/modules/dcterms":    "dcterms",
	"purl.org/rss/1.0/modules/content":    "content",
	"search.yahoo.com/mrss":               "media",
	"www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
	"rssnamespace.org/feedburner/ext/1.0": "feedburner",
	"www.w3.org/1999/xhtml":               "xhtml",
	"www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
	"purl.org/rss/1.0":                    "",
	"purl.org/net/rss1.1":                 "",
	"my.netscape.com/rdf/simple/0.9":      "",
	"channel.netscape.com/rdf/simple/0.9": "",
	"backend.userland.com/rss2":           "",
}

// vocabulary returns the prefix by which the elements of a namespace are known here. Those
// of one that is not known keep the document's prefix.
func vocabulary(namespace, prefix string) string {
	_, address, found := strings.Cut(strings.ToLower(strings.TrimSpace(namespace)), "://")
	if v, known := vocabularies[strings.TrimRight(address, "/#")]; known && found {
		return v
	}
	return prefix
}

// attr returns the value of the first attribute that n has of keys.
func (n *node) attr(keys ...string) string {
	for _, key := range keys {
		for _, a := range n.attrs {
			if a.key == key {
				return strings.TrimSpace(a.value)
			}
		}
	}
	return ""
}

// all returns the children of n with one of the keys, in the order of keys.
func (n *node) all(keys ...string) (found []*node) {
	for _, key := range keys {
		for _, p := range n.parts {
			if p.child != nil && p.child.key == key {
				found = append(found, p.child)
			}
		}
	}
	return found
}

// entries appends the elements within n that are entries.
func (n *node) entries(found []*node) []*node {
	for _, p := range n.parts {
		switch {
		case p.child == nil:
		case isEntry(p.child.key):
			found = append(found, p.child)
		default:
			found = p.child.entries(found)
		}
	}
	return found
}

func isEntry(key string) bool { return key == "item" || key == "entry" }

// hasElements reports whether n contains elements, such as HTML that is not escaped.
func (n *node) hasElements() bool {
	return slices.ContainsFunc(n.parts, func(p part) bool { return p.child != nil })
}

// text returns the text of n without entities, and with a space where an element ends that
// ends a word.
func (d *document) text(n *node) string {
	var b strings.Builder
	d.appendText(&b, n)
	return b.String()
}

func (d *document) appendText(b *strings.Builder, n *node) {
	for _, p := range n.parts {
		switch {
		case b.Len() >= maxText:
			return
		case p.child == nil && p.cdata:
			b.WriteString(p.text)
		case p.child == nil:
			b.WriteString(d.unescape(p.text[:min(len(p.text), maxText)]))
		default:
			known := atom.Lookup([]byte(p.child.key[strings.LastIndexByte(p.child.key, ':')+1:]))
			if slices.Contains(invisible, known) {
				continue
			}
			if !slices.Contains(inline, known) {
				b.WriteByte(' ')
			}
			d.appendText(b, p.child)
			if !slices.Contains(inline, known) {
				b.WriteByte(' ')
			}
		}
	}
}

// entity matches a reference to a character. Without its semicolon it is none, as in an
// address whose & is not escaped.
var entity = regexp.MustCompile(`&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{0,40});`)

// unescape returns s with characters in place of the entities of XML, HTML and the document.
func (d *document) unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return entity.ReplaceAllStringFunc(s, func(reference string) string {
		if own, ok := d.entities[reference[1:len(reference)-1]]; ok && d.grown < maxGrown {
			d.grown += len(own)
			return own
		}
		return html.UnescapeString(reference)
	})
}
