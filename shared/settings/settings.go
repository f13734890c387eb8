// Package settings reads hearth.yml: what a person decides about the house. It reads
// the file, which is the secret hearth-settings, checks it against one schema and
// returns its sections as values. The packages that use a section decide what its
// settings do.
package settings

import "time"

// File is hearth.yml. Absent sections are zero values.
type File struct {
	House        House           `yaml:"house"`            // where the house is, and how numbers and dates are shown
	Devices      []Device        `yaml:"devices"`          // names and rooms of devices, and mappings of messages
	Rules        map[string]Rule `yaml:"rules"`            // when to alert, by the rule's name: a default rule that is changed or switched off, or a new one
	Tiles        []Tile          `yaml:"tiles"`            // the tiles of the page, in this order; absent: all that hearth has
	Reminders    []Reminder      `yaml:"reminders"`        // texts to send at a date or every week
	QuietHours   []QuietHours    `yaml:"quiet_hours,one"`  // when only critical alerts are sent
	Away         Away            `yaml:"away"`             // until when nobody is at home: then motion and doors are critical, and alerts about comfort are not sent
	Maintenance  []Maintenance   `yaml:"maintenance"`      // work on a room, a device, a node or a bridge: until then no alerts of it are sent
	Certificates []string        `yaml:"certificates,one"` // hosts with TLS whose certificates are watched, as in router.lan or mail.example.org:465
	Expiries     []Expiry        `yaml:"expiries"`         // what else expires: tokens, contracts
	GoodMorning  Clock           `yaml:"good_morning"`     // time of day of the good-morning message; absent: none

	Saved    []string            `yaml:"-"` // mappings that were saved on the page: elements of the section devices. The file wins over them
	Absent   bool                `yaml:"-"` // there is no file
	Mistakes []Mistake           `yaml:"-"` // mistakes and warnings, in the order in which they were found; see Err
	at       map[string]position // the position of each value, by path
	invalid  map[string]bool     // paths with mistakes; see valid
}

// House is where the house is, and how numbers and dates are shown.
type House struct {
	Zone        Zone    `yaml:"zone"`              // time zone as in Europe/Berlin; absent: UTC
	Place       Place   `yaml:"place"`             // for sunrise and sunset
	Units       Units   `yaml:"units"`             // how quantities are shown; absent: metric
	Locale      Locale  `yaml:"locale"`            // how numbers and dates are written, as in en-GB
	Currency    Money   `yaml:"currency"`          // ISO 4217 code, as in EUR
	PricePerKWh []Price `yaml:"price_per_kwh,one"` // one price, or a list of prices by time of day
}

// Place is a point on the earth.
type Place struct {
	Name      string   `yaml:"name"`      // for people
	Latitude  *float64 `yaml:"latitude"`  // degrees, north is positive
	Longitude *float64 `yaml:"longitude"` // degrees, east is positive
}

// Price is the price of a kWh, at all times or between two times of day.
type Price struct {
	Price float64 `yaml:"price,short"` // in house.currency
	From  Clock   `yaml:"from"`        // time of day, house.zone
	To    Clock   `yaml:"to"`          // time of day; before from: on the next day
}

