package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	_ "embed"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/printable"
)

//go:embed page.html
var document string

var tmpl = template.Must(template.New("page").Funcs(texts.Funcs).Funcs(template.FuncMap{"asset": assetURL, "stamp": stamp, "relative": relative}).Parse(document))

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

const (
	fresh     = 250 * time.Millisecond // for so long all viewers get the same snapshot
	pause     = time.Second            // the same after a snapshot that could not read everything
	pastFresh = time.Minute            // the same of a snapshot of the past, to which late values may be added
	maxViews  = 20                     // snapshots that are kept, of different views and times
)

// live keeps the last snapshots.
type live struct {
	mu    sync.Mutex
	views map[string]*shown
	acts  int // how often something was changed here
}

// shown is a view as it was drawn last.
type shown struct {
	past  bool // it is of a time in the past
	mu    sync.Mutex
	ended time.Time
	acts  int // live.acts when it was begun
	parts []part
	rows  int // of cells in the wide grid
	snap  glance.Snapshot
}

// renew makes the next viewer get a new snapshot. The last ones are kept for what cannot be
// read then.
func (l *live) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acts++
}

// part is an element of the page: a tile, the verdict, the last line.
type part struct {
	ID, HTML string
	sum      string
}

// drawn returns the parts of a view, at most fresh old. Concurrent viewers share one snapshot.
func (p *Page) drawn(ctx context.Context, v glance.View) *shown {
	key := v.Name + " " + stamp(v.At)
	p.live.mu.Lock()
	if p.live.views == nil {
		p.live.views = map[string]*shown{}
	}
	if len(p.live.views) > maxViews { // those of the present are as few as the views of hearth.yml
		maps.DeleteFunc(p.live.views, func(_ string, s *shown) bool { return s.past })
	}
	s := p.live.views[key]
	if s == nil {
		s = &shown{past: !v.At.IsZero()}
		p.live.views[key] = s
	}
	acts := p.live.acts
	p.live.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := fresh
	if !v.At.IsZero() {
		wait = pastFresh
	}
	if len(s.snap.Errors) > 0 {
		wait = pause
	}
	if age := p.Glance.Now().Sub(s.ended); s.parts == nil || s.acts < acts || age < 0 || age > wait {
		s.acts = acts
		next := p.Glance.Snapshot(context.WithoutCancel(ctx), v) // others wait for it, too
		next.Keep(s.snap)
		s.snap = next
		s.parts, s.rows = partsOf(s.snap)
		s.parts = p.withSteps(s.parts, v)
		s.ended = p.Glance.Now()
	}
	return &shown{ended: s.ended, parts: s.parts, rows: s.rows, snap: s.snap}
}

// partsOf draws a snapshot. rows is how many rows its cells have in the wide grid.
func partsOf(s glance.Snapshot) (out []part, rows int) {
	out = []part{draw("sun", "sun", s), draw("verdict", "verdict", s)}
	var cells []cell
	for _, t := range s.Tiles {
		if n := len(cells); n > 0 && t.Cell() != "" && cells[n-1].Name == t.Cell() {
			cells[n-1].Tiles = append(cells[n-1].Tiles, t)
			continue
		}
		cells = append(cells, cell{Name: t.Cell(), Snapshot: s, Tiles: []glance.Tile{t}})
	}
	if len(cells) == 0 && !s.Nothing { // else the verdict says it
		out = append(out, draw("cell-none", "none", s))
	}
	rows = place(cells)
	for _, c := range cells {
		out = append(out, draw("cell-"+c.Tiles[0].ID, "cell", c))
	}
	return append(out, draw("foot", "foot", s)), rows
}

// cell is one column of the grid in one row: a tile, or several of which one stands below the
// other.
type cell struct {
	Name     string
	Class    string // places it in the grids
	Snapshot glance.Snapshot
	Tiles    []glance.Tile
}

// draw draws a part. Ages are not part of its sum: the viewer counts them.
func draw(id, name string, data any) part {
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, name, data); err != nil {
		b.Reset()
		b.WriteString(template.HTMLEscapeString(err.Error()))
	}
	html := printable.Text(b.String())
	sum := fnv.New64a()
	fmt.Fprint(sum, ages.ReplaceAllString(html, "$1"))
	return part{id, html, fmt.Sprintf("%x", sum.Sum64())}
}

func (p *Page) html(w http.ResponseWriter, r *http.Request) {
	v, err := p.viewOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if p.unknownView(w, v) {
		return
	}
	s := p.drawn(r.Context(), v)
	var b bytes.Buffer
	if err := tmpl.Execute(&b, pageOf(p, s, r.URL.Query().Has("kiosk"))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, b.Bytes())
}

// tiles answers with the parts that differ from those whose sums If-None-Match names, and the
// order of all.
func (p *Page) tiles(w http.ResponseWriter, r *http.Request) {
	v, err := p.viewOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if p.unknownView(w, v) {
		return
	}
	s := p.drawn(r.Context(), v)
	tag := p.build() + "-" + s.tag()
	w.Header().Set("ETag", `"`+tag+`"`)
	given := strings.Trim(strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/"), `"`)
	if given == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	known := strings.Split(given, "-")
	answer := struct {
		Now   time.Time         `json:"now"`
		Build string            `json:"build"` // of the script and what it was told: if it differs, the page is to be loaded again
		Rows  int               `json:"rows"`
		Order []string          `json:"order"`
		Parts map[string]string `json:"parts"`
	}{s.snap.Now, p.build(), s.rows, []string{}, map[string]string{}}
	for _, part := range s.parts {
		answer.Order = append(answer.Order, part.ID)
		if !slices.Contains(known, part.sum) {
			answer.Parts[part.ID] = part.HTML
		}
	}
	w.Header().Set("Content-Type", "application/json")
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, r, b.Bytes())
}

func (s *shown) tag() string {
	sums := make([]string, len(s.parts))
	for i, part := range s.parts {
		sums[i] = part.sum
	}
	return strings.Join(sums, "-")
}

// send writes a body, compressed if the client takes that.
func send(w http.ResponseWriter, r *http.Request, b []byte) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || len(b) < 1000 {
		w.Write(b)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	z.Write(b)
	z.Close()
}
