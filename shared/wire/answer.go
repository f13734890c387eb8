package wire

import (
	"encoding/json"
	"time"
)

// Answer is a function's answer to a batch. The messages that are neither in Rejected
// nor in Retry are stored.
type Answer struct {
	Rejected []Refusal             `json:"rejected"`         // they become dead letters
	Retry    []Refusal             `json:"retry"`            // the connector sends them again later
	Stored   map[string]StoredUpTo `json:"stored,omitempty"` // acknowledgements, by edge node
	Replay   []Pick                `json:"replay,omitempty"` // dead letters that the connector should replay
	Drop     []Pick                `json:"drop,omitempty"`   // dead letters that the connector should remove for good

	Alerts map[string]json.RawMessage `json:"alerts,omitempty"` // states of alerts to publish, by key: JSON objects; null: none any more
}

// Refusal is a message that was not stored, and the reason.
type Refusal struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Unmapped begins the reason for rejecting a message to which no mapping applies,
// built in or in hearth.yml. For such a message, a mapping can be proposed.
const Unmapped = "no mapping for "

// StoredUpTo is an acknowledgement to an edge node: of the boot Boot, all readings up
// to number Seq are stored.
type StoredUpTo struct {
	Boot string `json:"boot"`
	Seq  uint64 `json:"seq"`
}

// AnyFunction as the Function of a Pick selects the dead letters of all functions.
const AnyFunction = "*"

// Pick selects the dead letters that match all its fields. A zero field matches all. A
// Pick must have All, or one of Topic, ID, Reason and Cause; else it is invalid and
// selects none.
type Pick struct {
	Topic    string    `json:"topic,omitempty"`    // MQTT filter
	Function string    `json:"function,omitempty"` // "": the function that answers. Another one, or AnyFunction, is allowed only to the function that mirrors the dead letters
	ID       string    `json:"id,omitempty"`       // of the message
	Reason   string    `json:"reason,omitempty"`   // a part of the reason
	Cause    string    `json:"cause,omitempty"`    // the whole reason
	All      bool      `json:"all,omitempty"`      // all letters of Function
	Before   time.Time `json:"before,omitzero"`    // last refusal at this time or before; zero: any time
}

// Reject adds a message that can never be stored.
func (a *Answer) Reject(m *Message, err error) {
	a.Rejected = append(a.Rejected, Refusal{m.ID, err.Error()})
}

// RetryLater adds a message that can perhaps be stored later.
func (a *Answer) RetryLater(m *Message, reason string) {
	a.Retry = append(a.Retry, Refusal{m.ID, reason})
}
