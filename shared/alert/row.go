package alert

import "time"

// TargetState is what is remembered of a target between runs; the store keeps it.
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
