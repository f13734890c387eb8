package wire

import "time"

// Answer says what became of the messages of a call that were not simply stored,
// and what the connector is to do besides.
type Answer struct {
	Rejected []Refusal        `json:"rejected"`         // never again: they become dead letters
	Retry    []Refusal        `json:"retry"`            // again alone, later
	Stored   map[string]Place `json:"stored,omitempty"` // by edge node: up to where all is stored
	Replay   []Pick           `json:"replay,omitempty"` // dead letters to try again
	Drop     []Pick           `json:"drop,omitempty"`   // dead letters to remove for good
}

// Refusal is one message and why.
type Refusal struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Unmapped begins the reason of a message of which no mapping, here or in hearth.yml,
// takes a value: a mapping for it can be proposed.
const Unmapped = "no mapping for "

// Place is a position in the numbering of an edge node.
type Place struct {
	Boot string `json:"boot"`
	Seq  uint64 `json:"seq"`
}

// AnyFunction as a pick's Function means the letters of all functions.
const AnyFunction = "*"

// Pick chooses dead letters: those that fit all that is named. One without
// Topic, ID, Reason, Cause and All chooses none.
type Pick struct {
	Topic    string    `json:"topic,omitempty"`    // MQTT filter
	Function string    `json:"function,omitempty"` // "": the one that answers; another, or AnyFunction, only from the function that mirrors the dead letters
	ID       string    `json:"id,omitempty"`
	Reason   string    `json:"reason,omitempty"` // part of it
	Cause    string    `json:"cause,omitempty"`  // the whole reason
	All      bool      `json:"all,omitempty"`    // of the function
	Before   time.Time `json:"before,omitzero"`  // refused last until then; zero: whenever
}

// Reject adds a message that can never be stored as it is.
func (a *Answer) Reject(m *Message, err error) {
	a.Rejected = append(a.Rejected, Refusal{m.ID, err.Error()})
}

// Again adds a message that may be stored later.
func (a *Answer) Again(m *Message, reason string) {
	a.Retry = append(a.Retry, Refusal{m.ID, reason})
}
