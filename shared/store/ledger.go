package store

import (
	"time"

	"github.com/hearth-home/hearth/shared/item"
)

// Run is one execution of a function, a row of the ledger.
type Run struct {
	ID        string        `json:"run"`
	Function  string        `json:"function"`
	Trigger   string        `json:"trigger"` // cron, http or backfill
	From      time.Time     `json:"from"`    // span of a backfill, zero for a run for now
	To        time.Time     `json:"to"`
	Started   time.Time     `json:"started"`
	Took      time.Duration `json:"took"`
	Status    string        `json:"status"` // running, ok, partial, failed, died
	Stored    int           `json:"stored"`
	Unchanged int           `json:"unchanged"`
	Error     string        `json:"error,omitempty"`
	Outcomes  []Outcome     `json:"targets"`
	Sample    bool          `json:"sample,omitempty"` // the run used sample data
	Fence     int64         `json:"-"`                // of the run's lease
}

// Outcome is the result of a run for one target.
type Outcome struct {
	Target   string `json:"target"`
	Status   string `json:"status"` // ok, partial, failed, skipped; waiting: its host asked for a pause; off: the upstream does not offer it
	Readings int    `json:"readings"`
	Items    int    `json:"items"`
	Error    string `json:"error,omitempty"`
}

// Target is how a target of a source is doing.
type Target struct {
	Name    string
	Failing time.Time // start of the current failure; zero: the target works
	Reason  string    // of the latest failed run
	LastOK  time.Time // the latest run that worked
}

// List holds the items of one target.
type List struct {
	Source, Target string
	Items          []item.Item
	Complete       bool // close the open items of the target that are not in Items
	FirstSeen      bool // an item without a time gets that of the run that first saw it, except in the target's first list
	Sample         bool
}

// Quota is the number of calls that an upstream allows in each window of time.
type Quota struct {
	Key     string        // "alphavantage"
	Limit   int           // calls per window
	Window  time.Duration // aligned to the unix epoch: 24h is the UTC day
	Reserve int           // calls reserved for the schedule; unscheduled calls leave them
}

// SpentError is returned when a quota allows no further call before Until.
type SpentError struct {
	Key   string
	Until time.Time
}

func (e *SpentError) Error() string {
	return "the quota of " + e.Key + " is spent until " + e.Until.UTC().Format(time.RFC3339)
}
