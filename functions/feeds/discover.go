package function

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
)

// feedTypes are the types of links to feeds.
var feedTypes = []string{"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/xml", "text/xml"}

// feedOf returns the address of the feed that a web page names, <link rel="alternate"
// type="application/rss+xml" href="…">, or nil. One with the comments on the page is taken
// only if there is no other.
func feedOf(a *fetch.Answer) *url.URL {
	if !looksHTML(a.Body) || checkPage(bytes.NewReader(a.Body)) != nil {
		return nil
	}
	body, err := decodeText(a.Body, a.Header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	base, links := a.URL, pageLinks(body)
	if base == nil {
		return nil
	}
	var comments *url.URL
	for _, l := range links {
		if l.base {
			if u, err := base.Parse(l.href); err == nil {
				base = u
			}
			continue
		}
		u, err := base.Parse(l.href)
		if err != nil {
			continue
		}
		if _, err := config.URL(u.String()); err != nil {
			continue
		}
		if u.User, u.Fragment = nil, ""; u.String() == a.URL.String() {
			continue
		}
		if !strings.Contains(strings.ToLower(l.title+l.href), "comment") {
			return u
		}
		if comments == nil {
			comments = u
		}
	}
	return comments
}

// pageLink is the base of a page's addresses, or a link to a feed.
type pageLink struct {
	base        bool
	href, title string
}

// pageLinks returns the base and the links to feeds of a page, in order.
func pageLinks(body []byte) (out []pageLink) {
	z := html.NewTokenizer(bytes.NewReader(body))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		tag := atom.Lookup(name)
		if tag != atom.Link && tag != atom.Base {
			continue
		}
		attributes := map[string]string{}
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			attributes[string(key)] = strings.TrimSpace(string(value))
		}
		href := attributes["href"]
		rel := strings.Fields(strings.ToLower(attributes["rel"]))
		kind, _, _ := strings.Cut(strings.ToLower(attributes["type"]), ";")
		switch {
		case href == "":
		case tag == atom.Base:
			out = append(out, pageLink{base: true, href: href})
		case (slices.Contains(rel, "alternate") || slices.Contains(rel, "feed")) && slices.Contains(feedTypes, strings.TrimSpace(kind)):
			out = append(out, pageLink{href: href, title: attributes["title"]})
		}
	}
	return out
}
