package function

import (
	"cmp"
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// feed is a feed of any format.
type feed struct {
	title   string
	entries []entry
}

// entry is an entry of a feed. Its texts are plain, with a single space between words.
type entry struct {
	id, title, summary string
	link               string   // an absolute web address, or ""
	dates              []string // as the feed has them; the date of publication first
}

// feed returns the feed of a document. Addresses without a base are relative to address.
func (d *document) feed(address string) feed {
	channel := d.root
	if c := d.root.all("channel"); len(c) > 0 {
		channel = c[0]
	}
	titleType, _ := d.textTypes()
	f := feed{title: d.plain(channel, titleType, "title", "atom:title", "dc:title")}
	base := address
	if !d.atom() { // of RSS, the site is the base; of Atom, the feed
		for _, l := range channel.all("link") {
			if site := webLink(resolve(resolve(address, l.base), strings.TrimSpace(d.text(l)))); site != "" {
				base = site
				break
			}
		}
	}
	entries := d.root.entries(nil)
	if isEntry(d.root.key) {
		entries = []*node{d.root}
	}
	for _, n := range entries {
		f.entries = append(f.entries, d.entry(n, base))
	}
	return f
}

func (d *document) atom() bool { return d.root.key == "feed" || d.root.key == "entry" }

// textTypes returns the types of a title and of a text that name none: Atom's are text; in
// RSS, that of a title is for the reader to guess.
func (d *document) textTypes() (title, text string) {
	if d.atom() {
		return "text", "text"
	}
	return "guess", "html"
}

// entry reads an entry.
func (d *document) entry(n *node, base string) entry {
	titleType, textType := d.textTypes()
	e := entry{
		id:    d.plain(n, "text", "guid", "id", "atom:id", "atom:guid"),
		title: d.plain(n, titleType, "title", "atom:title", "dc:title", "media:title", "itunes:title"),
		link:  d.entryLink(n, base),
	}
	summaries := []string{"description", "summary", "atom:summary", "dc:description", "content:encoded", "content", "atom:content",
		"encoded", "fullitem", "xhtml:body", "body", "xhtml:div", "media:description", "itunes:summary", "itunes:subtitle", "abstract"}
	e.summary = d.plain(n, textType, summaries...)
	if e.title == "" || e.summary == "" { // as in the feeds of videos
		groups := n.all("media:group", "media:content")
		for _, g := range n.all("media:group") {
			groups = append(groups, g.all("media:content")...)
		}
		for _, g := range groups {
			e.title = cmp.Or(e.title, d.plain(g, "guess", "media:title"))
			e.summary = cmp.Or(e.summary, d.plain(g, "html", "media:description"))
		}
	}
	if e.id == "" {
		e.id = words(n.attr("rdf:about", "rdf:id"))
	}
	for _, key := range []string{"pubdate", "published", "atom:published", "issued", "atom:issued", "dcterms:issued", "dc:date", "dc:issued", "dcterms:date", "dcterms:available",
		"itunes:pubdate", "prism:publicationdate", "publicationdate", "datepublished", "published_at",
		"updated", "atom:updated", "modified", "atom:modified", "dcterms:modified", "dc:modified", "updated_at",
		"created", "atom:created", "dcterms:created", "dc:created", "date", "lastbuilddate"} {
		for _, date := range n.all(key) {
			if t := words(d.text(date)); t != "" {
				e.dates = append(e.dates, t)
			}
		}
	}
	if t := n.attr("lastmod"); t != "" { // of CDF
		e.dates = append(e.dates, t)
	}
	return e
}

// plain returns the plain text of the first child of n that has one, of those with keys.
// kind is the type of a text that names none: text, html or guess.
func (d *document) plain(n *node, kind string, keys ...string) string {
	for _, c := range n.all(keys...) {
		if t := d.plainText(c, kind); t != "" {
			return t
		}
	}
	return ""
}

// plainText returns the text of an element as its attributes type and mode say.
func (d *document) plainText(n *node, kind string) string {
	text := d.text(n)
	switch t := strings.ToLower(n.attr("type")); {
	case strings.EqualFold(n.attr("mode"), "base64"):
		text, kind = fromBase64(text), "guess"
	case n.hasElements() || strings.Contains(t, "xhtml"):
		return words(text)
	case strings.Contains(t, "html") || n.key == "content:encoded":
		kind = "html"
	case t == "application/octet-stream", strings.HasPrefix(t, "image/"), strings.HasPrefix(t, "audio/"), strings.HasPrefix(t, "video/"):
		text, kind = fromBase64(text), "text"
	case t != "" && kind != "guess":
		kind = "text"
	case strings.EqualFold(n.attr("mode"), "escaped"):
		kind = "html"
	}
	if kind == "html" || kind == "guess" && looksMarkedUp(text) {
		return plain(text)
	}
	return words(text)
}

// fromBase64 returns the text that base64 stands for, "" if it is none.
func fromBase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil || !utf8.Valid(b) {
		return ""
	}
	return string(b)
}

var (
	tagOrEntity = regexp.MustCompile(`</\w+\s*>|&#?\w+;`)
	tagName     = regexp.MustCompile(`</?(\w+)`)
	namedEntity = regexp.MustCompile(`&\w+;`)
)

// looksMarkedUp reports whether a title is HTML: it has an end tag or an entity, and HTML
// knows all of its tags and entities. A title such as "The <b> tag" is text.
func looksMarkedUp(s string) bool {
	if !tagOrEntity.MatchString(s) {
		return false
	}
	for _, m := range tagName.FindAllStringSubmatch(s, -1) {
		if atom.Lookup([]byte(strings.ToLower(m[1]))) == 0 {
			return false
		}
	}
	for _, reference := range namedEntity.FindAllString(s, -1) {
		if html.UnescapeString(reference) == reference {
			return false
		}
	}
	return true
}
