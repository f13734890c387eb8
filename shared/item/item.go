// Package item defines Item: one line of a list that a person reads, such as a
// task, a feed entry or a security alert.
package item

import "time"

// Item is one entry of a source's list. It is open from the first run that finds it
// until its source closes it.
type Item struct {
	Source     string            `json:"source"` // the function: "asana"
	Target     string            `json:"target"` // the list that contains it: a project, a feed, a repository
	ID         string            `json:"id"`     // the source's own id, unique within source and target
	Title      string            `json:"title"`
	URL        string            `json:"url,omitempty"`
	At         time.Time         `json:"at"`                   // created, published or due; by the source's clock, UTC
	Attributes map[string]string `json:"attributes,omitempty"` // further values, for messages, queries and tiles: an event of a calendar has start and end. Times are in RFC 3339, or days as 2006-01-02
	Sample     bool              `json:"sample,omitempty"`     // from a recorded answer, shown until the source has a key
}

// Key identifies the item across runs: "asana/Home/120001".
func (i Item) Key() string { return i.Source + "/" + i.Target + "/" + i.ID }

// Change is an item that was opened or closed when its list was stored.
type Change struct {
	Item   Item
	Opened bool      // true: new or open again; false: closed
	When   time.Time // of the run that stored the list
	// Former is, for an item that opened, another one with the same title and URL that closed
	// at the same time: its source may have given it a new id. nil: there is none.
	Former *Item
}
