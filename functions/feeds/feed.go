package function

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mmcdole/gofeed"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
)

const (
	acceptFeed = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"

	maxEntries = 500 // of one feed, which lists the newest first
	maxID      = 300 // bytes
	maxTitle   = 300 // letters
	maxSummary = 300 // letters
)

// decodeFeed returns the feed's entries that match w. A feed without entries is no error.
func decodeFeed(a *fetch.Answer, w watch) ([]item.Item, error) {
	if len(bytes.TrimSpace(a.Body)) == 0 {
		return nil, errors.New("an empty answer instead of a feed")
	}
	if err := checkFeed(a.Body); err != nil {
		return nil, err
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(a.Body))
	switch {
	case errors.Is(err, gofeed.ErrFeedTypeNotDetected) && looksHTML(a.Body):
		return nil, errors.New("a web page instead of a feed")
	case err != nil:
		return nil, fmt.Errorf("decode feed: %w", err)
	case feed.FeedType == "json" && !strings.Contains(feed.FeedVersion, "jsonfeed.org"):
		return nil, errors.New("JSON that is not a feed")
	case feed.Title == "" && feed.Link == "" && len(feed.Items) == 0:
		return nil, errors.New("a feed without a title and without entries")
	}
	var items []item.Item
	var all []string
	for _, e := range feed.Items {
		all = append(all, entryDates(e)...)
	}
	reader := datesOf(all)
	for _, e := range feed.Items[:min(len(feed.Items), maxEntries)] {
		if i, ok := w.entry(e, a.URL); ok {
			if d, ok := reader.first(entryDates(e)); ok {
				d.set(&i)
			}
			items = append(items, i)
		}
	}
	return items, nil
}

// entry returns a feed's entry as an item; ok is false if it does not match w or has no
// text and no link. base is the feed's URL.
func (w watch) entry(e *gofeed.Item, base *url.URL) (_ item.Item, ok bool) {
	title, summary := plain(e.Title), plain(e.Description)
	if summary == "" {
		summary = plain(e.Content)
	}
	text := strings.TrimSpace(title + "\n" + summary)
	if w.match != nil && !w.match.MatchString(text) || w.except != nil && w.except.MatchString(text) {
		return item.Item{}, false
	}
	attributes := map[string]string{}
	if w.stock {
		var ok bool
		if attributes, _, ok = raspberryPi(text); !ok {
			return item.Item{}, false
		}
	}
	if s := cutText(summary, maxSummary); s != "" && s != title {
		attributes["summary"] = s
	}
	i := item.Item{ID: entryID(e, title), Title: cutText(title, maxTitle), URL: link(base, e.Link), Attributes: attributes}
	if i.Title == "" {
		i.Title = cutText(summary+" "+i.URL, maxTitle)
	}
	return i, text != "" || i.URL != ""
}

// entryID returns the guid, or else the link, or else a hash of the entry.
func entryID(e *gofeed.Item, title string) string {
	for _, id := range []string{e.GUID, e.Link} {
		if id = words(id); id != "" && len(id) <= maxID {
			return id
		}
	}
	sum := sha256.Sum256([]byte(e.GUID + "\n" + e.Link + "\n" + title + "\n" + e.Published))
	return hex.EncodeToString(sum[:16])
}

// entryDates returns the dates of an entry, that of its publication first.
func entryDates(e *gofeed.Item) []string {
	out := []string{e.Published, e.Updated}
	for _, of := range []struct{ space, name string }{{"dcterms", "issued"}, {"dcterms", "modified"}, {"dcterms", "created"}} {
		for _, x := range e.Extensions[of.space][of.name] {
			out = append(out, x.Value)
		}
	}
	return out
}

// link returns the absolute address of an entry, "" if it is no web address. A relative one
// takes over the host and path of the feed's address, not its query.
func link(base *url.URL, address string) string {
	u, err := url.Parse(words(address))
	if err != nil || address == "" {
		return ""
	}
	if base != nil {
		u = (&url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path, RawPath: base.RawPath}).ResolveReference(u)
	}
	return config.Link(u.String())
}

func looksHTML(body []byte) bool {
	return strings.HasPrefix(http.DetectContentType(body), "text/html") || bytes.Contains(bytes.ToLower(body[:min(len(body), 2000)]), []byte("<html"))
}
