// Package page is the page to glance at: what the house says, what came in, what
// is open and how the functions stand. Whoever serves it says where to look; it
// reads the store when somebody looks, for all viewers at once, and nothing
// behind their backs.
package page

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed *.html page.css page.js favicon.svg
var files embed.FS

var tmpl = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"ago": ago, "stamp": stamp, "clock": clock, "text": text, "span": span, "pair": pair, "at": at, "badge": badge, "tile": tile, "title": title,
}).ParseFS(files, "*.html"))

// policy lets the page load its own style and script and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	deadline = 5 * time.Second
	fresh    = 250 * time.Millisecond // many viewers ask the store once
	pause    = time.Second            // after a look that could not read everything
)

// Page is the handler. / is the page, or a redirect to Home; /status is the
// page in any case; a POST to /dead asks for dead letters; /status.json is what it shows; /sections.json is those parts
// of the page that are other than those the viewer names in If-None-Match.
type Page struct {
	Source
	Home string // "/function/dashboard/"

	mu        sync.Mutex
	collector *collector
	last      *view
	ended     time.Time // the last look
}

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/dead":
		p.ask(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "this is a page to look at", http.StatusMethodNotAllowed)
	case r.URL.Path == "/" && p.Home != "":
		http.Redirect(w, r, p.Home, http.StatusFound)
	case r.URL.Path == "/" || r.URL.Path == "/status":
		p.html(w, r)
	case r.URL.Path == "/status.json":
		p.json(w, r, func(v *view, _ []string) any { return v.data })
	case r.URL.Path == "/sections.json":
		p.json(w, r, func(v *view, known []string) any { return v.changed(known) })
	case r.URL.Path == "/page.css":
		file(w, "page.css", "text/css; charset=utf-8")
	case r.URL.Path == "/page.js":
		file(w, "page.js", "text/javascript; charset=utf-8")
	case r.URL.Path == "/favicon.svg" || r.URL.Path == "/favicon.ico":
		file(w, "favicon.svg", "image/svg+xml")
	default:
		http.NotFound(w, r)
	}
}

func (p *Page) html(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := tmpl.Execute(&b, p.look(r.Context())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// json answers 304 where nothing has changed but the time.
func (p *Page) json(w http.ResponseWriter, r *http.Request, of func(*view, []string) any) {
	v := p.look(r.Context())
	w.Header().Set("ETag", `"`+v.tag()+`"`)
	given := strings.Trim(strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/"), `"`)
	if given == v.tag() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)                     // markup is half as long, and nosniff keeps it JSON
	e.Encode(of(v, strings.Split(given, "-"))) // an error means that the viewer left
}

// look returns what there is to see. Calls that wait for a look share it.
func (p *Page) look(ctx context.Context) *view {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.collector == nil {
		p.collector = newCollector(p.Source)
	}
	if now := p.Now(); p.due(now) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline) // others wait for it too
		defer cancel()
		p.last = newView(p.collector.collect(ctx, now))
		p.ended = p.Now()
	}
	return p.last
}

// due reports whether it is time for a new look: a while after the last one
// ended, which may have taken its whole deadline.
func (p *Page) due(now time.Time) bool {
	if p.last == nil || now.Before(p.ended) {
		return true
	}
	wait := fresh
	if len(p.last.data.Errors) > 0 {
		wait = pause
	}
	return now.Sub(p.ended) > wait
}

func file(w http.ResponseWriter, name, contentType string) {
	b, err := files.ReadFile(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Write(b)
}
