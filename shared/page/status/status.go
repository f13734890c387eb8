// Package status serves the page with everything as lists: the devices with their latest values,
// dead letters, the latest readings of sources, open items and the state of the
// functions. What is shown of a measurement, and in which words, stands in the
// catalogue. The page reads the store only while somebody views it, once for all
// viewers.
package status

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

	"github.com/hearth-home/hearth/shared/page/base"
	"github.com/hearth-home/hearth/shared/printable"
)

//go:embed *.html status.css status.js favicon.svg
var files embed.FS

var tmpl = template.Must(template.New("status.html").Funcs(template.FuncMap{
	"ago": ago, "stamp": stamp, "clock": clock, "text": text, "span": span, "pair": pair, "at": at, "when": when, "dayage": dayAge, "badge": badge, "tile": tile, "title": title, "shown": shown, "of": of, "buttons": buttons, "spans": maintenanceSpans, "maintained": maintained,
}).ParseFS(files, "*.html"))

// policy lets the page load its own style and script, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	deadline = 5 * time.Second        // of a snapshot
	fresh    = 250 * time.Millisecond // for so long all viewers get the same snapshot
	pause    = time.Second            // the same after a snapshot that could not read everything
)

// Page is the handler. It is safe for concurrent use. It does not check who may write: package
// page does.
//
//	GET  /status         the page; with at= and alert=, what the alert was at that time, too
//	GET  /outbox         what hearth tells, as it looks in Slack
//	GET  /status.json    what it shows, as Data
//	GET  /sections.json  the markup of the sections that differ from those whose tags If-None-Match names
//	POST /dead           requests a replay or drop of dead letters
//	POST /alerts         acknowledges or silences an alert
//	POST /run            runs a source again
//	POST /maintenance    begins or ends the maintenance of a device or room
//	POST /forget         deletes a device from the register
//	POST /faults         makes a simulated sensor fail
type Page struct {
	Inputs

	mu        sync.Mutex
	collector *collector
	last      *view
	ended     time.Time            // when the last snapshot ended
	drawn     map[string][]drawing // messages of the outbox, which do not change
}

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-cache")
	actions := map[string]http.HandlerFunc{"/dead": p.request, "/alerts": p.act, "/run": p.run, "/maintenance": p.maintain, "/forget": p.forget, "/faults": p.fail}
	switch act, ok := actions[r.URL.Path]; {
	case r.Method == http.MethodPost && ok:
		act(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET and HEAD are allowed here", http.StatusMethodNotAllowed)
	case r.URL.Path == "/status":
		p.html(w, r)
	case r.URL.Path == "/outbox":
		p.outbox(w, r)
	case r.URL.Path == "/status.json":
		p.json(w, r, func(v *view, _ []string) any { return v.data })
	case r.URL.Path == "/sections.json":
		p.json(w, r, func(v *view, known []string) any { return v.changed(known) })
	case r.URL.Path == "/status.css":
		file(w, "status.css", "text/css; charset=utf-8", base.Colours)
	case r.URL.Path == "/status.js":
		file(w, "status.js", "text/javascript; charset=utf-8", base.Script)
	case r.URL.Path == "/favicon.svg" || r.URL.Path == "/favicon.ico":
		file(w, "favicon.svg", "image/svg+xml", nil)
	default:
		http.NotFound(w, r)
	}
}

func (p *Page) html(w http.ResponseWriter, r *http.Request) {
	v := p.snapshot(r.Context())
	write(w, "status.html", struct {
		View *view
		Then *then
	}{v, p.alertThen(r, v)})
}

// json answers with a value made of the view and the tags that the viewer has, or with
// 304 if only the time has changed.
func (p *Page) json(w http.ResponseWriter, r *http.Request, of func(*view, []string) any) {
	v := p.snapshot(r.Context())
	w.Header().Set("ETag", `"`+v.tag()+`"`)
	given := strings.Trim(strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/"), `"`)
	if given == v.tag() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // this halves the markup, and nosniff keeps browsers from reading it as HTML
	if err := e.Encode(of(v, strings.Split(given, "-"))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(printable.JSON(b.Bytes()))
}

// snapshot returns the present state. Concurrent calls share one.
func (p *Page) snapshot(ctx context.Context) *view {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.collector == nil {
		p.collector = newCollector(p.Inputs)
	}
	if now := p.Now(); p.due(now) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline) // others wait for it, too
		defer cancel()
		p.last = newView(p.collector.collect(ctx, now))
		p.ended = p.Now()
	}
	return p.last
}

// due reports whether a new snapshot is to be made. The time counts from the end of the
// last one, which may have taken as long as its deadline.
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

// file answers with a file, after what it shares with other pages.
func file(w http.ResponseWriter, name, contentType string, before []byte) {
	b, err := files.ReadFile(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Write(before)
	w.Write(b)
}
