package store

import (
	"encoding/json"
	"time"
)

// Device is a row of the register of devices. Readings carry only its ID, so its name
// and room may change.
type Device struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"` // edge, node, zigbee, bridge, group, mapped
	Name        string    `json:"name"`
	Room        string    `json:"room,omitempty"`
	ReplacedBy  string    `json:"replaced_by,omitempty"`
	Maintenance time.Time `json:"maintenance,omitzero"` // no alert is sent for the device until then
	Seen        time.Time `json:"seen"`                 // when hearth first saw it
	Publisher   string    `json:"publisher,omitempty"`  // the topic, up to its second level, on which it was first published; "": unknown, or the user named it
}

// DeviceID binds a physical id to a device for a span of time.
type DeviceID struct {
	Physical string          `json:"physical"` // ieee address, name at the edge, topic
	Device   string          `json:"device"`
	Name     string          `json:"name"`  // from the device's source
	About    json.RawMessage `json:"about"` // a description from the device's source, a JSON object
	Since    time.Time       `json:"since"`
	Until    time.Time       `json:"until,omitzero"` // zero: still bound
}

// DeviceState is the latest state of one metric of a device.
type DeviceState struct {
	Device   string    `json:"device"`
	Metric   string    `json:"metric"`
	Value    float64   `json:"value"`
	Text     string    `json:"text,omitempty"` // if not empty, there is no value
	Time     time.Time `json:"time,omitzero"`  // by the source's clock; zero: unknown
	Arrived  time.Time `json:"arrived"`
	Changed  time.Time `json:"changed"` // since when the metric has this value: its source's time, or the arrival if that is unknown
	Quality  string    `json:"quality"` // ok, warming_up, suspect, clock_unsynced
	Reason   string    `json:"reason,omitempty"`
	Retained bool      `json:"retained,omitempty"`
	Good     *float64  `json:"good,omitempty"` // the last value of quality ok
	GoodTime time.Time `json:"good_time,omitzero"`
	Counter  string    `json:"-"` // of a counter: what its next rise depends on beside Good; "": nothing
}

// DeviceRequest asks for the device of a physical id, which is registered if it is new.
type DeviceRequest struct {
	Physical  string
	Kind      string
	Device    string // the id for a new device
	Name      string // from the device's source
	About     json.RawMessage
	Publisher string // of a new device; "": the user named it
}

// DeviceSetting is a user's setting for a device, from hearth.yml.
type DeviceSetting struct {
	Device      string
	Name        string // "": the name from the device's source
	Room        string // "": none
	Kind        string
	Physical    []string  // its physical ids from now on; a device that had one of them is replaced
	Maintenance time.Time // zero: none
}

// Span is a range of sequence numbers of an edge node, both ends included.
type Span struct {
	From, To uint64
	Since    int64 // unix seconds when hearth noticed that they are missing
}

// EdgeSeq is the state of the sequence numbers of one boot of an edge node.
type EdgeSeq struct {
	Node    string    `json:"node"`
	Boot    string    `json:"boot"`
	Started time.Time `json:"started"` // when hearth first saw the boot
	Seen    time.Time `json:"seen"`
	Upto    uint64    `json:"upto"` // every number from 1 to Upto is stored or lost
	Highest uint64    `json:"highest"`
	First   bool      `json:"first"`   // the first boot that hearth has seen of the node: it may have begun before
	Missing uint64    `json:"missing"` // how many numbers are lost: hearth no longer waits for them
	Holes   []Span    `json:"holes"`   // numbers between Upto and Highest that may still come
	Lost    []Span    `json:"lost"`    // the highest ranges of the lost numbers
}

// EdgeArrival is when a reading that has no time of its own first arrived.
type EdgeArrival struct {
	Node, Boot string
	Seq        uint64
	Time       time.Time
}

// DeadLetter is the copy of a connector's dead letter in the store.
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
	Gone     bool      `json:"gone,omitempty"`          // replayed or dropped since
}

// DeviceChange holds the changes of one batch of messages. They are written in one
// transaction.
type DeviceChange struct {
	States []DeviceState // at most one for each device and metric
	Dead   []DeadLetter  // at most one for each id and function
	// Count gets the stored sequence numbers of all boots of Nodes and returns those to
	// write. It may be called again if the transaction is repeated.
	Nodes []string
	Count func([]EdgeSeq) []EdgeSeq
	// Writer is the process that writes for Function. It is empty for processes that do
	// not call ClaimDevices.
	Function, Writer string
}

// Empty reports whether there is nothing to write.
func (c DeviceChange) Empty() bool { return len(c.States)+len(c.Dead)+len(c.Nodes) == 0 }
