// Package page serves the page of hearth: the tiles at /, everything as lists at /status, the
// history of values, and the same as JSON. All addresses in it are relative, since a gateway
// may serve it below a path that it cannot see. It reads the store only while somebody looks,
// once for all viewers.
package page

import (
	"net/http"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/steps"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// policy lets the page load its own style and script, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page is the handler. It is safe for concurrent use.
//
//	GET /            the tiles. view= chooses them, at= shows them as they stood at a time
//	GET /tiles.json  the markup of what differs from what If-None-Match names
//	GET /curve.json  the yield curve of a day, on=2025-11-26; /curve.svg draws it over the newest
//	GET /api/        the list of the JSON API, which docs/api.md describes
//	GET /history.json, /history.csv  what values were over a span
//	POST /device     names a new device, or maps a topic
//	GET /status…     what package status serves, and its POSTs
//	/steps/…         what package steps serves, with Steps
type Page struct {
	Status *status.Page
	Glance *glance.Glance
	Every  time.Duration // between two requests of a page for what is new; 0: 5 s
	Steps  *steps.Steps  // the first steps, in make up; nil: none

	// MayRead and MayWrite say who may read, and who may do what a POST asks for; the error
	// tells the person what is missing. nil: everybody, since what serves the page guards it, as
	// the gateway of make up does.
	MayRead, MayWrite func(*http.Request) error

	live    live
	pasts   turns
	answers answers
}

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	switch name := r.URL.Query().Get("asset"); {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		if p.mayWrite(w, r) {
			p.other(r).ServeHTTP(w, r)
			p.live.renew()
		}
	case name != "":
		asset(w, r, name)
	case p.mayRead(w, r):
		p.read(w, r)
	}
}

func (p *Page) read(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("at") {
		if !p.pasts.enter(r.Context()) {
			http.Error(w, texts.Say("page.tooMany"), http.StatusServiceUnavailable)
			return
		}
		defer p.pasts.leave()
	}
	switch path := r.URL.Path; {
	case path == "/", path == "":
		p.html(w, r)
	case path == "/tiles.json":
		p.tiles(w, r)
	case path == "/curve.json", path == "/curve.svg":
		p.curve(w, r)
	case isAPI(path):
		p.api(w, r)
	default:
		p.other(r).ServeHTTP(w, r)
	}
}

// other returns what serves a request that is not the page's own.
func (p *Page) other(r *http.Request) http.Handler {
	if r.Method == http.MethodPost && r.URL.Path == "/device" {
		return http.HandlerFunc(p.device)
	}
	if p.Steps != nil && strings.HasPrefix(r.URL.Path, "/steps/") {
		return p.Steps
	}
	return p.Status
}
