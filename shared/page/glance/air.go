package glance

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rules"
)

// airScale is what values of a quantity mean: words, each up to a limit, the best first.
type airScale struct {
	words  []string
	limits []float64 // one less than words
}

// level returns the place of a value's word.
func (s airScale) level(v float64) int {
	n := 0
	for n < len(s.limits) && v > s.limits[n] {
		n++
	}
	return n
}

// aqiRule is the rule about the air outside.
const aqiRule = "outdoor-air-us-aqi-high"

// The scales. US AQI and PM2.5: 40 CFR 58 appendix G of May 2024. CO₂: the German committee on
// indoor guide values (2008). Volatile compounds: the same committee's levels of TVOC (2007), in
// ppb as in the SGP30's data sheet.
var (
	aqiScale  = airScale{texts.List("air.pollution"), []float64{50, 100, 150, 200, 300}}
	dustScale = airScale{texts.List("air.pollution"), []float64{9, 35.4, 55.4, 125.4, 225.4}}
	co2Scale  = airScale{texts.List("air.co2"), []float64{1000, 2000}}
	vocScale  = airScale{texts.List("air.voc"), []float64{220, 660, 2200}}
)

// insideAirs are the quantities of the rooms' air, those that stand in one line together: the
// first that is measured is shown. airs has how they are measured.
var insideAirs = [][]airLine{
	{{title: "PM2.5", scale: dustScale, airAt: 2}},
	{{title: "CO₂", scale: co2Scale, airAt: 1}, {title: equivalent, scale: co2Scale, airAt: 2}, {title: "VOC", scale: vocScale, airAt: 2}},
}

// airLine is a value of the tile.
type airLine struct {
	title string
	scale airScale
	airAt int // level from which on the room is to be aired; outside: the windows closed

	where  string // the room; "": outside
	room   bool   // where is a room, not the name of a sensor
	value  float64
	unit   string
	digits int
	at     time.Time
	fresh  time.Duration // older values are old
	old    bool
	class  string // mid or bad: by an open alert
	sample bool
	plot   history.Series
}

// bad reports whether something is to be done about it.
func (l airLine) bad() bool {
	return !l.old && (l.class != "" || l.scale.level(l.value) >= l.airAt)
}

