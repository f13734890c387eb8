// Package page is a plain status page: what runs, what came in, what is open.
// It needs nothing but this process and stands in until a function takes over.
package page

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"sync"
	"time"
)

//go:embed page.html page.css page.js favicon.svg
var files embed.FS

var tmpl = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"ago": ago, "number": number, "stamp": stamp, "clock": clock, "text": text, "span": span, "pair": pair,
}).ParseFS(files, "page.html"))

// policy lets the page load its own style and script and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	deadline = 5 * time.Second
	keep     = time.Second // many viewers ask the store once
)

// Page is the handler. / is the page, or a redirect to Home; /status is the
// page in any case; /status.json is what it shows.
type Page struct {
	Source
	Home string // "/function/dashboard/"

	mu   sync.Mutex
	last Data
}

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "this is a page to look at", http.StatusMethodNotAllowed)
	case r.URL.Path == "/" && p.Home != "":
		http.Redirect(w, r, p.Home, http.StatusFound)
	case r.URL.Path == "/" || r.URL.Path == "/status":
		p.html(w, r)
	case r.URL.Path == "/status.json":
		h.Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.data(r.Context())) // the viewer left
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
	if err := tmpl.Execute(&b, p.data(r.Context())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

func (p *Page) data(ctx context.Context) Data {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.Now(); now.Sub(p.last.Now) > keep || now.Before(p.last.Now) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline) // others wait for it too
		defer cancel()
		p.last = p.Collect(ctx, now)
	}
	return p.last
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
