package page

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxItems  = 300 // read of one source
	maxListed = 12  // items of one source, series of one measurement
	maxDense  = 24  // series of one number each
)

// Source is where the page looks.
type Source struct {
	Functions []host.Function
	Next      func(function string) time.Time
	Missing   func(function string) []string // what it said it lacks at its last call
	Open      func(context.Context) (*store.Store, error)
	Now       func() time.Time
	Redact    func(string) string

	Declared func() []catalogue.Measurement                     // what hearth.yml adds
	Propose  func(topic string, payload []byte) (string, error) // a block for hearth.yml
	Notes    func() []string                                    // what a person should know of the platform
	Try      func() string                                      // a command that brings a first reading; "" for none
	Zone     func() string                                      // house.zone of hearth.yml; "" where it is not given
	Hearth   string                                             // how this program is called: ".bin/hearth"
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
	Sample       bool          `json:"sample"`         // something on the page is invented
	Zone         string        `json:"zone,omitempty"` // of the house; absent: UTC
	Try          string        `json:"-"`
	Hearth       string        `json:"-"`
}

// Function is one row of the first table.
type Function struct {
	Name     string     `json:"name"`
	State    host.State `json:"state"`
	Missing  []string   `json:"missing,omitempty"` // what would make it live
	Reason   string     `json:"reason,omitempty"`
	Schedule string     `json:"schedule,omitempty"`
	Topic    string     `json:"topic,omitempty"`
	Next     time.Time  `json:"next,omitzero"`
	Last     *store.Run `json:"last,omitempty"`
}

// List is the open items of one source.
type List struct {
	Source string `json:"source"`
	Items  []Item `json:"items"`
	More   int    `json:"more,omitempty"` // not listed
}

// Item is an item with an address that is safe to link.
type Item struct {
	item.Item
	Link string `json:"-"`
}

func (s Source) function(f host.Function) Function {
	row := Function{Name: f.Name, State: f.State, Missing: f.Missing, Reason: f.Reason,
		Schedule: f.Schedule(), Next: s.Next(f.Name)}
	if row.Schedule == "" {
		row.Topic = strings.Join(f.Topics(), ", ")
	}
	if lacks := s.Missing(f.Name); len(lacks) > 0 && f.State == host.Live {
		row.State, row.Missing = host.Unconfigured, lacks
	}
	return row
}

// lists groups items by source, the newest first.
func lists(items []item.Item) []List {
	out := []List{}
	for _, i := range items {
		n := slices.IndexFunc(out, func(l List) bool { return l.Source == i.Source })
		if n < 0 {
			out = append(out, List{Source: i.Source})
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
