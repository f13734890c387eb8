// Package settings is hearth.yml: what a person decides about the house. It reads
// the file, which is the secret hearth-settings, checks it against one schema and
// hands its sections over as values. What a section makes the house do is with
// the package that acts on it.
package settings

import "time"

// File is hearth.yml. Absent sections are zero values.
type File struct {
	House      House           `yaml:"house"`           // where the house is and how its people write
	Devices    []Device        `yaml:"devices"`         // names, rooms and what is mapped
	Rules      map[string]Rule `yaml:"rules"`           // when to tell, by name: a default rule that is changed or switched off, or a new one
	Tiles      []Tile          `yaml:"tiles"`           // what the page shows, in this order; absent: all there is
	Reminders  []Reminder      `yaml:"reminders"`       // what to tell at a date or every week
	QuietHours []QuietHours    `yaml:"quiet_hours,one"` // when only what is critical is told

	Mistakes []Mistake       `yaml:"-"` // and warnings, as they were found; see Err
	at       map[string]at   // where each value stands, by path
	spoiled  map[string]bool // paths with mistakes; see sound
}

// House is where the house is and how its people write.
type House struct {
	Zone        Zone    `yaml:"zone"`              // time zone as in Europe/Berlin; absent: UTC
	Place       Place   `yaml:"place"`             // for sunrise and sunset
	Units       Units   `yaml:"units"`             // how quantities are shown; absent: metric
	Locale      Locale  `yaml:"locale"`            // how numbers and dates are written, as in en-GB
	Currency    Money   `yaml:"currency"`          // as in EUR
	PricePerKWh []Price `yaml:"price_per_kwh,one"` // one number, or a list by time of day
}

// Place is a point on the earth.
type Place struct {
	Name      string   `yaml:"name"`      // for people
	Latitude  *float64 `yaml:"latitude"`  // degrees, north is positive
	Longitude *float64 `yaml:"longitude"` // degrees, east is positive
}

// Price is what a kWh costs, always or between two times of day.
type Price struct {
	Price float64 `yaml:"price,short"` // in house.currency
	From  Clock   `yaml:"from"`        // time of day, house.zone
	To    Clock   `yaml:"to"`          // time of day; before from: on the next day
}

// Device is one element of the list "devices". With a topic it maps messages;
// without, it only says what the register should know.
type Device struct {
	Device      string            `yaml:"device"`       // id; of a mapping also $.path, or text with {2} for the topic's second level and {key}
	Name        string            `yaml:"name"`         // for people; absent: what its source calls it
	Room        string            `yaml:"room"`         // absent: none
	Physical    []string          `yaml:"physical,one"` // what it is now: ieee addresses, edge/name, topic/name
	Maintenance time.Time         `yaml:"maintenance"`  // until then nothing is told of it
	Topic       []string          `yaml:"topic,one"`    // MQTT filters
	Each        string            `yaml:"each"`         // path of a list: its elements describe a device each, and paths begin there
	Measurement string            `yaml:"measurement"`  // one of the catalogue's, or a new one
	Cadence     time.Duration     `yaml:"cadence"`      // how often a new measurement comes
	Time        Moment            `yaml:"time"`         // where the payload says when; absent: arrival
	Fields      map[string]Field  `yaml:"fields"`       // numbers, by key
	Text        map[string]string `yaml:"text"`         // paths of texts, by key
}

// Field says where a number is and what becomes of it: (value*factor + offset),
// brought from unit into the unit that is kept.
type Field struct {
	Path    string             `yaml:"path,short"` // as in $.key, $.list[0] or $['key']
	Unit    string             `yaml:"unit"`       // of what is sent
	Factor  *float64           `yaml:"factor"`     // absent: 1
	Offset  float64            `yaml:"offset"`     // added after factor
	Words   map[string]float64 `yaml:"words"`      // texts that stand for numbers: {on: 1, off: 0}
	Title   string             `yaml:"title"`      // for people
	Min     *float64           `yaml:"min"`        // what is less is suspect
	Max     *float64           `yaml:"max"`        // what is more is suspect
	Step    float64            `yaml:"step"`       // more within a minute is suspect until it stays
	Counter bool               `yaml:"counter"`    // it only rises: its rise is kept beside it
	Above   *float64           `yaml:"above"`      // tell what is more
	Below   *float64           `yaml:"below"`      // tell what is less
}