// air shows the air outside, the worst of the rooms', and what to do.
func air(ctx context.Context, w *world) (*Tile, error) {
	ds, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	outside, dust, err := w.outside(ctx, ds)
	if err != nil {
		return nil, err
	}
	lines := outside
	for _, group := range insideAirs {
		if l, ok := w.worst(group, ds); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	t := &Tile{Stale: weatherStale, Sample: true}
	var rows []airRow
	for i := range lines {
		t.Needs = append(t.Needs, w.airNeed(&lines[i])...)
		l := lines[i]
		rows = append(rows, w.airRow(l))
		t.Plots, t.Sample = append(t.Plots, l.plot), t.Sample && l.sample
		if l.at.After(t.At) {
			t.At = l.at
		}
		t.Stale = max(t.Stale, l.fresh)
	}
	advice, class := w.airAdvice(lines, dust)
	t.Body = draw("air", map[string]any{"Advice": advice, "Class": class, "Rows": rows})
	return t, nil
}

// outside returns the line of the air outside, if it is known, and the PM2.5 there in µg/m³,
// below 0 if it is not.
func (w *world) outside(ctx context.Context, ds []device) (lines []airLine, dust float64, err error) {
	dust = -1
	found, err := w.latest(ctx, "outdoor_air", weatherKept)
	if err != nil {
		return nil, dust, err
	}
	slices.SortStableFunc(found, func(a, b reading.Reading) int {
		return cmp.Or(w.isHome(b)-w.isHome(a), strings.Compare(a.Tags["place"], b.Tags["place"]))
	})
	for _, r := range found[:min(len(found), 1)] {
		l := airLine{at: r.Time, old: w.Now.Sub(r.Time) > weatherStale, airAt: 2, sample: r.Tags[catalogue.SampleLabel] != "", plot: history.Series{Measurement: r.Name, Tags: r.Tags}}
		if v, ok := r.Fields["pm2_5_ugm3"]; ok {
			l.title, l.scale, l.value, l.unit, l.digits, l.plot.Field = "PM2.5", dustScale, v, "µg/m³ PM2.5", 1, "pm2_5_ugm3"
			if !l.old {
				dust = v
			}
		}
		if v, ok := r.Fields["us_aqi"]; ok {
			l.title, l.scale, l.value, l.unit, l.digits, l.plot.Field = "US AQI", aqiScale, v, "US AQI", 0, "us_aqi"
		}
		if l.plot.Title = texts.Say("air.outside") + ", " + l.title; l.title != "" {
			lines = append(lines, l)
		}
	}
	if l, ok := w.outsideDevice(ds); ok && dust < 0 {
		if dust = l.value; len(lines) == 0 || lines[0].old {
			lines = []airLine{l}
		}
	}
	return lines, dust, nil
}

// outsideDevice returns what a sensor outdoors measures.
func (w *world) outsideDevice(ds []device) (airLine, bool) {
	for _, d := range ds {
		if !rules.InRoom(d.ID, d.Name, d.Place) {
			if l, ok := w.airOf(insideAirs[0][0], d); ok && !l.old {
				l.where, l.unit, l.plot.Title = "", "µg/m³ PM2.5", texts.Say("air.outside")+", PM2.5"
				return l, true
			}
		}
	}
	return airLine{}, false
}

// airNeed says that the air outside is bad, unless hearth.yml switches that rule off. No alert is
// about it: it is no device's.
func (w *world) airNeed(l *airLine) []Need {
	if l.where != "" || l.old || l.title != "US AQI" || l.scale.level(l.value) < l.airAt || w.File.Rules[aqiRule].Off {
		return nil
	}
	l.class = "mid"
	word := l.scale.words[l.scale.level(l.value)]
	return []Need{{Severity: alert.Warning, What: texts.Say("air.outsideIs"), Value: num(l.value, 0) + " " + template.HTML(l.unit), Rest: texts.HTML("air.windows", word), Sample: l.sample}}
}

// worst returns the highest value in a room of the first of these quantities that is measured.
func (w *world) worst(of []airLine, ds []device) (worst airLine, ok bool) {
	for _, q := range of {
		for _, d := range ds {
			if !rules.InRoom(d.ID, d.Name, d.Place) {
				continue
			}
			l, has := w.airOf(q, d)
			if has && (!ok || worst.old && !l.old || worst.old == l.old && l.value > worst.value) {
				worst, ok = l, true
			}
		}
		if ok && !worst.old {
			return worst, true
		}
	}
	return worst, ok
}

// airOf returns what a device measures of a quantity.
func (w *world) airOf(q airLine, d device) (airLine, bool) {
	for _, known := range airs {
		if known.title != q.title {
			continue
		}
		for _, key := range known.keys {
			if m, ok := w.measure(known, d, key); ok {
				l := q
				l.where, l.room = cmp.Or(d.Place, d.Title), d.Place != ""
				l.value, l.unit, l.digits, l.at, l.fresh, l.old, l.class, l.sample = m.value, m.unit, m.digits, m.at, w.fresh(d, m.in), m.old, m.colour, d.Sample
				l.plot = history.Series{Measurement: m.in.Name, Field: key, Tags: map[string]string{catalogue.DeviceLabel: d.ID}, Title: l.where + ", " + q.title}
				return l, true
			}
		}
	}
	return airLine{}, false
}

// airAdvice says what to do, and how grave it is; "" if not all is known of now. dust is the
// PM2.5 outside, below 0 if it is unknown.
func (w *world) airAdvice(lines []airLine, dust float64) (advice, class string) {
	var shut, open *airLine
	known := true
	for i := range lines {
		l := &lines[i]
		known = known && !l.old
		switch {
		case !l.bad():
		case l.where == "":
			shut = l
		case l.title == "PM2.5" && (shut != nil || dust >= l.value): // it comes from outside
		case open == nil || open.class == "" && l.class != "":
			open = l
		}
	}
	switch {
	case shut != nil && open != nil:
		return texts.Say("air.airBriefly", w.roomIn(*open)), open.class
	case shut != nil:
		return texts.Say("air.shut"), shut.class
	case open != nil:
		return texts.Say("air.air", w.roomIn(*open)), open.class
	case known:
		return texts.Say("air.fine"), "fine"
	}
	return "", ""
}

// roomIn returns a room as it stands within an English sentence: "the office", "the Büro".
func (w *world) roomIn(l airLine) string {
	if !l.room {
		return texts.Say("air.room")
	}
	return texts.Say("air.theRoom", w.inSentence(l.where))
}

// inSentence writes a usual name of a room in small letters if the house's language is English.
func (w *world) inSentence(room string) string {
	locale := string(w.File.House.Locale)
	if _, usual := placeWords[folded(room)]; usual && (locale == "" || strings.HasPrefix(locale, "en")) {
		return strings.ToLower(room)
	}
	return room
}

// airRow is what the markup reads of a line.
type airRow struct {
	Label, Unit, Class string
	Value, Age         template.HTML
}

func (w *world) airRow(l airLine) airRow {
	r := airRow{Label: texts.Say("air.outside"), Unit: l.unit, Class: l.class, Value: num(l.value, l.digits)}
	word := l.scale.words[l.scale.level(l.value)]
	if l.where != "" {
		r.Label = texts.Say("air.inside", l.title)
		r.Unit += ", " + w.inSentence(l.where)
	}
	if l.where == "" || l.scale.level(l.value) > 0 {
		r.Unit += ", " + word
	}
	if l.old {
		r.Class, r.Age = "", w.at(l.at, age)
	}
	return r
}
