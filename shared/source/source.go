// Package source turns a fetch from an upstream into an OpenFaaS function. It
// adds runs for now, backfills and dry runs. Each run holds one lease, writes one
// row to the ledger and answers one status code. A target that fails raises an alert
// (rule source-failing): a person gets one message when it starts to fail, one when it
// fails for a cause of another kind, which the owner can mend, and one when it works again.
package source

import (
	"context"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

// Source is one upstream and the targets to fetch from it.
type Source struct {
	Name    string          // the function's name: "weather"
	Needs   []secret.String // required secrets; if one is absent, the source is not configured
	Setting string          // the variable that lists the targets: "WEATHER_PLACES"
	Targets []string        // each has its own outcome; without any, the source is not configured

	// Fetch requests one target from the upstream and stores nothing. It is called
	// concurrently for several targets. All calls of a run share the client, which
	// sends identical requests once, so targets may share a document. Each request
	// counts against the target's Quota.
	Fetch func(ctx context.Context, client *fetch.Client, target string, w Window) (Batch, error)

	// Step is the longest window of one Fetch in a backfill. 0: the source has no
	// history and refuses backfills.
	Step time.Duration
	// Quota returns the quota that limits a target's requests. A nil function or a
	// nil quota means no limit, as does sample data.
	Quota func(target string) *store.Quota
	// MaxTargets is how many targets one run can fetch within the upstream's
	// limit per minute. Targets after it fail without a request. 0: no limit.
	MaxTargets int
	// Alert returns what the alert about an item that opened or closed says: its key, rule,
	// severity, title and text. The alert fires when the item opens and resolves when it
	// closes. ok is false if the item raises none. A nil function means no alerts.
	Alert func(item.Change) (o alert.Observation, ok bool)
	// Notify returns the message for an item that opened or closed and raises no alert; ok
	// is false if there is none. A nil function means no messages.
	Notify func(item.Change) (text string, ok bool)
	// Channel is where the messages of Notify go; "": products.
	Channel alert.Channel
	// NotifyOnce reports whether an item that opens again after it was closed
	// sends no second message. A nil function means that it sends one.
	NotifyOnce func(item.Item) bool
	// Host returns the host that a target is fetched from. Targets of one host are fetched
	// one after the other, the one that had its turn the longest ago first. When the host asks for
	// a pause (429, or 503 with Retry-After), this holds for all of them, also in later
	// runs. A nil function means that targets share no host.
	Host func(target string) string
	// AlertAfter returns how long a target must keep failing with this error
	// before an alert is sent. A nil function means at once.
	AlertAfter func(error) time.Duration
}

// Window is a span of history: From is included, To is not. The zero Window
// means the newest data, without history.
type Window struct{ From, To time.Time }

// Now reports whether w asks for the newest data, not for history.
func (w Window) Now() bool { return w.From.IsZero() }

// Batch is the result of one Fetch.
type Batch struct {
	Readings []reading.Reading
	Items    []item.Item // without Source and Target: the caller of Fetch sets them
	// Complete means that Items is the whole list, from every page. Stored items
	// that are not in it are then closed.
	Complete bool
	// FirstSeen means that an item without a time counts as of when it was first seen. In the
	// first list of a target it has no time: how old it is, is not known.
	FirstSeen bool
	Warnings  []string // problems that did not fail the fetch
	// Failed is why a part of the target is not in the batch. What is in it is stored; the
	// target fails all the same, until all of it comes again.
	Failed error
}

// Off returns an error that says that the upstream does not offer a target to us: a feature
// is off, or the key may not read it. It is no failure, but a warning, as long as the target
// never worked.
func Off(err error) error { return &offError{err} }

type offError struct{ error }

func (e *offError) Unwrap() error { return e.error }

// LeftOut returns the warning about what a source could not read and left out: the first
// of it, and how many more there are. It is empty without any.
func LeftOut(what []string) []string {
	switch len(what) {
	case 0:
		return nil
	case 1:
		return []string{"left out: " + what[0]}
	}
	return []string{fmt.Sprintf("left out: %s, and %d more", what[0], len(what)-1)}
}

// Answer is the JSON body that a call is answered with.
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
	Missing   []string          `json:"missing,omitempty"` // the secrets and settings that a source needs before it is configured
	Next      string            `json:"next,omitempty"`    // the backfill is not finished: call again with from=next
	Sample    bool              `json:"sample,omitempty"`
	Readings  []reading.Reading `json:"readings,omitempty"` // dry run: what it would store; show: what it decoded
	Items     []item.Item       `json:"items,omitempty"`    // the same for items
}
