package glance

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
)

// others is the name of all tiles that are made of the catalogue alone: one for each function
// whose readings no other tile shows. So a new source has a tile as soon as it has readings.
const others = "others"

// drawn are the functions whose readings other tiles show.
var drawn = []string{"asana", "feeds", "github", "sensors", "stocks", "treasuries", "weather", "zigbee"}

// derived returns the kinds of tiles that are made of the catalogue alone.
func derived() (out []kind) {
	for _, m := range catalogue.All() {
		if slices.Contains(drawn, m.Function) || slices.ContainsFunc(out, func(k kind) bool { return k.name == m.Function }) {
			continue
		}
		out = append(out, derivedKind(catalogue.FamilyOf(m.Function)))
	}
	return out
}

func derivedKind(f catalogue.Family) kind {
	return kind{name: f.Function, title: f.Title, private: f.Private, past: true, collect: func(ctx context.Context, w *world) (*Tile, error) {
		return derivedTile(ctx, w, f.Measurements)
	}}
}

// derivedTile shows the latest readings of measurements: the first value is large, then come the
// others, then the texts.
func derivedTile(ctx context.Context, w *world, ms []catalogue.Measurement) (*Tile, error) {
	var all []*ownSeries
	var texts []string
	for _, m := range ms {
		if m.OfDevices() {
			continue
		}
		rs, err := w.newestOf(ctx, m)
		if err != nil {
			return nil, err
		}
		for i, r := range rs {
			for _, f := range headlines(m, r, len(rs)) {
				s := w.seriesOf(m, f, r)
				s.setRange(settings.Line{})
				all = append(all, s)
			}
			if i == 0 {
				texts = append(texts, textsOf(m, r)...)
			}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	out, err := w.ownDrawn(ctx, "value", all)
	if len(texts) > 0 {
		out.Body += template.HTML(`<p class="dim">` + template.HTMLEscapeString(w.Redact(strings.Join(texts, " · "))) + `</p>`)
	}
	return out, err
}

// headlines returns the fields of a reading that are shown: of one series all, of each of several
// the first.
func headlines(m catalogue.Measurement, r reading.Reading, series int) (out []catalogue.Field) {
	for _, f := range m.Fields {
		if _, has := r.Fields[f.Key]; has && f.Show != catalogue.Hidden && f.Key != catalogue.Quality {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b catalogue.Field) int { return cmp.Compare(a.Show, b.Show) })
	if series > 1 {
		out = out[:min(len(out), 1)]
	}
	return out
}

// textsOf returns the texts of a reading that are shown.
func textsOf(m catalogue.Measurement, r reading.Reading) (out []string) {
	for _, key := range m.Text {
		if text := r.Text[key]; text != "" && key != catalogue.Suspect && !slices.Contains(m.HideText, key) {
			out = append(out, text)
		}
	}
	return out
}
