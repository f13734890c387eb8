package page

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxItems  = 300 // read of one source
	maxListed = 12  // items of one source, series of one measurement
	maxDense  = 24  // series of one number each
)

// Source is where the page looks. What is nil below Redact says nothing.
type Source struct {
	Open   func(context.Context) (*store.Store, error)
	Now    func() time.Time
	Redact func(string) string

	Functions func() []Function                                  // those that run here, called or not; they are listed beside those that the store has seen
	Declared  func() []catalogue.Measurement                     // what hearth.yml adds
	Propose   func(topic string, payload []byte) (string, error) // a block for hearth.yml
	Notes     func() []string                                    // what a person should know of the platform
	Try       func() string                                      // a command that brings a first reading; "" for none
	Zone      func() string                                      // house.zone of hearth.yml; "" where it is not given
	Hearth    string                                             // how this program is called: ".bin/hearth"
}

// Data is what the page shows.
type Data struct {
	Now          time.Time     `json:"now"`
	Errors       []string      `json:"errors,omitempty"` // what could not be read
	Notes        []string      `json:"notes,omitempty"`
	Rooms        []Room        `json:"rooms"`
	MoreDevices  int           `json:"more_devices,omitempty"`
	Dead         []Dead        `json:"dead,omitempty"`
	MoreDead     bool          `json:"more_dead,omitempty"` // older ones are not listed
	Measurements []Measurement `json:"measurements"`
	Lists        []List        `json:"lists"`
	Functions    []Function    `json:"functions"`
	Sample       bool          `json:"sample"`         // something on the page is sample data
	Zone         string        `json:"zone,omitempty"` // of the house; absent: UTC
	Try          string        `json:"-"`
	Hearth       string        `json:"-"`
}

// List is the open items of one source.
type List struct {
	Source string `json:"source"`
	Title  string `json:"title"`
	Items  []Item `json:"items"`
	More   int    `json:"more,omitempty"` // not listed
}

// Item is an item with an address that is safe to link.
type Item struct {
	item.Item
	Link string `json:"-"`
}

// lists groups items by source, the newest first.
func lists(items []item.Item) []List {
	out := []List{}
	for _, i := range items {
		n := slices.IndexFunc(out, func(l List) bool { return l.Source == i.Source })
		if n < 0 {
			out = append(out, List{Source: i.Source, Title: catalogue.FamilyOf(i.Source).Title})
			n = len(out) - 1
		}
		if len(out[n].Items) == maxListed {
			out[n].More++
			continue
		}
		out[n].Items = append(out[n].Items, Item{i, link(i.URL)})
	}
	slices.SortFunc(out, func(a, b List) int { return strings.Compare(a.Source, b.Source) })
	return out
}

// link returns an address that a click may follow, or "".
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}
