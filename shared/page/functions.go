package page

import (
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// State says how a function stands.
type State string

const (
	Live         State = "live"
	Sample       State = "sample" // it works on sample data
	Unconfigured State = "not configured"
	Broken       State = "broken"  // it cannot start
	Overdue      State = "overdue" // it missed its schedule
)

// Function is how a function stands.
type Function struct {
	Name     string     `json:"name"`
	About    string     `json:"about,omitempty"` // one line for a person
	State    State      `json:"state"`
	Missing  []string   `json:"missing,omitempty"` // what would make it live
	Reason   string     `json:"reason,omitempty"`  // why it is broken
	Schedule string     `json:"schedule,omitempty"`
	Topic    string     `json:"topic,omitempty"` // of the messages that call it
	Next     time.Time  `json:"next,omitzero"`
	Seen     time.Time  `json:"seen,omitzero"` // when it was last called, to the minute
	Last     *store.Run `json:"last,omitempty"`
}

// merge adds to the functions that run here those that were seen, by name: what
// was never seen and does not run here is not there.
func merge(here []Function, seen []store.Function, now time.Time) []Function {
	out := slices.Clone(here)
	for _, f := range seen {
		if i := slices.IndexFunc(out, func(o Function) bool { return o.Name == f.Name }); i >= 0 {
			out[i].Seen = f.LastSeen
			continue
		}
		out = append(out, elsewhere(f, now))
	}
	for i := range out {
		out[i].About = catalogue.FamilyOf(out[i].Name).About
	}
	slices.SortStableFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// elsewhere is a function of which only its own word is known.
func elsewhere(f store.Function, now time.Time) Function {
	row := Function{Name: f.Name, State: Live, Schedule: f.Schedule, Seen: f.LastSeen}
	switch {
	case f.Period > 0 && now.Sub(f.LastSeen) > 2*f.Period+time.Minute: // it is noted at most once a minute
		row.State = Overdue
	case !f.Configured:
		row.State = Unconfigured
	}
	if plan, err := serve.ParseSchedule(f.Schedule); err == nil {
		row.Next = plan.Next(now.UTC())
	}
	return row
}
