package function

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
)

// fetcher fetches feeds and pages.
type fetcher struct {
	watches  map[string]watch
	headers  secret.String
	secrets  *secret.Folder
	decoding sync.Mutex // one at a time, for its memory
}

// read reads the secret with headers, which may have changed since the last run.
func (f *fetcher) read() headers { return readHeaders(f.headers, f.secrets, f.watches) }

// fetch returns the complete list of items that match now. The others are then closed. If the
// address of a feed has a web page that names a feed, that is read.
func (f *fetcher) fetch(ctx context.Context, client *fetch.Client, target string, now time.Time) (source.Batch, error) {
	w := f.watches[target]
	if w.err != nil {
		return source.Batch{}, w.err
	}
	h := f.read()
	if err := h.wrong[target]; err != nil {
		return source.Batch{}, err
	}
	client = client.Most(maxBytes)
	a, err := client.Get(ctx, w.url, w.header(h.of[target]))
	if err != nil {
		return source.Batch{}, err
	}
	b, err := f.decode(a, w)
	if link := f.named(a, w, err); link != nil {
		if b, err = f.follow(ctx, client, w, link, h.of[target]); err != nil {
			err = fmt.Errorf("a web page that names the feed %s: %w", config.Address(link), err)
		}
	}
	if err != nil {
		return source.Batch{}, fmt.Errorf("%s: %w", w.url.Host, err)
	}
	if !w.page {
		undate(b.Items, now)
		b.FirstSeen, b.Warnings = true, append(b.Warnings, undated(b.Items)...)
	}
	return b, nil
}

// header returns the headers of a request.
func (w watch) header(own http.Header) http.Header {
	h := http.Header{"Accept": {acceptFeed}}
	if w.page {
		h.Set("Accept", acceptPage)
	}
	for key, values := range own {
		h[key] = values
	}
	return h
}

// decode decodes an answer while no other is decoded.
func (f *fetcher) decode(a *fetch.Answer, w watch) (b source.Batch, err error) {
	f.decoding.Lock()
	defer f.decoding.Unlock()
	b.Complete = true
	if w.page {
		b.Items, err = decodePage(a, w)
	} else {
		b.Items, b.Warnings, err = decodeFeed(a, w)
	}
	return b, err
}

// named returns the address of the feed that the answer names, a page which failed to decode
// as a feed, or nil.
func (f *fetcher) named(a *fetch.Answer, w watch, err error) *url.URL {
	if err == nil || w.page {
		return nil
	}
	f.decoding.Lock()
	defer f.decoding.Unlock()
	return feedOf(a)
}

// follow reads the feed that a page names. The page's headers are sent to its own host only, and
// no other host in a private network is asked.
func (f *fetcher) follow(ctx context.Context, client *fetch.Client, w watch, link *url.URL, own http.Header) (source.Batch, error) {
	if !fetch.SameHost(w.url, link) {
		client, own = client.Chosen(), nil
	} else {
		link.User = w.url.User
	}
	a, err := client.Get(ctx, link, w.header(own))
	if err != nil {
		return source.Batch{}, err
	}
	b, err := f.decode(a, w)
	if err == nil {
		b.Warnings = append(b.Warnings, "its address has a web page; the feed that the page names is read: write "+shown(link)+" instead")
	}
	return b, err
}

// shown returns an address for a warning. Of its query, which may have a key, it has "?…".
func shown(u *url.URL) string {
	if u.RawQuery == "" {
		return config.Address(u)
	}
	return config.Address(u) + "?… (as the page's source has it)"
}
