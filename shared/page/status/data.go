package status

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxItems  = 300 // items that are read of one source
	maxListed = 12  // items that are shown of one source, series of one measurement
	maxDense  = 24  // the same of series with one number each
)

// Inputs are what the page reads. The first three are required.
type Inputs struct {
	Open   func(context.Context) (*store.Store, error)
	Now    func() time.Time
	Redact func(string) string
	// RedactCut is the same for the beginning of a longer text, which may end within a secret.
	RedactCut func(string) string

	Functions func() []Function                                  // the functions of this process, called or not; the store knows the others
	Declared  func() []catalogue.Measurement                     // the measurements of hearth.yml
	Propose   func(topic string, payload []byte) (string, error) // a mapping for hearth.yml
	Notes     func() []string                                    // what a person should know about the platform
	Try       func() string                                      // a command that sends a first reading; "" for none
	Zone      func() string                                      // house.zone of hearth.yml; "" where it is not set
	Hearth    string                                             // the command that runs this program: ".bin/hearth"

	// Gateway returns the address of the gateway through which sources are run again; nil: none.
	Gateway func() string

	// House returns who is told what about alerts; nil: nothing is silenced.
	House func(context.Context, *store.Store, time.Time) (*alert.House, error)

	// Faults makes the simulated sensors of this process fail; nil: it has none.
	Faults *Faults

	// SimulatedSince is when this process began without simulated sensors: simulated devices
	// that have reported nothing since are not shown. Zero: all are shown.
	SimulatedSince time.Time
}

// Data is what the page shows.
type Data struct {
	Now          time.Time     `json:"now"`
	Errors       []string      `json:"errors,omitempty"` // why something could not be read
	Notes        []string      `json:"notes,omitempty"`
	Alerts       Alerts        `json:"alerts"`
	Faults       bool          `json:"-"` // simulated sensors can be made to fail
	Runs         bool          `json:"-"` // sources can be run again
	Rooms        []Room        `json:"rooms"`
	MoreDevices  int           `json:"more_devices,omitempty"`
	Dead         []Dead        `json:"dead,omitempty"`
	MoreDead     bool          `json:"more_dead,omitempty"` // older ones are not listed
	Measurements []Measurement `json:"measurements"`
	Lists        []List        `json:"lists"`
	Functions    []Function    `json:"functions"`
	History      *History      `json:"history,omitempty"` // while it is rolled up, or cannot be
	Sample       bool          `json:"sample"`            // something on the page is sample data
	Zone         string        `json:"zone,omitempty"`    // the time zone of the house; absent: UTC
	Try          string        `json:"-"`
	Hearth       string        `json:"-"`
}

// List is the open items of one source.
type List struct {
	Source string `json:"source"`
	Title  string `json:"title"`
	Items  []Item `json:"items"`
	More   int    `json:"more,omitempty"` // how many are not listed
}

// Item is an item with an address that is safe to link.
type Item struct {
	item.Item
	Link string `json:"-"`
}

// lists groups items by source. Within a source they keep their order.
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
		out[n].Items = append(out[n].Items, Item{i, config.Link(i.URL)})
	}
	slices.SortFunc(out, func(a, b List) int { return strings.Compare(a.Source, b.Source) })
	return out
}
