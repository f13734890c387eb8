package settings

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/place"
)

// check notes values that are well-formed but make no sense.
func (f *File) check() {
	f.checkCount("devices", len(f.Devices))
	f.checkCount("rules", len(f.Rules))
	f.checkCount("tiles", len(f.Tiles))
	f.checkCount("reminders", len(f.Reminders))
	f.checkCount("certificates", len(f.Certificates))
	f.checkCount("expiries", len(f.Expiries))
	f.checkCount("maintenance", len(f.Maintenance))
	f.House.check(f)
	for _, name := range slices.Sorted(maps.Keys(f.Rules)) {
		if path := "rules." + name; !f.Broken(path) {
			if !ruleName.MatchString(name) {
				f.Mistake(path, "the name of a rule may have only lower-case letters, digits and -")
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
	for i, m := range f.Maintenance {
		if path := fmt.Sprintf("maintenance[%d]", i); !f.Broken(path) {
			m.check(f, path)
		}
	}
	for i, e := range f.Expiries {
		path := fmt.Sprintf("expiries[%d]", i)
		switch same := func(o Expiry) bool { return o.Name == e.Name }; {
		case f.Broken(path):
		case e.Name == "" || e.Date == "":
			f.Mistake(path, "what expires needs a name and a date, as in {name: Key of the weather service, date: 2027-03-01}")
		case slices.ContainsFunc(f.Expiries[:i], same):
			f.Mistake(path, "two have the name %q", short(e.Name))
		}
	}
	for i, host := range f.Certificates {
		if path := fmt.Sprintf("certificates[%d]", i); !f.Broken(path) && !hostName.MatchString(host) {
			f.Mistake(path, "%q is not a host: write its name or address, and the port if it is not 443, as in router.lan or mail.example.org:465", short(host))
		}
	}
	for i, q := range f.QuietHours {
		if path := fmt.Sprintf("quiet_hours[%d]", i); !f.Broken(path) && (q.From == "" || q.To == "" || q.From == q.To) {
			f.Mistake(path, `quiet hours need two times of day: from: "22:00" and to: "07:00"`)
		}
	}
}

// hostName is a name or an address, IPv6 in brackets, and a port.
var hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

func (m Maintenance) check(f *File, path string) {
	n := 0
	for _, of := range []string{m.Room, m.Device, m.Node, m.Bridge} {
		if of != "" {
			n++
		}
	}
	if n != 1 || m.Until.IsZero() {
		f.Mistake(path, "maintenance needs one of room, device, node and bridge, and its end, as in {room: Cellar, until: 2026-12-24 18:00}")
	}
	if !m.Until.IsZero() && !m.From.Before(m.Until) {
		f.Mistake(path, "maintenance ends before it begins: from must be before until")
	}
}

var ruleName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (f *File) checkCount(section string, n int) {
	if n > maxElements {
		f.Mistake(section, "there are %d %s: at most %d", n, section, maxElements)
	}
}

func (h House) check(f *File) {
	p := h.Place
	switch {
	case f.Broken("house.place"):
	case (p.Latitude == nil) != (p.Longitude == nil):
		f.Mistake("house.place", "a place needs a latitude and a longitude")
	case p.Latitude != nil:
		if err := place.Latitude(*p.Latitude); err != nil {
			f.Mistake("house.place.latitude", "%v", err)
		}
		if err := place.Longitude(*p.Longitude); err != nil {
			f.Mistake("house.place.longitude", "%v", err)
		}
	}
	for i, p := range h.PricePerKWh {
		path := fmt.Sprintf("house.price_per_kwh[%d]", i)
		if !f.Broken(path) && ((p.From == "") != (p.To == "") || p.From == p.To && len(h.PricePerKWh) > 1) {
			f.Mistake(path, `with several prices, each needs two times of day: from: "22:00" and to: "06:00"`)
		}
	}
}

func (r Rule) check(f *File, path string) {
	f.checkField(r.Field, path+".field")
	f.checkUnit(r.Unit, path+".unit")
	if t := r.Above; t != nil && t.Leave != nil && *t.Leave > t.Enter {
		f.Mistake(path+".above.leave", "the condition begins at %g: leave must be at most enter", t.Enter)
	}
	if t := r.Below; t != nil && t.Leave != nil && *t.Leave < t.Enter {
		f.Mistake(path+".below.leave", "the condition begins at %g: leave must be at least enter", t.Enter)
	}
	if r.Above != nil && r.Below != nil && r.Above.Enter <= r.Below.Enter {
		f.Mistake(path, "every value is above %g or below %g", r.Above.Enter, r.Below.Enter)
	}
	f.checkRuleTimes(r, path)
	if r.Off && (r.Above != nil || r.Below != nil || r.Silent > 0 || r.Frozen > 0) {
		f.Mistake(path+".off", "the rule is off and has a condition: remove one of them")
	}
}

// checkRuleTimes notes a rule that can never judge anything.
func (f *File) checkRuleTimes(r Rule, path string) {
	if r.Silent > 0 && (r.Above != nil || r.Below != nil || r.Frozen > 0) || r.Frozen > 0 && (r.Above != nil || r.Below != nil) {
		f.Mistake(path, "a rule has one condition: above and below, silent, or frozen. Write a rule for each")
	}
}

func (t Tile) check(f *File, path string) {
	switch {
	case t.Tile == "" && len(t.Lines) == 0:
		f.Mistake(path, "write the name of a tile that hearth has, as in tile: weather, or your own tile with lines")
	case t.Tile != "" && !ruleName.MatchString(t.Tile):
		f.Mistake(path+".tile", "the name of a tile may have only lower-case letters, digits and -")
	case len(t.Lines) == 0 && t.Show != "":
		f.Mistake(path+".show", "show is only for your own tile with lines")
	case len(t.Lines) > maxLines:
		f.Mistake(path+".lines", "a tile has at most %d lines: these are %d", maxLines, len(t.Lines))
	}
	for i, v := range t.Views {
		if !ruleName.MatchString(v) {
			f.Mistake(fmt.Sprintf("%s.views[%d]", path, i), "the name of a view may have only lower-case letters, digits and -")
		}
	}
	for i, l := range t.Lines {
		line := fmt.Sprintf("%s.lines[%d]", path, i)
		if l.Field == "" {
			f.Mistake(line, "a line needs a field, as in air.co2_ppm")
		}
		if l.Min != nil && l.Max != nil && *l.Min >= *l.Max {
			f.Mistake(line+".max", "a bar needs room: max must be more than min")
		}
		f.checkField(l.Field, line+".field")
		f.checkUnit(l.Unit, line+".unit")
	}
}

const maxLines = 8 // of a tile

func (r Reminder) check(f *File, path string) {
	switch {
	case r.Text == "":
		f.Mistake(path, "a reminder needs a text")
	case (len(r.On) == 0) == (r.Date == ""):
		f.Mistake(path, "a reminder needs days of the week, as in on: tuesday, or a date, as in date: 2026-12-24")
	case r.Every != "" && r.Date == "":
		f.Mistake(path+".every", "every needs a date")
	}
}

var fieldName = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// checkField notes a field that is not written as measurement.field.
func (f *File) checkField(field, path string) {
	if field != "" && !fieldName.MatchString(field) {
		f.Mistake(path, "%q is not a field: write its measurement and its key, as in air.co2_ppm", short(field))
	}
}

func (f *File) checkUnit(checkUnit, path string) {
	if _, ok := catalogue.UnitOf(checkUnit); !ok {
		f.Mistake(path, "the unit %q is unknown: write it as in °C, %%, W or ppm", short(checkUnit))
	}
}
