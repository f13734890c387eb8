package glance

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
)

//go:embed *.html *.css
var files embed.FS

var markup = template.Must(template.New("").Funcs(texts.Funcs).Funcs(template.FuncMap{"num": num, "day": day}).ParseFS(files, "*.html"))

// Style returns the style of all tiles.
func Style() []byte {
	names, _ := files.ReadDir(".")
	var out bytes.Buffer
	for _, n := range names {
		if b, err := files.ReadFile(n.Name()); err == nil && strings.HasSuffix(n.Name(), ".css") {
			out.Write(b)
		}
	}
	return out.Bytes()
}

// Glance makes snapshots of the house. It is safe for concurrent use.
type Glance struct {
	Inputs
	cache *cache
	past  *cache
}

// New does no I/O.
func New(in Inputs) *Glance { return &Glance{in, newCache(), newCache()} }

// View is what somebody looks at.
type View struct {
	Name string    // of hearth.yml: wall, desk, guest; "": all tiles
	At   time.Time // zero: now
}

// Query returns the view as it stands in addresses, without its time.
func (v View) Query() template.URL {
	if v.Name == "" {
		return ""
	}
	return template.URL(url.Values{"view": {v.Name}}.Encode()) // a URL: as part of one its = would be escaped
}

// Guest is the name of the view for guests: nothing private is read for it.
const Guest = "guest"

// Snapshot is the page at one moment.
type Snapshot struct {
	View   View
	Now    time.Time
	Zone   *time.Location
	Sun    *Sun   // of the day; nil: hearth.yml has no place
	Needs  []Need // the gravest first
	Tiles  []Tile // in their order
	Errors []string
	Status status.Data

	Nothing bool // of a time in the past of which nothing is known

	more    int  // open alerts that are not in Needs
	unknown bool // the alerts could not be read

	closed bool     // the store could not be opened
	unread []string // ids of tiles whose data could not be read
}

const (
	atOnce   = 4 // tiles that are read at the same time
	readTime = 5 * time.Second
)

// Snapshot reads what a view shows. What cannot be read is named in Errors; the rest is shown.
func (g *Glance) Snapshot(ctx context.Context, v View) Snapshot {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	w, err := g.world(ctx, v)
	out := Snapshot{View: v, Now: w.Now, Zone: w.Zone, Sun: sunOf(w.File.House.Place, w.Now.In(w.Zone)), Status: w.Status, more: w.more(), unknown: !w.Past && !w.Status.Alerts.Known}
	if err != nil {
		out.Errors = append(out.Errors, w.unread("", err))
		out.Needs, out.closed = w.needs(nil), true
		return out
	}
	ks := w.chosen(v)
	tiles := make([]*Tile, len(ks))
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, k := range ks {
		group.Go(func() error {
			t, err := k.collect(ctx, k.world)
			t = k.complete(t, g.Redact)
			tiles[i] = t
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				out.unread = append(out.unread, k.id)
				if text := w.unread(k.kind.title, err); !slices.Contains(out.Errors, text) {
					out.Errors = append(out.Errors, text)
				}
			}
			return nil
		})
	}
	group.Wait()
	for _, t := range tiles {
		if t != nil {
			out.Tiles = append(out.Tiles, *t)
			out.Needs = append(out.Needs, t.Needs...)
		}
	}
	if w.Past {
		watched, err := w.watched(ctx)
		if err != nil {
			out.Errors = append(out.Errors, w.unread("", err))
		}
		out.Nothing = len(out.Errors) == 0 && (!watched || len(out.Tiles) == 0)
	}
	slices.Sort(out.Errors)
	out.Needs = w.needs(out.Needs)
	for i := range out.Needs {
		if w.Guest { // a key names the device
			out.Needs[i].Alert, out.Needs[i].Link = "", ""
		}
	}
	return out
}

// unread says what could not be read, a tile or (title "") everything. Guests are not told why:
// an error may name hosts and users.
func (w *world) unread(title string, err error) string {
	switch text := w.Redact(err.Error()); {
	case w.Guest && title == "":
		return texts.Say("verdict.noStore")
	case w.Guest:
		return texts.Say("verdict.noTile", title)
	case title == "":
		return text
	default:
		return title + ": " + text
	}
}

// Guest reports whether it is for a guest.
func (s Snapshot) Guest() bool { return s.View.Name == Guest }

// Keep shows the tiles that could not be read as they were before: they turn grey as their
// values age.
func (s *Snapshot) Keep(before Snapshot) {
	if s.closed {
		s.Tiles = before.Tiles
		return
	}
	for i, t := range before.Tiles {
		if slices.Contains(s.unread, t.ID) && !slices.ContainsFunc(s.Tiles, func(o Tile) bool { return o.ID == t.ID }) {
			s.Tiles = slices.Insert(s.Tiles, min(i, len(s.Tiles)), t)
		}
	}
}

// world reads what all tiles need.
func (g *Glance) world(ctx context.Context, v View) (*world, error) {
	now := g.Now()
	st, err := g.Open(ctx) // first: it reads what Settings and Declared know of the store
	w := &world{Now: now, asked: now, Guest: v.Name == Guest, Zone: time.UTC, File: g.Settings(), Redact: g.Redact, declared: g.Declared(), cache: g.cache, wifi: g.Wifi}
	if !v.At.IsZero() {
		w.Now, w.Past, w.cache = v.At, true, g.past
	}
	if zone, err := time.LoadLocation(string(w.File.House.Zone)); err == nil {
		w.Zone = zone
	}
	if !w.Past {
		w.Status, _ = g.Status(ctx)
		w.cache.renew(runsOf(w.Status.Functions))
	}
	if w.st = st; err == nil && w.Past {
		w.Status.Alerts, err = g.Alerts(ctx, w.Now)
	}
	return w, err
}

// runsOf returns a text that differs when a function has run.
func runsOf(fs []status.Function) string {
	var b strings.Builder
	for _, f := range fs {
		if f.Last != nil {
			b.WriteString(f.Last.ID + f.Last.Status + " ")
		}
	}
	return b.String()
}

// draw executes the markup of a tile. An error is one of the markup, which tests find.
func draw(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := markup.ExecuteTemplate(&b, name, data); err != nil {
		return template.HTML(template.HTMLEscapeString(err.Error()))
	}
	return template.HTML(b.String())
}

// Kind returns the name of the tile's kind.
func (t Tile) Kind() string { return t.kind.name }

// Cell returns the name of the column that the tile shares with others, "" if it stands alone.
func (t Tile) Cell() string { return t.kind.cell }

// Keys returns the keys of the series that a click plots, joined by spaces.
func (t Tile) Keys() string {
	keys := make([]string, len(t.Plots))
	for i, p := range t.Plots {
		keys[i] = strings.ReplaceAll(p.Key(), " ", "%20")
	}
	return strings.Join(keys, " ")
}

// Labels returns the titles of the series that a click plots, one a line.
func (t Tile) Labels() string {
	titles := make([]string, len(t.Plots))
	for i, p := range t.Plots {
		titles[i] = titleOf(p)
	}
	return strings.Join(titles, "\n")
}

func titleOf(s history.Series) string {
	if s.Title != "" {
		return s.Title
	}
	return s.Field
}
