// Package function watches RSS, Atom and JSON feeds and web pages: it lists
// what matches, and tells once of each fresh feed entry and each time that a
// page starts or stops matching.
//
// FEEDS and PAGES are lists: semicolons or line breaks between the elements,
// spaces between the words of one, and what holds any of these in ' or ", where
// a backslash is a backslash. An element begins with name=https://…; everything
// that it asks for must hold:
//
//   - match, except: Go regular expressions ((?i) ignores case) over an entry's
//     title and text
//   - selector: the CSS selector of a page's parts, each searched alone; without
//     a pattern it is enough that there is one
//   - pattern: a regular expression over the text that a person sees on the page
//   - preset=raspberry-pi: a Raspberry Pi is in stock; gives country, model, ram,
//     shop and units where they can be read
//   - max_age: an older entry is listed but no news
//
// The address of a page is shown with its item: it is no place for a password.
package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/source"
)

// Config is what feeds reads from the environment.
type Config struct {
	Feeds  string        `env:"FEEDS"`                          // feeds: name=https://… [match=regexp] [except=regexp] [preset=raspberry-pi] [max_age=12h]; …
	Pages  string        `env:"PAGES"`                          // pages: name=https://… [selector=css] [pattern=regexp] [preset=raspberry-pi]; …
	MaxAge time.Duration `env:"FEEDS_MAX_AGE" envDefault:"12h"` // an entry older than this is listed but no news
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
	return source.Handler(env, source.Source{
		Name:    "feeds",
		Setting: "FEEDS or PAGES",
		Targets: names,
		Fetch: func(ctx context.Context, client *fetch.Client, target string, _ source.Window) (source.Batch, error) {
			return watches[target].fetch(ctx, client)
		},
		Notify:     func(c item.Change) (string, bool) { return watches[c.Item.Target].notify(c) },
		NotifyOnce: func(i item.Item) bool { return !watches[i.Target].page },
		AlertAfter: alertAfter,
	})
}

// alertAfter delays the alert about a missing feed or page by a week, since a site
// may be moving.
func alertAfter(err error) time.Duration {
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && (e.Code == http.StatusNotFound || e.Code == http.StatusGone) {
		return 7 * 24 * time.Hour
	}
	return 0
}

// fetch lists what matches now. What a feed no longer shows, and what a page
// no longer matches, is closed.
func (w watch) fetch(ctx context.Context, client *fetch.Client) (source.Batch, error) {
	if w.err != nil {
		return source.Batch{}, w.err
	}
	accept, decode := acceptFeed, decodeFeed
	if w.page {
		accept, decode = acceptPage, decodePage
	}
	a, err := client.Get(ctx, w.url, http.Header{"Accept": {accept}})
	if err != nil {
		return source.Batch{}, err
	}
	items, err := decode(a, w)
	if err != nil {
		return source.Batch{}, fmt.Errorf("%s: %w", w.url.Host, err)
	}
	return source.Batch{Items: items, Complete: true}, nil
}

func (w watch) notify(c item.Change) (string, bool) {
	i := c.Item
	switch {
	case !w.page:
		fresh := !i.At.IsZero() && c.When.Sub(i.At) <= w.maxAge
		return fmt.Sprintf("%s: %s\n%s", i.Target, i.Title, i.URL), c.Opened && fresh
	case c.Opened:
		return fmt.Sprintf("%s matches now: %s (%s)\n%s", i.Target, i.Attributes["match"], i.Title, i.URL), true
	default:
		return fmt.Sprintf("%s no longer matches; it was: %s (%s)\n%s", i.Target, i.Attributes["match"], i.Title, i.URL), true
	}
}
