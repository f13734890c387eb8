// Package glance makes the tiles of the page: what each of them shows of the house at one
// moment. A tile is a file with its data, one with its markup and one with its style:
// weather.go, weather.html, weather.css. All words that a person reads are in
// shared/page/texts.
package glance

import (
	"context"
	"html/template"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// Tile is what one tile shows.
type Tile struct {
	ID     string           // of its element, unique on the page: the kind's name; of the user's own tiles "own-1"
	Title  string           // "Rooms"
	Body   template.HTML    // below the title
	Needs  []Need           // what in it needs a person; the page lists it at the top
	At     time.Time        // when the value that ages first was measured or fetched; zero: nothing ages
	Stale  time.Duration    // after this the tile is grey, since its values are old; 0: never
	Sample bool             // it shows sample data
	Plots  []history.Series // what is plotted when a person clicks it; none: it has no history

	kind *kind
}

// Need is one line of what needs a person.
type Need struct {
	Severity alert.Severity
	What     string        // "Office CO₂", "Renew the firewall's certificate"
	Value    template.HTML // "1 412 ppm", "2 days late", "silent"
	Rest     template.HTML // "above 1 200 since 13:41 · air the room"
	Alert    string        // key of the alert, for acknowledging; "": it is none
	Acked    bool          // a person has acknowledged it: it is not counted
	Link     string        // where it can be dealt with; "": nowhere
	Since    time.Time
	Sample   bool

	aside string // why it is not counted: acknowledged, silenced or maintained; "": it is counted
}

// kind is a kind of tile.
type kind struct {
	name    string // in hearth.yml and addresses: "weather"
	title   string
	private bool   // not for guests: tasks, markets, health, GitHub. Its data is not read for them
	guests  bool   // only for guests
	past    bool   // it can be shown as it stood at an earlier time
	cell    string // kinds of the same cell stand in one column, one below the other; "": alone
	// collect returns what the tile shows, nil if there is nothing to show: what it draws is
	// not configured. An error is what could not be read; the tile is shown if there is one.
	collect func(context.Context, *world) (*Tile, error)
}

// kinds are all kinds of tiles, in the order of a page about which hearth.yml says nothing.
var kinds = []kind{
	{name: "weather", title: texts.Say("tiles.weather"), past: true, collect: weather},
	{name: "today", title: texts.Say("tiles.today"), private: true, past: true, collect: today},
	{name: "air", title: texts.Say("tiles.air"), past: true, collect: air},
	{name: "rooms", title: texts.Say("tiles.rooms"), past: true, collect: rooms},
	{name: "power", title: texts.Say("tiles.power"), past: true, collect: power},
	{name: "house", title: texts.Say("tiles.house"), cell: "house", collect: house},
	{name: "computers", title: texts.Say("tiles.computers"), past: true, cell: "house", collect: computers},
	{name: "stocks", title: texts.Say("tiles.stocks"), private: true, past: true, collect: stocks},
	{name: "curve", title: texts.Say("tiles.curve"), private: true, past: true, collect: curve},
	{name: "github", title: texts.Say("tiles.github"), private: true, past: true, collect: github},
	{name: "news", title: texts.Say("tiles.news"), past: true, collect: news},
	{name: "ups", title: texts.Say("tiles.ups"), past: true, collect: ups},
	{name: "new", title: texts.Say("tiles.new"), private: true, collect: fresh},
	{name: "wifi", title: texts.Say("tiles.wifi"), guests: true, collect: wifi},
}
