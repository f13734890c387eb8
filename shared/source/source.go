// Package source turns a fetch of an upstream into an OpenFaaS function: run
// now, backfill a window, dry run, one lease, one row in the ledger, one status
// code, one message to Slack when a target starts to fail and one when it works
// again.
package source

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

// Source is one upstream and what to ask of it.
type Source struct {
	Name    string          // the function: "weather"
	Needs   []secret.String // without them it is not configured
	Setting string          // the variable that holds the list of targets: "WEATHER_PLACES"
	Targets []string        // each has its own outcome; none: not configured

	// Fetch asks the upstream about one target; it stores nothing. It is called
	// for several targets at once. The client is the run's: the same question
	// reaches the upstream once, so targets may share a document, and each request
	// counts against the target's Quota.
	Fetch func(ctx context.Context, client *fetch.Client, target string, w Window) (Batch, error)

	// Step is how much of its history one Fetch asks for. 0: it has none.
	Step time.Duration
	// Quota limits the upstream's calls; nil, or nil for a target: no limit.
	Quota func(target string) *store.Quota
	// Fits is how many of the targets one run can ask for within what the
	// upstream allows a minute; 0: all. Those after them are not asked and fail.
	Fits int
	// Tell gives the message for an item that opened or closed; nil: none.
	Tell func(item.Change) (text string, ok bool)
	// TellOnce says that this item, should it come back, is no news; nil: it is.
	TellOnce func(item.Item) bool
	// Patience is how long a target may fail so before Slack hears of it.
	Patience func(error) time.Duration
}

// Window is the span asked for, From included, To not. Both zero: now.
type Window struct{ From, To time.Time }

// Now reports whether the newest is asked for, not a span of history.
func (w Window) Now() bool { return w.From.IsZero() }

// Batch is what one Fetch found.
type Batch struct {
	Readings []reading.Reading
	Items    []item.Item // Source and Target are filled in
	// Complete says that Items is the whole list, every page came, and what is
	// no longer on it is closed.
	Complete bool
	Warnings []string // what a person should know although it worked
}

// Answer is what a run answers over HTTP.
type Answer struct {
	Run       string            `json:"run,omitempty"`
	Function  string            `json:"function"`
	Status    string            `json:"status"` // ok, partial, failed, not_configured, running, dry_run
	Stored    int               `json:"stored"`
	Unchanged int               `json:"unchanged"`
	TookMS    int64             `json:"took_ms"`
	Warnings  []string          `json:"warnings"`
	Error     string            `json:"error,omitempty"`
	Targets   []store.Outcome   `json:"targets,omitempty"`
	Missing   []string          `json:"missing,omitempty"` // what a source that is not configured waits for
	Next      string            `json:"next,omitempty"`    // a backfill goes on with from=next
	Sample    bool              `json:"sample,omitempty"`
	Readings  []reading.Reading `json:"readings,omitempty"` // dry run: what would be stored; show: what was decoded
	Items     []item.Item       `json:"items,omitempty"`    // the same
}
