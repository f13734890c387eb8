package glance

import (
	"context"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/settings"
)

const (
	maxOwn   = 8 // values in a tile
	ownStep  = 5 * time.Minute
	ownSpan  = 24 * time.Hour
	ownStale = 3 // a value is old after so many times its usual pause
)

// ownLine is a value as the markup shows it.
type ownLine struct {
	Title  string
	Value  template.HTML // "" if there is none
	Unit   string
	Age    template.HTML // of an old value
	Bar    template.HTML
	Class  string // of its curve
	Curve  string // the d of its path
	series *ownSeries
}

// ownData is what the markup of the user's own tiles shows.
type ownData struct {
	Show      settings.Show
	First     ownLine
	Rest      []ownLine
	All       []ownLine
	More      int
	Spark     template.HTML
	Empty     bool
	High, Low template.HTML // at the edges of the plot, of the unit of the first line
	Label     string        // of the plot, for screen readers
	Hours     []ownHour
}

// ownHour is a mark at the lower edge of a plot.
type ownHour struct {
	X    string
	Time template.HTML
}

// ownTile draws a tile that a person made of lines.
func ownTile(ctx context.Context, w *world, t settings.Tile) (*Tile, error) {
	if len(t.Lines) == 0 {
		return nil, nil
	}
	all, err := w.ownSeries(ctx, t.Lines[:min(len(t.Lines), maxOwn)])
	if err != nil {
		return nil, err
	}
	return w.ownDrawn(ctx, t.Show, all)
}

// ownDrawn draws series in one of the forms that an own tile has.
func (w *world) ownDrawn(ctx context.Context, form settings.Show, all []*ownSeries) (*Tile, error) {
	if form == "" {
		form = "value"
	}
	data := ownData{Show: form, More: max(0, len(all)-maxOwn), Empty: len(all) == 0}
	all = all[:min(len(all), maxOwn)]
	out := &Tile{}
	title(all)
	for i, s := range all {
		out.Sample = out.Sample || s.sample
		out.Plots = append(out.Plots, s.plots()...)
		if s.at.After(out.At) {
			out.At, out.Stale = s.at, ownStale*s.pause
		}
		line := ownLine{Title: w.Redact(s.title), series: s, Class: "own-" + string(rune('a'+i))}
		if s.ok {
			line.Value, line.Unit = w.shown(s.value, s.field, s.unit)
			if s.pause > 0 && w.Now.Sub(s.at) > ownStale*s.pause {
				line.Age = w.at(s.at, age)
			}
		}
		data.All = append(data.All, line)
	}
	if len(out.Plots) > maxOwn {
		out.Plots = out.Plots[:maxOwn]
	}
	var err error
	switch form {
	case "curve":
		err = w.ownCurves(ctx, &data)
	case "bar":
		for i := range data.All {
			data.All[i].Bar = w.ownBar(data.All, i)
		}
	case "value":
		if len(data.All) > 0 {
			data.First, data.Rest = data.All[0], data.All[1:]
			var points []point
			points, err = w.ownPoints(ctx, data.First.series)
			data.Spark = spark(points)
		}
	}
	out.Body = draw("own", data)
	return out, err
}

// ownCurves draws the curves of the last day. Lines of different units have scales of their own.
func (w *world) ownCurves(ctx context.Context, data *ownData) error {
	curves := make([][]point, len(data.All))
	byUnit := map[string][][]point{}
	for i, l := range data.All {
		var err error
		if curves[i], err = w.ownPoints(ctx, l.series); err != nil {
			return err
		}
		byUnit[l.Unit] = append(byUnit[l.Unit], curves[i])
	}
	end := float64(w.Now.Unix())
	plain := box{Width: 560, Height: 120, Left: end - ownSpan.Seconds(), Right: end}
	for i := range data.All {
		l := &data.All[i]
		l.Curve = plain.around(byUnit[l.Unit]...).path(curves[i])
	}
	if len(data.All) > 0 {
		first := data.All[0]
		b := plain.around(byUnit[first.Unit]...)
		if b.High > b.Low {
			f := first.series.field
			f.Digits = 0
			data.High, data.Low = num(b.High, digitsOf(f.Format(), b.High)), num(b.Low, digitsOf(f.Format(), b.Low))
		}
		data.Label = texts.Say("own.curves", w.Redact(first.series.title))
		if len(data.All) == 1 {
			data.Label = texts.Say("own.curve", w.Redact(first.series.title))
		}
	}
	if !slices.ContainsFunc(data.All, func(l ownLine) bool { return l.Curve != "" }) {
		return nil
	}
	for t := w.Now.Add(-ownSpan).Truncate(time.Hour).Add(time.Hour); t.Before(w.Now); t = t.Add(time.Hour) {
		if t.In(w.Zone).Hour()%6 == 0 {
			data.Hours = append(data.Hours, ownHour{percent(plain.x(float64(t.Unix())) / plain.Width), w.at(t, hour)})
		}
	}
	return nil
}

