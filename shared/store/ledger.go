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
	From      time.Time     `json:"from"`    // the window asked for; zero: now
	To        time.Time     `json:"to"`
	Started   time.Time     `json:"started"`
	Took      time.Duration `json:"took"`
	Status    string        `json:"status"` // running, ok, partial, failed, died
	Stored    int           `json:"stored"`
	Unchanged int           `json:"unchanged"`
	Error     string        `json:"error,omitempty"`
	Outcomes  []Outcome     `json:"targets"`
	Sample    bool          `json:"sample,omitempty"` // it ran on sample data
	Fence     int64         `json:"-"`                // number of the lease it runs under
}

// Outcome is what became of one target in a run.
type Outcome struct {
	Target   string `json:"target"`
	Status   string `json:"status"` // ok, failed, skipped
	Readings int    `json:"readings"`
	Items    int    `json:"items"`
	Error    string `json:"error,omitempty"`
}

// List is the items of one target.
type List struct {
	Source, Target string
	Items          []item.Item
	Complete       bool // what is open and no longer on the list is closed
	Sample         bool
}

// Quota is a budget that an upstream grants per window of time.
type Quota struct {
	Key     string        // "alphavantage"
	Limit   int           // calls per window
	Window  time.Duration // aligned to the epoch in UTC: 24h is the UTC day
	Reserve int           // calls reserved for the schedule; unscheduled calls leave them
}

// SpentError says that a quota allows no further call before Until.
type SpentError struct {
	Key   string
	Until time.Time
}

func (e *SpentError) Error() string {
	return "the quota of " + e.Key + " is spent until " + e.Until.UTC().Format(time.RFC3339)
}
