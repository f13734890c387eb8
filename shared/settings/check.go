package settings

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// check notes what is well written and cannot be meant.
func (f *File) check() {
	f.few("devices", len(f.Devices))
	f.few("rules", len(f.Rules))
	f.few("tiles", len(f.Tiles))
	f.few("reminders", len(f.Reminders))
	f.House.check(f)
	for _, name := range slices.Sorted(maps.Keys(f.Rules)) {
		if path := "rules." + name; !f.Broken(path) {
			if !ruleName.MatchString(name) {
				f.Mistake(path, "the name of a rule is made of small letters, digits and -")
			}
			f.Rules[name].check(f, path)
		}
	}
	for i := range f.Tiles {
		if path := fmt.Sprintf("tiles[%d]", i); !f.Broken(path) {
			f.Tiles[i].check(f, path)
		}
	}
	for i := range f.Reminders {
		if path := fmt.Sprintf("reminders[%d]", i); !f.Broken(path) {
			f.Reminders[i].check(f, path)
		}
	}
	for i, q := range f.QuietHours {
		if path := fmt.Sprintf("quiet_hours[%d]", i); !f.Broken(path) && (q.From == "" || q.To == "" || q.From == q.To) {
			f.Mistake(path, `quiet hours have two times of day: from: "22:00" and to: "07:00"`)
		}
	}
}

var ruleName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (f *File) few(section string, n int) {
	if n > most {
		f.Mistake(section, "there are %d %s: at most %d", n, section, most)
	}
}

func (h House) check(f *File) {
	p := h.Place
	switch {
	case f.Broken("house.place"):
	case (p.Latitude == nil) != (p.Longitude == nil):
		f.Mistake("house.place", "a place has a latitude and a longitude")
	case p.Latitude != nil && (*p.Latitude < -90 || *p.Latitude > 90):
		f.Mistake("house.place.latitude", "a latitude is from -90 to 90 degrees")
	case p.Longitude != nil && (*p.Longitude < -180 || *p.Longitude > 180):
		f.Mistake("house.place.longitude", "a longitude is from -180 to 180 degrees")
	}
	for i, p := range h.PricePerKWh {
		path := fmt.Sprintf("house.price_per_kwh[%d]", i)
		if !f.Broken(path) && ((p.From == "") != (p.To == "") || p.From == p.To && len(h.PricePerKWh) > 1) {
			f.Mistake(path, `of several prices each has two times of day: from: "22:00" and to: "06:00"`)
		}
	}
}

func (r Rule) check(f *File, path string) {
	f.named(r.Field, path+".field")
	f.unit(r.Unit, path+".unit")
	if t := r.Above; t != nil && t.Leave != nil && *t.Leave > t.Enter {
		f.Mistake(path+".above.leave", "it ends above %g, where it begins: leave is at most enter", t.Enter)
	}
	if t := r.Below; t != nil && t.Leave != nil && *t.Leave < t.Enter {
		f.Mistake(path+".below.leave", "it ends below %g, where it begins: leave is at least enter", t.Enter)
	}
	if r.Above != nil && r.Below != nil && r.Above.Enter <= r.Below.Enter {
		f.Mistake(path, "every value is above %g or below %g", r.Above.Enter, r.Below.Enter)
	}
	if r.Off && (r.Above != nil || r.Below != nil || r.Silent > 0 || r.Frozen > 0) {
		f.Mistake(path+".off", "the rule is off and says when to tell: take out one")
	}
}

func (t Tile) check(f *File, path string) {
	switch {
	case (t.Tile == "") == (len(t.Lines) == 0):
		f.Mistake(path, "a tile is one that hearth has, tile: weather, or one of one's own, with lines")
	case t.Tile != "" && !ruleName.MatchString(t.Tile):
		f.Mistake(path+".tile", "the name of a tile is made of small letters, digits and -")
	case t.Tile != "" && t.Show != "":
		f.Mistake(path+".show", "only a tile of one's own, with lines, is drawn otherwise")
	case len(t.Lines) > maxLines:
		f.Mistake(path+".lines", "a tile has at most %d lines: these are %d", maxLines, len(t.Lines))
	}
	for i, l := range t.Lines {
		line := fmt.Sprintf("%s.lines[%d]", path, i)
		if l.Field == "" {
			f.Mistake(line, "a line names a field, as in air.co2_ppm")
		}
		f.named(l.Field, line+".field")
		f.unit(l.Unit, line+".unit")
	}
}

const maxLines = 8 // of a tile

func (r Reminder) check(f *File, path string) {
	switch {
	case r.Text == "":
		f.Mistake(path, "a reminder has a text")
	case (len(r.On) == 0) == (r.Date == ""):
		f.Mistake(path, "a reminder is on days of the week, on: tuesday, or has a date: 2026-12-24")
	case r.Every != "" && r.Date == "":
		f.Mistake(path+".every", "every goes with a date")
	}
}

var fieldName = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// named notes a field that is not written as measurement.field.
func (f *File) named(field, path string) {
	if field != "" && !fieldName.MatchString(field) {
		f.Mistake(path, "%q is no field: write its measurement and its key, as in air.co2_ppm", short(field))
	}
}

func (f *File) unit(unit, path string) {
	if _, ok := catalogue.UnitOf(unit); !ok {
		f.Mistake(path, "the unit %q is unknown: write it as in °C, %%, W or ppm", short(unit))
	}
}
