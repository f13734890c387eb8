package glance

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/settings"
)

// choice is a tile of a view: a kind, and what hearth.yml says about it.
type choice struct {
	kind
	id, title string
	world     *world   // with the rooms of the tile
	mistakes  []string // in the tile's entry of hearth.yml
}

// own is the kind of the tiles that a person makes of lines.
const own = "own"

// takesLines are the tiles of hearth whose lines choose what they show.
var takesLines = []string{"power"}

// Views returns the names of the views of the page.
func (g *Glance) Views() []string { return viewsOf(g.Settings()) }

func viewsOf(f *settings.File) []string {
	out := []string{"desk", Guest, "wall"}
	for _, t := range f.Tiles {
		out = append(out, t.Views...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// chosen returns the tiles of a view, in their order: those of hearth.yml, or one of each kind.
func (w *world) chosen(v View) []choice {
	var all []choice
	for _, k := range slices.Concat(kinds, derived()) {
		all = append(all, choice{kind: k, id: k.name, world: w})
	}
	if len(w.File.Tiles) > 0 {
		all = w.written(v)
	}
	if !slices.ContainsFunc(all, func(c choice) bool { return c.name == "new" }) { // a list of tiles does not hide what is new
		k, _ := kindNamed("new")
		all = append(all, choice{kind: k, id: k.name, world: w})
	}
	return slices.DeleteFunc(all, func(c choice) bool { return w.Guest && c.private || !w.Guest && c.guests || w.Past && !c.past })
}

// written returns the tiles of hearth.yml that a view shows.
func (w *world) written(v View) (out []choice) {
	mine, taken := 0, map[string]bool{}
	for _, t := range w.entries() {
		c := choice{kind: kindOf(t.Tile, w.Redact), id: t.Tile.Tile, title: t.Title, world: w.in(t.Room), mistakes: mistakesIn(w.File, fmt.Sprintf("tiles[%d]", t.at))}
		if c.name == own {
			mine++
			c.id = cmp.Or(c.id, fmt.Sprintf("own-%d", mine))
			c.private = !slices.Contains(t.Views, Guest) // only what the user chose for guests
		}
		for base, n := c.id, 2; taken[c.id]; n++ { // the same in every view
			c.id = fmt.Sprintf("%s-%d", base, n)
		}
		taken[c.id] = true
		if v.Name == "" || len(t.Views) == 0 || slices.Contains(t.Views, v.Name) {
			out = append(out, c)
		}
	}
	return out
}

// listed is a tile of hearth.yml.
type listed struct {
	settings.Tile
	at int // in the list
}

// entries returns the tiles of hearth.yml. The name others stands for all that are made of the
// catalogue alone and have no entry of their own.
func (w *world) entries() (out []listed) {
	for i, t := range w.File.Tiles {
		if t.Tile != others {
			out = append(out, listed{t, i})
			continue
		}
		for _, k := range derived() {
			if !slices.ContainsFunc(w.File.Tiles, func(o settings.Tile) bool { return o.Tile == k.name }) {
				t.Tile = k.name
				out = append(out, listed{t, i})
			}
		}
	}
	return out
}

// kindOf returns the kind of a tile: one of hearth, or one of lines. Of a name that is unknown
// it shows nothing but its mistake.
func kindOf(t settings.Tile, redact func(string) string) kind {
	if k, ok := kindNamed(t.Tile); ok {
		return k
	}
	return kind{name: own, title: redact(cmp.Or(t.Tile, texts.Say("tiles.own"))), past: true, collect: func(ctx context.Context, w *world) (*Tile, error) {
		return ownTile(ctx, w, t)
	}}
}

// kindNamed returns a kind of tiles of hearth.
func kindNamed(name string) (kind, bool) {
	all := slices.Concat(kinds, derived())
	if i := slices.IndexFunc(all, func(k kind) bool { return k.name == name }); i >= 0 {
		return all[i], true
	}
	return kind{}, false
}

// in returns the world with only these rooms; none: all.
func (w *world) in(rooms []string) *world {
	if len(rooms) == 0 {
		return w
	}
	part := *w
	part.rooms = rooms
	return &part
}

// isIn reports whether a device is in one of the rooms of the tile.
func (w *world) isIn(place string) bool {
	return len(w.rooms) == 0 || slices.ContainsFunc(w.rooms, func(r string) bool { return strings.EqualFold(r, place) })
}

// mistakesIn returns what is wrong in a part of hearth.yml, a sentence each.
func mistakesIn(f *settings.File, path string) (out []string) {
	for _, m := range f.Mistakes {
		if rest, ok := strings.CutPrefix(m.Path, path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			out = append(out, texts.Say("verdict.mistake", m.Line, m.Text))
		}
	}
	return out
}

// complete adds to a tile what its choice says about it. A tile with mistakes is shown without
// data, too.
func (c choice) complete(t *Tile, redact func(string) string) *Tile {
	if t == nil && len(c.mistakes) == 0 {
		return nil
	}
	if t == nil {
		t = &Tile{}
	}
	t.ID, t.kind = c.id, &c.kind
	t.Title = cmp.Or(redact(c.title), t.Title, c.kind.title)
	for _, m := range c.mistakes {
		t.Body += template.HTML(`<p class="mistake">` + template.HTMLEscapeString(redact(m)) + `</p>`)
	}
	if c.world.Guest {
		t.forGuests()
	}
	return t
}