// Device is one element of the list "devices". With a topic it maps messages. Without
// one it sets the name, room and maintenance of a device, and its fields are computed
// from values of devices.
type Device struct {
	Device      []string             `yaml:"device,one"`   // id; in a mapping also $.path, or a text with {$.path}, {2} for the second level of the topic and {key} for the key of each; of a list the first that has all its parts
	Name        string               `yaml:"name"`         // for people; absent: the name that its source has for it
	Room        string               `yaml:"room"`         // absent: none
	Physical    []string             `yaml:"physical,one"` // its present physical ids: IEEE addresses, edge/name, topic/name
	Maintenance time.Time            `yaml:"maintenance"`  // until then no alerts of it are sent
	Topic       []string             `yaml:"topic,one"`    // MQTT filters
	When        map[string][]Literal `yaml:"when,one"`     // only messages with these values, by path: a value or a list of them, with * for any characters
	Each        string               `yaml:"each"`         // path of a list or object in the payload: each element is one device, and the other paths begin at the element, or with $$ at the payload
	Pairs       *Pairs               `yaml:"pairs"`        // where the payload has ids with values; a path without $ is then an id, and takes its value
	Measurement string               `yaml:"measurement"`  // of the catalogue, or a new one; absent: found by the fields
	Cadence     time.Duration        `yaml:"cadence"`      // how often values arrive, for a new measurement
	Time        Moment               `yaml:"time"`         // path of the time in the payload; absent: the time of arrival
	MaxAge      time.Duration        `yaml:"max_age"`      // without a topic: by how much a value of a device may be older than the newest; one that is older counts as missing. Absent: three times the cadence, for Zigbee at least 3h
	Fields      map[string]Field     `yaml:"fields"`       // numbers, by key
	Text        map[string][]Path    `yaml:"text,one"`     // paths of texts, by key; of a list the first that has a text
}

// Pairs is where a payload has ids with values.
type Pairs struct {
	List  Path     `yaml:"list"`      // path of the list or object of pairs; absent: the payload is one pair
	ID    []string `yaml:"id,one"`    // path of the id in a pair, or a text with {$.path}; of a list the first that has all its parts
	Value []Path   `yaml:"value,one"` // path of the value in a pair; of a list the first that has a value
}

// Field says where a number is in the payload and how it is converted: value*factor +
// offset, then from unit to the unit that is stored.
type Field struct {
	Path       []Path             `yaml:"path,short,one"` // as in $.key, $.list[0] or $['key']; of a list the first that has a number
	Sum        []Path             `yaml:"sum,one"`        // the sum of the numbers at these paths, if all are there; [*] stands for all elements of a list. Without a topic: of these values of devices, as in pdu-a.power_watts; * stands for any characters
	Difference []Path             `yaml:"difference"`     // the first number minus the second
	Unit       string             `yaml:"unit"`           // of the payload
	Factor     *float64           `yaml:"factor"`         // absent: 1
	Offset     float64            `yaml:"offset"`         // added after factor
	Words      map[string]float64 `yaml:"words"`          // texts that stand for numbers: {on: 1, off: 0}
	Title      string             `yaml:"title"`          // for people
	Min        *float64           `yaml:"min"`            // a lower value is suspect
	Max        *float64           `yaml:"max"`            // a higher value is suspect
	Step       float64            `yaml:"step"`           // a larger change within a minute is suspect until later values confirm it
	Counter    bool               `yaml:"counter"`        // the value only rises: its rise is stored too
	Above      *float64           `yaml:"above"`          // a higher value is marked on the page
	Below      *float64           `yaml:"below"`          // a lower value is marked on the page
}

// Moment is the path of a time, and the time zone if the payload has none.
type Moment struct {
	Path []Path `yaml:"path,short,one"` // as in $.when; of a list the first that has a time
	Zone Zone   `yaml:"zone"`           // absent: house.zone
}

// Rule says when to alert on a condition. In a default rule, only the given keys
// change: for all devices, or only for those that device and room choose.
type Rule struct {
	Off      bool           `yaml:"off"`        // the rule is switched off
	Title    string         `yaml:"title"`      // for people; absent: made of the field
	Next     string         `yaml:"next"`       // for people: what to do
	Field    string         `yaml:"field"`      // measurement.field, as in air.co2_ppm
	Device   []string       `yaml:"device,one"` // ids; absent: every device that has the field
	Room     []string       `yaml:"room,one"`   // rooms; absent: all
	Unit     string         `yaml:"unit"`       // of above and below; absent: the unit that is stored
	Above    *Threshold     `yaml:"above"`      // alert when the value is higher
	Below    *Threshold     `yaml:"below"`      // alert when the value is lower
	Silent   time.Duration  `yaml:"silent"`     // alert when no value arrived for this long
	Frozen   time.Duration  `yaml:"frozen"`     // alert when the value has not changed for this long
	For      *time.Duration `yaml:"for"`        // alert only if the condition lasts this long
	ClearFor *time.Duration `yaml:"clear_for"`  // resolve only if the condition is over for this long
	Severity Severity       `yaml:"severity"`   // critical alerts are sent in quiet hours too
	Remind   *time.Duration `yaml:"remind"`     // how often the alert is repeated until it is acknowledged or resolved; 0s: never, absent: 24h
	Channel  Channel        `yaml:"channel"`    // where the alert is sent
}

