package function

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/fetch"
)

// maxQuoted is the most letters of an answer that an error quotes. Longer ones are not quoted:
// a secret in them must stay whole to be recognized.
const maxQuoted = 200

var (
	errEmpty   = errors.New("an empty answer instead of a feed")
	errNothing = errors.New("a feed that contains nothing")
	errHalf    = errors.New("a feed that ends half-way: the next run reads it again")
	errNoJSON  = errors.New("JSON with a mistake instead of a feed")
)

var (
	pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.{0,300}?)</title`)
	password  = regexp.MustCompile(`(?i)<input[^>]{0,300}type\s*=\s*["']?password`)
	// challenge matches what services that keep robots away answer.
	challenge = regexp.MustCompile(`(?i)just a moment\.\.\.|challenge-platform|cf-chl|cf_chl|attention required! \| cloudflare|ddos-guard|_incapsula_resource|captcha|checking your browser|enable javascript and cookies`)
)

// pageTags are those with which a page without <html> may begin, also after a text.
var pageTags = []string{"a", "b", "br", "center", "div", "font", "h1", "h2", "h3", "hr", "i", "img", "link", "meta", "noscript", "p", "pre", "script", "span", "strong", "style", "table", "title"}

// noFeed returns an error that says what the answer is instead of a feed, and what to do.
// text is the answer in UTF-8.
func noFeed(a *fetch.Answer, text string, d *document) error {
	text = text[:min(len(text), 64<<10)]
	html := d.page || looksHTML([]byte(text)) || slices.Contains(pageTags, d.first)
	title := ""
	if m := pageTitle.FindStringSubmatch(text); m != nil {
		title = plain(m[1])
	}
	switch {
	case html && challenge.MatchString(text):
		return errors.New("a test for robots (such as Cloudflare's) instead of a feed: its host lets only browsers in; ask for access, or use another address of the feed")
	case html && password.MatchString(text):
		return fmt.Errorf("a page to log in instead of a feed%s: the feed needs an account, or an address that has a key", quoted(title))
	case html:
		return fmt.Errorf("a web page instead of a feed%s: open the address in a browser and look for the address of the feed, or watch the page with PAGES", quoted(title))
	case d.first == "opml":
		return errors.New("a list of feeds (OPML) instead of a feed: use the addresses that it contains")
	case d.first == "urlset" || d.first == "sitemapindex":
		return errors.New("a sitemap instead of a feed: use the address of the feed")
	case d.first != "":
		return fmt.Errorf("an XML document <%s> instead of a feed: use an address of RSS, Atom or JSON Feed", cutText(words(d.first), 40))
	}
	kind := a.Header.Get("Content-Type")
	if sniffed := http.DetectContentType(a.Body); !strings.HasPrefix(sniffed, "text/") {
		kind = sniffed
	} else if kind == "" || readable(kind) {
		return fmt.Errorf("a text instead of a feed%s: use an address of RSS, Atom or JSON Feed", quoted(words(text[:min(len(text), 4*maxQuoted+1)])))
	}
	return fmt.Errorf("%.60q instead of a feed: use an address of RSS, Atom or JSON Feed", kind)
}

// quoted returns s to be added to a message, nothing if it is long.
func quoted(s string) string {
	if s == "" || utf8.RuneCountInString(s) > maxQuoted {
		return ""
	}
	return fmt.Sprintf(" (%q)", s)
}
