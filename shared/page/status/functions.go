package status

import (
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// State is the state of a function.
type State string

const (
	Live         State = "live"
	Sample       State = "sample" // it uses sample data
	Unconfigured State = "not configured"
	Broken       State = "broken"  // it cannot start
	Overdue      State = "overdue" // it missed its schedule
)

// Function is one function and its state.
type Function struct {
	Name     string     `json:"name"`
	About    string     `json:"about,omitempty"` // one line for a person
	State    State      `json:"state"`
	Missing  []string   `json:"missing,omitempty"` // the settings and secrets that it lacks
	Reason   string     `json:"reason,omitempty"`  // why it cannot start
	Schedule string     `json:"schedule,omitempty"`
	Topic    string     `json:"topic,omitempty"` // the MQTT filters of its messages
	Next     time.Time  `json:"next,omitzero"`
	Seen     time.Time  `json:"seen,omitzero"` // when it was last called, to the minute
	Last     *store.Run `json:"last,omitempty"`
}

// merge returns the functions of this process and those that the store has seen, by
// name.
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

// elsewhere returns the state of a function that runs in another process.
func elsewhere(f store.Function, now time.Time) Function {
	row := Function{Name: f.Name, State: Live, Schedule: f.Schedule, Seen: f.LastSeen}
	switch {
	case f.Period > 0 && now.Sub(f.LastSeen) > 2*f.Period+time.Minute: // a call is recorded at most once a minute
		row.State = Overdue
	case !f.Configured:
		row.State = Unconfigured
	}
	if plan, err := serve.ParseSchedule(f.Schedule); err == nil {
		row.Next = plan.Next(now.UTC())
	}
	return row
}
