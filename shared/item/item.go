// Package item defines Item: one line of a list that a person reads, such as a
// task, a feed entry or a security alert.
package item

import "time"

// Item is open from the first run that saw it until its source closes it.
type Item struct {
	Source     string            `json:"source"` // the function: "asana"
	Target     string            `json:"target"` // the list it is on: a project, a feed, a repository
	ID         string            `json:"id"`     // the source's own id, unique within source and target
	Title      string            `json:"title"`
	URL        string            `json:"url,omitempty"`
	At         time.Time         `json:"at"`                   // the source's clock, UTC: created, published, due
	Attributes map[string]string `json:"attributes,omitempty"` // what else a person wants to see; times as RFC 3339
	Sample     bool              `json:"sample,omitempty"`     // a recorded answer, shown until there is a key
}

// Key identifies the item across runs.
func (i Item) Key() string { return i.Source + "/" + i.Target + "/" + i.ID }

// A Change is what storing a list did to one item.
type Change struct {
	Item   Item
	Opened bool      // new, or open again; false: closed
	When   time.Time // when hearth saw it
}