// Moment is a path, and the time zone where the payload has none.
type Moment struct {
	Path string `yaml:"path,short"` // as in $.when
	Zone Zone   `yaml:"zone"`       // absent: house.zone
}

// Rule says when a condition is told. Of a default rule only what is given
// changes.
type Rule struct {
	Off      bool          `yaml:"off"`        // the rule is switched off
	Field    string        `yaml:"field"`      // measurement.field, as in air.co2_ppm
	Device   []string      `yaml:"device,one"` // ids; absent: every device that has the field
	Room     []string      `yaml:"room,one"`   // rooms; absent: all
	Unit     string        `yaml:"unit"`       // of above and below; absent: the unit that is kept
	Above    *Threshold    `yaml:"above"`      // fires when the value is more
	Below    *Threshold    `yaml:"below"`      // fires when the value is less
	Silent   time.Duration `yaml:"silent"`     // fires when nothing was said for so long
	Frozen   time.Duration `yaml:"frozen"`     // fires when the value was the same for so long
	For      time.Duration `yaml:"for"`        // told only if it lasts so long
	ClearFor time.Duration `yaml:"clear_for"`  // resolved only if it is over for so long
	Severity Severity      `yaml:"severity"`   // critical is told in quiet hours too
	Remind   time.Duration `yaml:"remind"`     // told again while it lasts and nobody acknowledged it; absent: 24h
	Channel  Channel       `yaml:"channel"`    // where it is told
}

// Threshold is where a condition begins, and where it ends.
type Threshold struct {
	Enter float64  `yaml:"enter,short"` // the condition begins beyond this
	Leave *float64 `yaml:"leave"`       // and ends on the other side of this; absent: by the field
}

// Tile is a tile of the page: one that hearth has, by name, or one of one's own.
type Tile struct {
	Tile  string   `yaml:"tile,short"` // name of one that hearth has: today, weather, air, rooms, power…
	Title string   `yaml:"title"`      // for people
	Show  Show     `yaml:"show"`       // how one's own is drawn; absent: value
	Lines []Line   `yaml:"lines,one"`  // what one's own shows, at most 8
	Room  []string `yaml:"room,one"`   // only these rooms
	Views []string `yaml:"views,one"`  // only in these views of the page; absent: all
}

// Line is one value in a tile.
type Line struct {
	Field  string   `yaml:"field,short"` // measurement.field, as in air.co2_ppm
	Device []string `yaml:"device,one"`  // ids; several are added up
	Title  string   `yaml:"title"`       // for people
	Unit   string   `yaml:"unit"`        // absent: by house.units
}

// Reminder is told once at a date, or again and again.
type Reminder struct {
	Text  string        `yaml:"text"`   // what is told
	On    []Weekday     `yaml:"on,one"` // every week on these days; instead of date
	Date  Date          `yaml:"date"`   // the day, or the first of them
	Every Every         `yaml:"every"`  // with date: again every day, week, month or year
	At    Clock         `yaml:"at"`     // time of day; absent: 09:00
	Ahead time.Duration `yaml:"ahead"`  // told so long before
}

// QuietHours are when only what is critical is told; the rest comes as a digest
// at their end.
type QuietHours struct {
	From Clock     `yaml:"from"`     // time of day, house.zone
	To   Clock     `yaml:"to"`       // time of day; before from: on the next day
	Days []Weekday `yaml:"days,one"` // on which they begin; absent: every day
}
