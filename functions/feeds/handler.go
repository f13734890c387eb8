// Package function watches RSS, Atom and JSON feeds and web pages. It lists the feed entries
// and pages that match. It sends one message for each new feed entry, and one each time
// that a page starts or stops matching.
//
// FEEDS and PAGES are lists. Semicolons or line breaks separate the elements, and spaces
// separate the words of an element. A word that contains one of these is put in ' or ";
// a backslash has no special meaning there. An element begins with name=https://… and
// then has conditions, all of which must be true. A comma separates nothing; where an
// address contains another one after a comma, write %2C for the comma.
//
//   - match, except: Go regular expressions ((?i) ignores case) for an entry's title and
//     text. An entry must match match and must not match except.
//   - selector: a CSS selector. Each element of the page that it selects is searched by
//     itself. Without pattern and preset, the page matches if there is such an element.
//   - pattern: a regular expression for the visible text of the page
//   - preset=raspberry-pi: a Raspberry Pi is in stock. It also reads country, model, ram,
//     shop and units from the text, if they are there; units is 100+ for 100 or more.
//   - max_age: an entry older than this is listed without a message
//
// hearth feeds import FILE.opml prints the feeds of another feed reader as FEEDS.
//
// A feed or page that needs a login or a key gets it from the secret feed-headers (locally
// FEED_HEADERS in .env): name=Header: value, separated by semicolons or line breaks. A value
// with a semicolon stands in quotes; several headers of a name are several elements:
//
//	news=Authorization: Bearer 1a2b3c; shop="Cookie: session=4d5e6f; theme=dark"
//
// They are sent to the host of the name's address only, not after a redirect to another, and
// they are redacted as every secret is.
//
// If the address of a feed has a web page that names a feed (rel="alternate"), that is
// read, and a warning says what address to write.
//
// When a host asks for a pause (429, or 503 with Retry-After), no feed or page of it is
// fetched before the pause ends, also in later runs. Where a host allows only some requests,
// its feeds and pages take turns: a run fetches those that were fetched the longest ago, and
// the others wait without a failure, for at most a day.
//
// An entry whose date cannot be read, or lies more than a day ahead, counts as published when
// it was first seen. In the first run of a feed it is listed without a message. A date without
// a time of day counts from the end of its day in UTC. 3/4/2026 is 3 April, unless the weekday,
// AM or PM, an American time zone or another date of the feed says that the month comes first.
//
// A feed with mistakes is read as other readers do, except one that ends half-way: that one
// is refused, since its other entries would count as closed. Entries that share an id are
// told apart by link, title and date; one that only gets a new id is not told again. Of more
// than 500 entries that match, the newest are listed.
//
// A feed or page of more than 2 MiB, decompressed, is refused, and so is one with very many
// or very deeply nested elements. A redirect to another host is followed only to a public
// address, and so is the feed that a page names; what you configure may be in your own network.
//
// The password of an address and what may be a token in its query are never shown. The link
// to a page is its address without user, password and query.
package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
)

// Config has the settings of feeds.
type Config struct {
	Feeds   string        `env:"FEEDS"`                                         // feeds, separated by semicolons: name=https://… [match=regexp] [except=regexp] [preset=raspberry-pi] [max_age=12h]
	Pages   string        `env:"PAGES"`                                         // pages, separated by semicolons: name=https://… [selector=css] [pattern=regexp] [preset=raspberry-pi]
	MaxAge  time.Duration `env:"FEEDS_MAX_AGE" envDefault:"12h"`                // an entry older than this is listed without a message
	Headers secret.String `env:"FEED_HEADERS_SECRET" envDefault:"feed-headers"` // secret with request headers for feeds and pages that need a login or a key: name=Header: value; …
}

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	watches, names, err := c.watches()
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	f := &fetcher{watches: watches, headers: c.Headers, secrets: env.Secrets}
	return source.Handler(env, source.Source{
		Name:    "feeds",
		Setting: "FEEDS or PAGES",
		Targets: names,
		Fetch: func(ctx context.Context, client *fetch.Client, target string, _ source.Window) (source.Batch, error) {
			b, err := f.fetch(ctx, client, target, env.Now())
			if len(names) > 0 && target == names[0] { // once in a run
				b.Warnings = append(b.Warnings, f.read().warnings...)
			}
			return b, err
		},
		Notify:     func(c item.Change) (string, bool) { return watches[c.Item.Target].notify(c) },
		NotifyOnce: func(i item.Item) bool { return !watches[i.Target].page },
		Host:       func(target string) string { return watches[target].host() },
		AlertAfter: alertAfter,
	})
}

// host returns the host of the watch's address, "" if its setting is wrong.
func (w watch) host() string {
	if w.err != nil || w.url == nil {
		return ""
	}
	return strings.ToLower(w.url.Host)
}

// alertAfter delays the alert about a missing feed or page by a week, since a site
// may be moving.
func alertAfter(err error) time.Duration {
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && (e.Code == http.StatusNotFound || e.Code == http.StatusGone) {
		return 7 * 24 * time.Hour
	}
	return 0
}

// notify returns the Slack message for an item that opened or closed. A feed's entry has
// one only if it is new and not older than maxAge.
func (w watch) notify(c item.Change) (string, bool) {
	i := c.Item
	switch {
	case !w.page:
		return fmt.Sprintf("%s: %s\n%s", i.Target, i.Title, i.URL), c.Opened && w.fresh(i, c.When) && !renamed(c)
	case c.Opened:
		return fmt.Sprintf("%s matches now: %s (%s)\n%s", i.Target, i.Attributes["match"], i.Title, i.URL), true
	default:
		return fmt.Sprintf("%s no longer matches; it matched: %s (%s)\n%s", i.Target, i.Attributes["match"], i.Title, i.URL), true
	}
}

// renamed reports whether an entry that opened is no news: it takes the place of one with the
// same title and link, and its feed only gives it a new id, and maybe a new time, in each
// answer. What is published again after hours is news, such as the next alert of a shop.
func renamed(c item.Change) bool {
	return c.Former != nil && c.Item.At.Sub(c.Former.At) < 2*time.Hour
}
