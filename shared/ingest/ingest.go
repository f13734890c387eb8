// Package ingest is the one way into the store. What a call brings is checked
// against the catalogue, then written in this order: items, readings, and in one
// SQL transaction what is known of devices and the messages of it. A call that
// dies in between is repaired when it comes again: readings are keyed by the
// source's own time, and states that were not written are planned once more.
package ingest

import (
	"github.com/hearth-home/hearth/shared/catalogue"
)

// Lookup finds the declaration of a measurement: catalogue.Get, or what hearth.yml
// extends it to.
type Lookup func(name string) (catalogue.Measurement, bool)

// Answer says what became of each thing that was given: Stored, Unchanged and
// Rejected add up to them.
type Answer struct {
	Stored    int
	Unchanged int       // stored before, or said already in the same call
	Rejected  []Refusal // nothing of it is stored
	LeftOut   []Refusal // a part of what is stored, which is not
}

// Refusal says why something, or a part of it, is not stored.
type Refusal struct {
	Index  int // of what was given
	Reason error
}

// count adds what became of one thing. Where err is not nil and a part of it is
// stored, only a part was refused.
func (a *Answer) count(i int, stored bool, err error) {
	switch {
	case !stored && err != nil:
		a.Rejected = append(a.Rejected, Refusal{i, err})
		return
	case stored:
		a.Stored++
	default:
		a.Unchanged++
	}
	if err != nil {
		a.LeftOut = append(a.LeftOut, Refusal{i, err})
	}
}