// Threshold is where a condition begins, and where it ends (hysteresis).
type Threshold struct {
	Enter float64  `yaml:"enter,short"` // the condition begins beyond this
	Leave *float64 `yaml:"leave"`       // and ends on the other side of this; absent: the default of the field
}

// Tile is a tile of the page: one that hearth has, by its name, or your own with lines.
type Tile struct {
	Tile  string   `yaml:"tile,short"` // the name of a tile that hearth has: today, weather, air, rooms, power…; with lines also a name for your own
	Title string   `yaml:"title"`      // for people
	Show  Show     `yaml:"show"`       // how your own tile is drawn; absent: value
	Lines []Line   `yaml:"lines,one"`  // the values in your own tile, at most 8; in the tile power the groups whose power is shown
	Room  []string `yaml:"room,one"`   // only these rooms
	Views []string `yaml:"views,one"`  // only in these views of the page, as in ?view=wall; absent: all
}

// Line is one value in a tile.
type Line struct {
	Field  string            `yaml:"field,short"` // measurement.field, as in air.co2_ppm
	Device []string          `yaml:"device,one"`  // ids; several are added up, or their mean is shown where a sum means nothing, as of temperatures; absent: each device is a line
	Labels map[string]string `yaml:"labels"`      // of values that are not of devices: which, as in {place: berlin}; absent: each is a line
	Title  string            `yaml:"title"`       // for people
	Unit   string            `yaml:"unit"`        // absent: by house.units
	Min    *float64          `yaml:"min"`         // where a bar begins, in the unit that is shown; absent: by the field
	Max    *float64          `yaml:"max"`         // where a bar ends
}

// Reminder is a text that is sent once at a date, or repeatedly.
type Reminder struct {
	Text    string        `yaml:"text"`    // the text to send
	On      []Weekday     `yaml:"on,one"`  // every week on these days; instead of date
	Date    Date          `yaml:"date"`    // the day, or the first of the days
	Every   Every         `yaml:"every"`   // with date: repeat every day, week, month or year
	At      Clock         `yaml:"at"`      // time of day; absent: 09:00
	Ahead   time.Duration `yaml:"ahead"`   // send it this long before
	Channel Channel       `yaml:"channel"` // where it is sent; absent: products
}

// QuietHours are when only critical alerts are sent. The others are sent as a digest
// at the end.
type QuietHours struct {
	From Clock     `yaml:"from"`     // time of day, house.zone
	To   Clock     `yaml:"to"`       // time of day; before from: on the next day
	Days []Weekday `yaml:"days,one"` // on which they begin; absent: every day
}

// Away is until when nobody is at home.
type Away struct {
	Until time.Time `yaml:"until,short"` // a day without a time ends at its beginning
}

// Maintenance is work on one thing. From its beginning to its end, no alerts are sent of it
// or of what depends on it.
type Maintenance struct {
	Room   string    `yaml:"room"`   // all devices in it
	Device string    `yaml:"device"` // id
	Node   string    `yaml:"node"`   // name of an edge agent, with all its sensors
	Bridge string    `yaml:"bridge"` // base topic of a Zigbee2MQTT, with all its devices
	From   time.Time `yaml:"from"`   // its beginning; absent: when it is written here
	Until  time.Time `yaml:"until"`  // its end
}

// Expiry is a day on which something expires.
type Expiry struct {
	Name string `yaml:"name"` // for people
	Date Date   `yaml:"date"` // the day
}
