package glance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/settings"
)

// Check notes mistakes in the tiles of hearth.yml that package settings cannot know: names of
// tiles and of views, units. declared are the measurements of hearth.yml. Whether fields exist
// is checked by package mapping. The page shows what is noted in the tile.
func Check(f *settings.File, declared []catalogue.Measurement) {
	for i, t := range f.Tiles {
		path := fmt.Sprintf("tiles[%d]", i)
		if f.Broken(path) {
			continue
		}
		checkName(f, t, path)
		for j, v := range t.Views {
			checkView(f, v, fmt.Sprintf("%s.views[%d]", path, j))
		}
		for j, l := range t.Lines {
			checkLine(f, l, declared, fmt.Sprintf("%s.lines[%d]", path, j))
		}
	}
}

// checkName notes the name of a tile that hearth does not have, and lines in one that has its
// own.
func checkName(f *settings.File, t settings.Tile, path string) {
	k, known := kindNamed(t.Tile)
	known = known || t.Tile == others
	switch {
	case t.Tile != "" && !known && len(t.Lines) == 0:
		f.Mistake(path+".tile", "the tile %q is unknown: %s A tile of your own has lines", t.Tile, instead(t.Tile, names()))
	case known && len(t.Lines) > 0 && !slices.Contains(takesLines, t.Tile):
		f.Mistake(path+".lines", "the tile %s has lines of its own: give your own tile another name, or none", t.Tile)
	case known && t.Show != "":
		f.Mistake(path+".show", "show is only for your own tile with lines")
	case k.guests && slices.ContainsFunc(t.Views, func(v string) bool { return v != Guest }):
		f.Mistake(path+".views", "the tile %s is only for guests", t.Tile)
	case known && k.private && slices.Contains(t.Views, Guest):
		f.Mistake(path+".views", "the tile %s is not shown to guests", t.Tile)
	}
}

// checkView notes a view that only one tile names and whose name is near that of a usual one.
func checkView(f *settings.File, view, path string) {
	usual := []string{"desk", Guest, "wall"}
	n := 0
	for _, t := range f.Tiles {
		if slices.Contains(t.Views, view) {
			n++
		}
	}
	if near := nearest.Of(view, usual); near != "" && n == 1 && !slices.Contains(usual, view) {
		f.Warn(path, "only this tile names the view %q: did you mean %s?", view, near)
	}
}

// checkLine notes a unit in which a field cannot be shown.
func checkLine(f *settings.File, l settings.Line, declared []catalogue.Measurement, path string) {
	m, of, ok := fieldOf(declared, l.Field)
	if !ok {
		return
	}
	if _, err := unitOf(of, l.Unit); err != nil {
		f.Mistake(path+".unit", "%v", err)
	}
	if m.OfDevices() && len(l.Labels) > 0 {
		f.Mistake(path+".labels", "%s is of devices: choose them by device", m.Name)
	}
	if !m.OfDevices() && len(l.Device) > 0 {
		f.Mistake(path+".device", "%s is not of devices: choose by labels, as in {%s: …}", m.Name, strings.Join(append(m.Labels, "place")[:1], ""))
	}
	for name := range l.Labels {
		if !m.OfDevices() && !slices.Contains(m.Labels, name) {
			f.Mistake(path+".labels."+name, "%s has no label %q: %s", m.Name, name, instead(name, m.Labels))
		}
	}
}

// instead says which name may be meant.
func instead(name string, of []string) string {
	if near := nearest.Of(name, of); near != "" {
		return "did you mean " + near + "?"
	}
	if len(of) == 0 {
		return "it has none."
	}
	return "known are " + strings.Join(of, ", ") + "."
}

// names returns the names of the tiles that hearth has.
func names() []string {
	var out []string
	for _, k := range slices.Concat(kinds, derived()) {
		out = append(out, k.name)
	}
	return append(out, others)
}
