package glance

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	weatherKept  = 7 * 24 * time.Hour // how old the last report of a place may be to be shown, grey
	weatherStale = 45 * time.Minute
	slotTime     = 3 * time.Hour // of the forecast; rain and snow are those of the time before a slot's
	otherPlaces  = 3             // that are shown beside the house's
)

// weatherTile is what the markup of the tile reads.
type weatherTile struct {
	Icon             template.HTML
	Degrees          template.HTML
	Sentence, Detail template.HTML
	Curve            template.HTML
	Hours            []template.HTML // below the curve
	Days             []weatherDay
	Others           []otherPlace
}

// otherPlace is the weather of a place besides the house's, in one line.
type otherPlace struct {
	Icon    template.HTML
	Name    string
	Degrees template.HTML
	Words   string
	Age     template.HTML // of an old report
}

// weather shows the weather of the house's place, now and as it is forecast.
func weather(ctx context.Context, w *world) (*Tile, error) {
	reports, err := w.latest(ctx, "weather", weatherKept)
	if err != nil || len(reports) == 0 {
		return nil, err
	}
	slices.SortStableFunc(reports, func(a, b reading.Reading) int {
		return cmp.Or(-cmp.Compare(w.isHome(a), w.isHome(b)), strings.Compare(a.Tags["place"], b.Tags["place"]))
	})
	o, err := w.outlook(ctx, reports[0])
	data := weatherTile{
		Icon: icon(skyOf(o.now, o.isNight(w.Now))), Degrees: num(round(w.celsius(o.now.Fields["temperature_celsius"])), 0),
		Sentence: o.sentence(), Detail: o.detail(),
	}
	if len(o.ahead()) > 1 {
		data.Curve, data.Hours = o.curve()
	}
	data.Days = o.days()
	for _, r := range reports[1:min(len(reports), 1+otherPlaces)] {
		data.Others = append(data.Others, w.otherPlace(r))
	}
	return &Tile{
		Title: w.placeName(o.now), Body: draw("weather", data), At: o.now.Time, Stale: weatherStale, Sample: o.now.Tags[catalogue.SampleLabel] != "",
		Plots: weatherPlots(o.now),
	}, err
}

// weatherPlots are the series of a place, those that the report has.
func weatherPlots(r reading.Reading) (out []history.Series) {
	for _, f := range []struct{ field, title string }{{"temperature_celsius", texts.Say("weather.temperature")}, {"rain_last_hour_mm", texts.Say("weather.lastHour")}, {"wind_mps", texts.Say("weather.windTitle")}, {"humidity_percent", texts.Say("weather.humidity")}, {"pressure_hpa", texts.Say("weather.pressure")}} {
		if _, ok := r.Fields[f.field]; ok || f.field == "rain_last_hour_mm" {
			out = append(out, history.Series{Measurement: "weather", Field: f.field, Tags: r.Tags, Title: f.title})
		}
	}
	return out
}

// isHome returns 1 for a reading of the house's place, else 0.
func (w *world) isHome(r reading.Reading) int {
	if name := w.File.House.Place.Name; name != "" && same(name, r.Tags["place"]) {
		return 1
	}
	return 0
}

// same reports whether two names are the same place: "New York" is "new-york".
func same(a, b string) bool {
	plain := strings.NewReplacer(" ", "", "-", "", "_", "")
	return strings.EqualFold(plain.Replace(a), plain.Replace(b))
}

// placeName returns the name of a reading's place for people.
func (w *world) placeName(r reading.Reading) string {
	name := r.Tags["place"]
	if w.isHome(r) == 1 {
		name = w.File.House.Place.Name
	}
	if name != strings.ToLower(name) {
		return w.Redact(name)
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '-' || r == '_' })
	for i, word := range words {
		first := []rune(word)
		first[0] = unicode.ToUpper(first[0])
		words[i] = string(first)
	}
	return w.Redact(strings.Join(words, " "))
}

func (w *world) otherPlace(r reading.Reading) otherPlace {
	o := otherPlace{
		Icon: icon(skyOf(r, false)), Name: w.placeName(r), Degrees: num(round(w.celsius(r.Fields["temperature_celsius"])), 0) + "°", Words: w.Redact(r.Text["description"]),
	}
	if w.Now.Sub(r.Time) > weatherStale {
		o.Age = w.at(r.Time, age)
	}
	return o
}

// celsius returns a temperature in the unit of the house.
func (w *world) celsius(v float64) float64 {
	v, _ = w.convert(v, "°C")
	return v
}

// round rounds to a whole number that is not -0.
func round(v float64) float64 { return math.Round(v) + 0 }
