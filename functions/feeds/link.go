package function

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/config"
)

// entryLink returns the address of an entry: its link, or else what names the entry by an
// address, or else what belongs to it.
func (d *document) entryLink(n *node, base string) string {
	var candidates []string
	add := func(from *node, address string) {
		// In an address, &amp; is an & that was escaped twice.
		if address = strings.ReplaceAll(words(address), "&amp;", "&"); address != "" {
			candidates = append(candidates, resolve(resolve(base, from.base), strayPercent.ReplaceAllString(address, "%25$1")))
		}
	}
	var later []*node
	href := func(l *node) string { return cmp.Or(l.attr("href", "url", "uri"), d.text(l)) }
	alternate := func(l *node) bool { rel := strings.ToLower(l.attr("rel")); return rel == "" || rel == "alternate" }
	links := n.all("link")
	if !d.atom() {
		slices.Reverse(links) // of several in RSS, other readers take the last
	}
	for _, l := range append(links, n.all("atom:link")...) {
		if kind := strings.ToLower(l.attr("type")); !alternate(l) || kind != "" && !strings.Contains(kind, "html") {
			later = append(later, l)
		} else {
			add(l, href(l))
		}
	}
	for _, l := range later {
		if alternate(l) {
			add(l, href(l))
		}
	}
	for _, g := range n.all("guid") {
		if id := words(d.text(g)); !strings.EqualFold(g.attr("ispermalink"), "false") && (webLink(id) != "" || g.attr("ispermalink") != "" && strings.HasPrefix(id, "/")) {
			add(g, id)
		}
	}
	for _, i := range n.all("feedburner:origlink", "id", "atom:id") {
		if id := words(d.text(i)); webLink(id) != "" {
			add(i, id)
		}
	}
	add(n, n.attr("href", "rdf:about"))
	for _, l := range later {
		if slices.Contains([]string{"enclosure", "related", "via"}, strings.ToLower(l.attr("rel"))) {
			add(l, href(l))
		}
	}
	for _, e := range n.all("enclosure", "media:content", "content", "atom:content") {
		add(e, e.attr("url", "src", "href"))
	}
	for _, c := range candidates {
		if l := webLink(c); l != "" {
			return l
		}
	}
	return ""
}

// webLink returns the address of an entry, "" if it is no web address. A % that begins no
// character counts as itself.
func webLink(address string) string {
	return config.Link(strayPercent.ReplaceAllString(address, "%25$1"))
}

var strayPercent = regexp.MustCompile(`%([^0-9a-fA-F]|[0-9a-fA-F][^0-9a-fA-F]|[0-9a-fA-F]?$)`)

// feedAddress returns the address of a feed, without what is not for others to know: its
// user, password and query.
func feedAddress(u *url.URL) string {
	if u == nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// resolve returns an address as it is meant within base, and as it is if it cannot be read.
func resolve(base, address string) string {
	b, err := url.Parse(base)
	if err != nil || base == "" {
		return address
	}
	u, err := b.Parse(address)
	if err != nil {
		return address
	}
	return u.String()
}