// ownBar draws where a value is between the ends of its range, with a mark at the threshold.
func (w *world) ownBar(all []ownLine, i int) template.HTML {
	s := all[i].series
	if !s.ok {
		return ""
	}
	low, high, mark := s.low, s.high, s.mark
	if high <= low { // no range: as long as the largest of the same unit
		low, high = 0, 0
		for _, l := range all {
			if l.Unit == all[i].Unit && l.series.ok {
				high = max(high, l.series.value)
			}
		}
	}
	if high <= low {
		return ""
	}
	return bar((s.value-low)/(high-low), (mark-low)/(high-low), !math.IsNaN(mark))
}

// ownPoints returns the curve of a series over the last day, in the unit that is shown. Of
// several devices a point needs a value of each.
func (w *world) ownPoints(ctx context.Context, s *ownSeries) ([]point, error) {
	from := w.Now.Add(-ownSpan).Truncate(ownStep)
	sums, counts := map[int64]float64{}, map[int64]int{} // by the start of the window in unix seconds: times of two zones are different keys
	for _, tags := range s.members {
		found, err := w.windows(ctx, windowsOf(s, tags, from, w.Now))
		if err != nil {
			return nil, err
		}
		for _, series := range found {
			if series.Field == s.field.Key && sameSeries(series.Tags, tags, s.m) {
				for _, p := range series.Windows {
					sums[p.Start.Unix()] += p.Mean
					counts[p.Start.Unix()]++
				}
			}
		}
	}
	var out []point
	for t := from; t.Before(w.Now); t = t.Add(ownStep) {
		p := point{X: float64(t.Add(ownStep / 2).Unix()), Y: math.NaN()}
		if n := counts[t.Unix()]; n >= len(s.members) && n > 0 {
			v := sums[t.Unix()]
			if s.mean {
				v /= float64(n)
			}
			p.Y = w.inUnit(v, s.field, s.unit)
		}
		out = append(out, p)
	}
	return bridged(out, s.pause), nil
}

// bridged leaves out empty windows between values of which there are fewer than windows, so that
// the curve of a value that arrives once an hour is one line.
func bridged(ps []point, pause time.Duration) []point {
	most := int(ownStale*pause/ownStep) + 1
	var out []point
	gap := 0
	for _, p := range ps {
		if math.IsNaN(p.Y) {
			gap++
			continue
		}
		if gap > most && len(out) > 0 {
			out = append(out, point{X: p.X, Y: math.NaN()})
		}
		gap = 0
		out = append(out, p)
	}
	return out
}

// plots returns what a click on the tile shows of the series.
func (s *ownSeries) plots() (out []history.Series) {
	for i, tags := range s.members {
		title := s.title
		if len(s.members) > 1 {
			title += ", " + s.names[i]
		}
		out = append(out, history.Series{Measurement: s.m.Name, Field: s.field.Key, Tags: tags, Title: title})
	}
	return out
}

// title names series by what differs between them.
func title(all []*ownSeries) {
	oneField := !slices.ContainsFunc(all, func(s *ownSeries) bool { return s.fieldTitle() != all[0].fieldTitle() })
	oneThing := !slices.ContainsFunc(all, func(s *ownSeries) bool { return s.thing != all[0].thing })
	for _, s := range all {
		switch {
		case s.title != "":
		case s.thing == "" || oneThing && len(all) > 1:
			s.title = s.fieldTitle()
		case oneField:
			s.title = s.thing
		default:
			s.title = s.thing + " · " + s.fieldTitle()
		}
	}
}

func (s *ownSeries) fieldTitle() string {
	if s.field.Title == "" {
		return catalogue.Title(s.field.Key)
	}
	return s.field.Title
}
