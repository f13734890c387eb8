package function

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
)

const (
	acceptFeed = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"

	maxEntries = 500 // of one feed that match: the newest
	maxID      = 300 // bytes
	maxTitle   = 300 // letters
	maxSummary = 300 // letters
)

// decodeFeed returns the feed's entries that match w. A feed without entries is no error.
func decodeFeed(a *fetch.Answer, w watch) (items []item.Item, warnings []string, err error) {
	f, unread, err := readFeed(a)
	if err != nil {
		return nil, nil, err
	}
	if unread > 0 {
		warnings = append(warnings, fmt.Sprintf("%d entries of the feed could not be read", unread))
	}
	ids, shared := f.ids()
	if shared > 0 {
		warnings = append(warnings, fmt.Sprintf("%d entries of the feed have no id of their own: they are told apart by link, title, date and text", shared))
	}
	var all []string
	for _, e := range f.entries {
		all = append(all, e.dates...)
	}
	reader := datesOf(all)
	listed := map[string]bool{}
	for n, e := range f.entries {
		if i, ok := w.entry(e, ids[n]); ok && !listed[i.ID] {
			listed[i.ID] = true
			if d, ok := reader.first(e.dates); ok {
				d.set(&i)
			}
			items = append(items, i)
		}
	}
	if len(items) > maxEntries {
		warnings = append(warnings, fmt.Sprintf("%d entries of the feed match: the %d newest are listed", len(items), maxEntries))
		slices.SortStableFunc(items, func(a, b item.Item) int { return b.At.Compare(a.At) })
		items = items[:maxEntries]
	}
	return items, warnings, nil
}

// readFeed reads a feed of any format. unread is how many of its entries could not be read.
func readFeed(a *fetch.Answer) (f feed, unread int, err error) {
	address := feedAddress(a.URL)
	text := feedText(a.Body, a.Header.Get("Content-Type"))
	start := strings.TrimLeft(text, "\ufeff\x00 \t\r\n\f\v")
	switch {
	case start == "":
		return feed{}, 0, errEmpty
	case start[0] == '{' || start[0] == '[':
		if err := checkJSON([]byte(start)); err != nil {
			return feed{}, 0, err
		}
		return jsonFeed(start, address)
	}
	d, err := scan(start)
	switch {
	case err != nil:
		return feed{}, 0, err
	case d.root == nil:
		return feed{}, 0, noFeed(a, start, d)
	case !d.root.hasElements():
		return feed{}, 0, errNothing
	case !d.whole:
		return feed{}, 0, errHalf
	}
	return d.feed(address), 0, nil
}

// entry returns a feed's entry as an item; ok is false if it does not match w or has no
// text and no link.
func (w watch) entry(e entry, id string) (_ item.Item, ok bool) {
	text := strings.TrimSpace(e.title + "\n" + e.summary)
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
	if s := cutText(e.summary, maxSummary); s != "" && s != e.title {
		attributes["summary"] = s
	}
	i := item.Item{ID: id, Title: cutText(e.title, maxTitle), URL: e.link, Attributes: attributes}
	if i.Title == "" {
		i.Title = cutText(e.summary+" "+i.URL, maxTitle)
	}
	return i, text != "" || i.URL != ""
}

// ids returns an id for each entry: its own, or else its link, or else a hash of its texts.
// An id that several different entries have identifies none of them: theirs is then a hash
// with link and title, and with the dates where these do not differ either; of entries with
// neither an id nor a link also with the text. shared is how many such entries there are.
func (f feed) ids() (ids []string, shared int) {
	ids = make([]string, len(f.entries))
	apart := make([]bool, len(f.entries))
	for n, e := range f.entries {
		ids[n] = cmp.Or(short(secure(e.id)), short(secure(e.link)), hash(e.id, e.link, e.name(), strings.Join(e.dates, " ")))
	}
	for _, more := range []func(entry) string{
		func(e entry) string { return e.link + "\n" + e.name() },
		func(e entry) string { return strings.Join(e.dates, "\n") },
		func(e entry) string { // else, two texts of one entry
			if e.id+e.link != "" {
				return ""
			}
			return e.summary
		},
	} {
		kinds := map[string]map[string]bool{}
		for n, e := range f.entries {
			if kinds[ids[n]] == nil {
				kinds[ids[n]] = map[string]bool{}
			}
			kinds[ids[n]][more(e)] = true
		}
		for n, e := range f.entries {
			if len(kinds[ids[n]]) > 1 {
				ids[n] = hash(ids[n], more(e))
				if !apart[n] {
					apart[n] = true
					shared++
				}
			}
		}
	}
	return ids, shared
}

// name returns the title of an entry, of one without a title its text.
func (e entry) name() string { return cmp.Or(e.title, e.summary) }

// secure returns an address with https in place of http: a site that moves to it does not
// publish its entries again.
func secure(address string) string {
	if rest, ok := strings.CutPrefix(address, "http://"); ok {
		return "https://" + rest
	}
	return address
}

// short returns an id that is not too long for one, otherwise "".
func short(id string) string {
	if len(id) > maxID {
		return ""
	}
	return id
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}

func looksHTML(body []byte) bool {
	return strings.HasPrefix(http.DetectContentType(body), "text/html") || bytes.Contains(bytes.ToLower(body[:min(len(body), 2000)]), []byte("<html"))
}
