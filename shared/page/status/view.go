package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/quality"
)

// view is what was collected, and a hash of each section of the page. A viewer sends
// the hashes that it has and gets the sections that have changed. Ages are not hashed:
// the viewer counts them, except those in days, which change at midnight.
type view struct {
	data Data
	zone *time.Location
	sums []string
}

// sections are the parts of the page, each with the data that it shows.
var sections = []struct {
	id string
	of func(Data) any
}{
	{"notes", func(d Data) any { return []any{d.Errors, d.Notes} }},
	{"alerts", func(d Data) any { return d.Alerts }},
	{"house", func(d Data) any { return []any{d.Rooms, d.MoreDevices, d.Try, d.Sample, lines(d.Rooms)} }},
	{"dead", func(d Data) any { return []any{d.Dead, d.MoreDead} }},
	{"readings", func(d Data) any { return []any{d.Measurements, graphs(d.Measurements)} }},
	{"items", func(d Data) any { return d.Lists }},
	{"functions", func(d Data) any { return []any{d.Functions, d.History} }},
	{"about", func(d Data) any { return d.Zone }},
}

func newView(d Data) *view {
	v := &view{data: d, zone: time.UTC}
	if zone, err := time.LoadLocation(d.Zone); err == nil {
		v.zone = zone
	}
	for _, s := range sections {
		sum := fnv.New64a()
		fmt.Fprint(sum, d.Zone, d.Now.In(v.zone).Format(time.DateOnly))
		if err := json.NewEncoder(sum).Encode(s.of(d)); err != nil {
			fmt.Fprint(sum, d.Now) // without a hash the section counts as changed
		}
		v.sums = append(v.sums, fmt.Sprintf("%x", sum.Sum64()))
	}
	return v
}

func (v *view) tag() string { return strings.Join(v.sums, "-") }

// changed returns the markup of the sections whose hashes differ from those known. As in
// the whole page, text from outside is printable.
func (v *view) changed(known []string) map[string]string {
	out := map[string]string{}
	for i, s := range sections {
		if i < len(known) && known[i] == v.sums[i] {
			continue
		}
		var b bytes.Buffer
		if err := tmpl.ExecuteTemplate(&b, s.id, v); err == nil {
			out[s.id] = printable.Text(b.String())
		}
	}
	return out
}

// The template of the page reads these.

func (v *view) Data() Data           { return v.data }
func (v *view) Now() time.Time       { return v.data.Now }
func (v *view) Zone() *time.Location { return v.zone }
func (v *view) Tag() string          { return v.tag() }

// moment is a time, with the present time and the zone in which to write it.
type moment struct {
	Now, Time time.Time
	Zone      *time.Location
}

// dated is a series and the view that it is part of.
type dated struct {
	View   *view
	Series Series
}

func when(v *view, s Series) dated { return dated{v, s} }

func at(v *view, t time.Time) moment { return moment{v.data.Now, t, v.zone} }

// shownAlert is an alert and the view that it is part of.
type shownAlert struct {
	View  *view
	Alert Alert
}

func shown(v *view, a Alert) shownAlert { return shownAlert{v, a} }

// of writes a time of an alert: "14:05", with the date if it is not of today.
func of(v *view, t time.Time) string { return (&alert.House{Zone: v.zone}).When(t, v.data.Now) }

// placed is a device and the view that it is part of.
type placed struct {
	View   *view
	Device Device
}

func tile(v *view, d Device) placed { return placed{v, d} }

// title returns the heading of a room, "" if it is the only one.
func title(v *view, r Room) string {
	if r.Name == "" && slices.ContainsFunc(v.data.Rooms, func(o Room) bool { return o.order == 0 }) {
		return "Elsewhere"
	}
	return r.Name
}

// badge returns the word for a quality.
func badge(q string) string {
	if known := quality.Quality(q); known.Known() {
		return catalogue.QualityWord(known.Code())
	}
	return q
}

func lines(rooms []Room) (out []string) {
	for _, r := range rooms {
		for _, d := range r.Devices {
			out = append(out, d.Spark.Points, d.Spark.Doubts)
		}
	}
	return out
}

func graphs(ms []Measurement) (out []string) {
	for _, m := range ms {
		for _, s := range m.Series {
			for _, v := range s.Values {
				out = append(out, v.Spark.Points)
			}
		}
	}
	return out
}
