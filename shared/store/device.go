package store

import (
	"encoding/json"
	"time"
)

// Device is a row of the register: what one thing in the house is for people.
// Its ID is the only identity on its readings, so names and rooms may change.
type Device struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"` // edge, node, zigbee, bridge, group, mapped
	Name        string    `json:"name"`
	Room        string    `json:"room,omitempty"`
	ReplacedBy  string    `json:"replaced_by,omitempty"`
	Maintenance time.Time `json:"maintenance,omitzero"` // until then nothing is told of it
	Seen        time.Time `json:"seen"`                 // first by hearth
}

// DeviceID says that a physical thing is, or was, a device.
type DeviceID struct {
	Physical string          `json:"physical"` // ieee address, name at the edge, topic
	Device   string          `json:"device"`
	Name     string          `json:"name"`  // what its source calls it
	About    json.RawMessage `json:"about"` // what its source says of it, an object
	Since    time.Time       `json:"since"`
	Until    time.Time       `json:"until,omitzero"` // zero: still
}

// DeviceState is the last word of one metric of a device.
type DeviceState struct {
	Device   string    `json:"device"`
	Metric   string    `json:"metric"`
	Value    float64   `json:"value"`
	Text     string    `json:"text,omitempty"` // if not empty, there is no value
	Time     time.Time `json:"time,omitzero"`  // the source's clock; zero: unknown
	Arrived  time.Time `json:"arrived"`
	Changed  time.Time `json:"changed"` // since when it has this value
	Quality  string    `json:"quality"` // ok, warming_up, suspect, clock_unsynced
	Reason   string    `json:"reason,omitempty"`
	Retained bool      `json:"retained,omitempty"`
	Good     *float64  `json:"good,omitempty"` // the last value of quality ok
	GoodTime time.Time `json:"good_time,omitzero"`
}

// Newer reports that s replaces old: by the source's clock, and where that is
// the same or unknown by arrival.
func (s DeviceState) Newer(old DeviceState) bool {
	if c := micros(s.Time).Compare(micros(old.Time)); c != 0 {
		return c > 0
	}
	return micros(s.Arrived).After(micros(old.Arrived))
}

// DeviceRequest asks which device a physical thing is.
type DeviceRequest struct {
	Physical string
	Kind     string
	Device   string // the id it should have if it is new
	Name     string // what its source calls it
	About    json.RawMessage
}

// DeviceSetting is what a person has decided of a device.
type DeviceSetting struct {
	Device      string
	Name        string // "": what its source calls it
	Room        string // "": none
	Kind        string
	Physical    []string  // what it is now; an earlier device of that physical id is replaced
	Maintenance time.Time // zero: none
}

// Span is a range of an edge node's numbers, both ends included.
type Span struct {
	From, To uint64
	Since    int64 // unix seconds when it was noticed
}

// EdgeSeq is what is known of the numbering of one boot of an edge node.
type EdgeSeq struct {
	Node    string    `json:"node"`
	Boot    string    `json:"boot"`
	Started time.Time `json:"started"` // first seen
	Seen    time.Time `json:"seen"`
	Upto    uint64    `json:"upto"` // all of 1 to Upto is stored or given up
	Highest uint64    `json:"highest"`
	First   bool      `json:"first"`   // of the node's boots: hearth may be younger
	Missing uint64    `json:"missing"` // given up
	Holes   []Span    `json:"holes"`   // between Upto and Highest
	Lost    []Span    `json:"lost"`    // of Missing, as far as remembered
}

// EdgeArrival is when a reading without a clock arrived first.
type EdgeArrival struct {
	Node, Boot string
	Seq        uint64
	Time       time.Time
}

// DeadLetter is the mirror of one in a connector.
type DeadLetter struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    int64     `json:"count"`
	Size     int64     `json:"size"`
	Sample   []byte    `json:"sample_base64,omitempty"` // its first 4 KiB
	Reported time.Time `json:"-"`                       // when the connector's report of it arrived; a later report replaces an earlier one
	Gone     bool      `json:"gone,omitempty"`
}

// DeviceChange is what one batch of messages changes, in one transaction.
type DeviceChange struct {
	States []DeviceState // one for each device and metric
	Dead   []DeadLetter  // one for each id and function
	// Nodes are those whose numbering Count changes. It gets what is known of
	// all their boots that matter and returns what to keep. It may be called
	// again.
	Nodes []string
	Count func([]EdgeSeq) []EdgeSeq
	// Function and Writer say who writes, if it claims devices before it plans.
	Function, Writer string
}

// Empty reports that there is nothing to write.
func (c DeviceChange) Empty() bool { return len(c.States)+len(c.Dead)+len(c.Nodes) == 0 }
