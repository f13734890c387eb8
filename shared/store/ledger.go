package store

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
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

// TargetState is what is remembered of a target between runs.
type TargetState struct {
	Target  string
	Failing time.Time // since when it fails without a break; zero: it works
	Told    bool      // Slack was told of this failure
	Reason  string    // of the last failure
	LastOK  time.Time
}

// Message is a text for Slack. It is sent once per Key, whatever is rerun.
type Message struct {
	Key     string // "feeds/rpilocator/<guid>"
	Channel string // what it is about: "failures", "news"
	Text    string
	Created time.Time
	Tries   int // how often sending it failed so far
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
	Key    string        // "alphavantage"
	Limit  int           // calls per window
	Window time.Duration // aligned to the epoch in UTC: 24h is the UTC day
	Spare  int           // calls that today's schedule still needs; a call that is not scheduled leaves them
}

// SpentError says that a quota allows no further call before Until.
type SpentError struct {
	Key   string
	Until time.Time
}

// Begin takes the function's lease for ttl and writes the run as running; it
// sets ID (if empty), Started (if zero), Status and Fence. It answers ErrRunning while another run holds the
// lease; a lease that has expired closes its run as died.
func (s *Store) Begin(ctx context.Context, r Run, ttl time.Duration) (Run, error) { panic("stub") }

// SaveItems stores the lists in one transaction under the run's fence and
// queues what tell makes of the changes. stored counts new, changed, reopened
// and closed items.
func (s *Store) SaveItems(ctx context.Context, r Run, lists []List, tell func(item.Change) (Message, bool)) (stored, unchanged int, err error) {
	panic("stub")
}

// Merge writes those readings that are not stored already with equal values.
func (s *Store) Merge(ctx context.Context, rs []reading.Reading) (stored, unchanged int, err error) {
	panic("stub")
}

// Finish closes the run, replaces the states of the targets it names and queues
// the messages, in one transaction that also gives the lease back. It answers
// ErrFenced, and writes nothing, if the lease went to a later run.
func (s *Store) Finish(ctx context.Context, r Run, states []TargetState, messages []Message) error {
	panic("stub")
}

// Targets returns what is remembered of a function's targets, by name.
func (s *Store) Targets(ctx context.Context, function string) (map[string]TargetState, error) {
	panic("stub")
}

// Runs returns the newest runs of a function ("" means of all), newest first.
func (s *Store) Runs(ctx context.Context, function string, limit int) ([]Run, error) { panic("stub") }

// OpenItems returns the open items of a source ("" means of all), newest first.
func (s *Store) OpenItems(ctx context.Context, source string, limit int) ([]item.Item, error) {
	panic("stub")
}

// Take counts n calls against the quota, all or none; SpentError if they do
// not fit. scheduled calls may use the whole limit; others leave Spare.
func (s *Store) Take(ctx context.Context, q Quota, n int, scheduled bool, now time.Time) error {
	panic("stub")
}

// HasSamples reports whether there are sample runs or items of a function.
func (s *Store) HasSamples(ctx context.Context, function string) (bool, error) { panic("stub") }

// DropSampleRows deletes the sample runs and items of a function and reports
// whether there were any.
func (s *Store) DropSampleRows(ctx context.Context, function string) (bool, error) { panic("stub") }

// Lease takes the named lease for ttl and returns its fence; ErrRunning while
// someone holds it.
func (s *Store) Lease(ctx context.Context, name, owner string, ttl time.Duration) (int64, error) {
	panic("stub")
}

// Release gives the lease back if fence still holds it.
func (s *Store) Release(ctx context.Context, name string, fence int64) error { panic("stub") }

// Due returns unsent messages whose time has come, oldest first.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]Message, error) { panic("stub") }

// Sent marks a message as sent.
func (s *Store) Sent(ctx context.Context, key string, now time.Time) error { panic("stub") }

// Postpone counts a failed try and keeps the message until next.
func (s *Store) Postpone(ctx context.Context, key, reason string, next time.Time) error {
	panic("stub")
}

// Open connects by URL. It checks the schema version: ErrNotMigrated.
func Open(ctx context.Context, c Config) (*Store, error) { panic("stub") }

func (e *SpentError) Error() string {
	return "the quota of " + e.Key + " is spent until " + e.Until.UTC().Format(time.RFC3339)
}
