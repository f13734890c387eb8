package alert

import (
	"slices"
	"time"
)

// Phase is where an alert is between its first sign and its end.
type Phase string

// The phases of an alert. The zero Phase means that the condition does not hold and
// that nothing is remembered of it.
const (
	Pending  Phase = "pending"  // the condition holds, but not yet for long enough
	Firing   Phase = "firing"   // the condition holds
	Unknown  Phase = "unknown"  // it was firing when its data stopped: only new data resolves it
	Resolved Phase = "resolved" // the condition is over
)

// Severity is how urgent an alert is.
type Severity string

// The severities. Only Critical is sent in quiet hours.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Channel is what an alert or a message is about. Each channel may have a webhook or a
// Slack channel of its own.
type Channel string

// The channels.
const (
	Pipelines Channel = "pipelines" // sources, functions, the store, the broker
	Devices   Channel = "devices"   // silent and frozen sensors, batteries
	Climate   Channel = "climate"   // air, temperature, humidity
	Hardware  Channel = "hardware"  // UPS, computers, power
	Security  Channel = "security"  // water, smoke, doors, certificates, vulnerable dependencies
	Products  Channel = "products"  // entries of feeds, products in stock
)

// Channels lists all channels.
var Channels = []Channel{Pipelines, Devices, Climate, Hardware, Security, Products}

// Spec is what a rule decides for its alerts.
type Spec struct {
	Rule     string        `json:"rule"` // name of the rule: "air-co2-high"
	Channel  Channel       `json:"channel"`
	Severity Severity      `json:"severity"`
	Title    string        `json:"title"`             // "CO₂ is high"
	Next     string        `json:"next,omitempty"`    // what to do: "Open a window"
	For      time.Duration `json:"for,omitempty"`     // how long the condition must hold before the alert fires
	ClearFor time.Duration `json:"clear,omitempty"`   // how long the condition must be over before the alert resolves
	Remind   time.Duration `json:"remind,omitempty"`  // how often the alert is repeated until it is acknowledged; 0: never
	Comfort  bool          `json:"comfort,omitempty"` // it is not sent while the house is empty (away)
}

// Subject is what an alert is about, and what that depends on.
type Subject struct {
	Device      string   `json:"device,omitempty"` // id
	Name        string   `json:"name,omitempty"`   // of the device, target or host, for people
	Room        string   `json:"room,omitempty"`
	Measurement string   `json:"measurement,omitempty"`
	Field       string   `json:"field,omitempty"`    // key of the field, of a device's metric too
	Function    string   `json:"function,omitempty"` // of a source or another function
	Target      string   `json:"target,omitempty"`   // of the function
	Parents     []string `json:"parents,omitempty"`  // what it depends on, the nearest first: node/ID, bridge/ID, broker
	Roots       []string `json:"roots,omitempty"`    // keys of the alerts that explain this one while they are open
}

// Verdict is what an observation says of a rule's condition.
type Verdict int

// The verdicts of an observation.
const (
	NoData  Verdict = iota // the data has stopped, so nothing is known
	Good                   // the condition is over
	Between                // neither: the value is between the thresholds for enter and leave
	Bad                    // the condition holds
)

// Observation is what a rule saw at one moment.
type Observation struct {
	Key string // of the alert: the rule's name and the subject: "air-co2-high/office-air/co2_ppm"
	Spec
	Subject
	Verdict Verdict
	At      time.Time // of the evidence, by the source's clock; of NoData when that was found
	Text    string    // the condition for a person: "CO₂ is 1,620 ppm, above 1,500"
	Value   *float64  // the number that was judged; nil: none
	Limit   *float64  // the threshold that it was compared with
	Unit    string    // of Value and Limit
	Below   bool      // the condition is a value below Limit: the lowest value is the worst
	Good    *float64  // the last good value before, where it is not Value
	GoodAt  time.Time
	LastOK  time.Time // when all was last well
	Cause   string    // the kind of a cause that the owner can mend, one word: there is one message for each
	Level   int       // grows as the condition gets worse, from one day left to the next: each rise is told
	Sample  bool      // of sample or simulated data: its messages never leave the machine
	Group   string    // begins the group of its notices: those of one run, that say the same, become one message; "": none
}

// State is an alert: what is known of it, and what a person was told. The store keeps it.
type State struct {
	Key string `json:"key"`
	Spec
	Subject
	Phase    Phase     `json:"phase"`
	Text     string    `json:"text,omitempty"`
	Value    *float64  `json:"value,omitempty"` // the latest
	Limit    *float64  `json:"limit,omitempty"`
	Worst    *float64  `json:"worst,omitempty"` // of the episode
	Unit     string    `json:"unit,omitempty"`
	Below    bool      `json:"below,omitempty"`
	Good     *float64  `json:"good,omitempty"` // the last good value before
	GoodAt   time.Time `json:"good_at,omitzero"`
	LastOK   time.Time `json:"last_ok,omitzero"`
	Causes   []string  `json:"causes,omitempty"`    // the kinds of cause in this episode
	Level    int       `json:"level,omitempty"`     // of the latest observation
	NewCause bool      `json:"new_cause,omitempty"` // the last of Causes, a rise of Level, or that it became critical, is not told yet
	Sample   bool      `json:"sample,omitempty"`
	Since    time.Time `json:"since,omitzero"`    // when the condition began
	Fired    time.Time `json:"fired,omitzero"`    // when it fired
	Clearing time.Time `json:"clearing,omitzero"` // since when the condition is over; zero: it is not
	Stopped  time.Time `json:"stopped,omitzero"`  // when the data stopped (Unknown)
	Ended    time.Time `json:"ended,omitzero"`    // when it resolved
	Gone     bool      `json:"gone,omitempty"`    // it ended because its target, device or rule is gone from the settings
	Seen     time.Time `json:"seen,omitzero"`     // time of the latest evidence

	Episode  int64       `json:"episode,omitempty"`  // counts how often it has fired
	Changes  []time.Time `json:"changes,omitempty"`  // when it fired or resolved in the last hour
	Flapping time.Time   `json:"flapping,omitzero"`  // since when it flaps; zero: it does not
	Told     Told        `json:"told,omitempty"`     // what a person knows
	Notices  int64       `json:"notices,omitempty"`  // number of the latest notice, in its key: it grows and is at least the notice's Unix time
	ToldAt   time.Time   `json:"told_at,omitzero"`   // of the latest notice or reminder
	Repeated time.Time   `json:"repeated,omitzero"`  // of the latest repetition on the second channel
	Held     bool        `json:"held,omitempty"`     // it fired in quiet hours: the digest in the morning tells it
	Root     string      `json:"root,omitempty"`     // key of the open alert that explains it; then it is not told
	RootGone time.Time   `json:"root_gone,omitzero"` // when that was over: an alert that was not told gets a grace time
	Acked    time.Time   `json:"acked,omitzero"`     // when a person acknowledged it: no more reminders
	AckedBy  string      `json:"acked_by,omitempty"`
	Unacked  time.Time   `json:"unacked,omitzero"` // when an acknowledgement was withdrawn last
	Version  int64       `json:"-"`                // counts the writes in the store
}

// Told is what a person knows of an alert.
type Told string

// What a person may know of an alert. The zero Told means nothing.
const (
	ToldFiring   Told = "firing"
	ToldFlapping Told = "flapping"
)

// Open reports whether the alert fires, with data or without.
func (s *State) Open() bool { return s.Phase == Firing || s.Phase == Unknown }

// Active reports whether the engine has to look at the alert again: it is open or
// pending, or a person was told something that is no longer true.
func (s *State) Active() bool {
	return s.Open() || s.Phase == Pending || s.Told != "" || !s.Flapping.IsZero()
}

// equal reports whether two states are the same, besides Version.
func (s State) equal(t State) bool { return slices.Equal(s.encode(), t.encode()) }
