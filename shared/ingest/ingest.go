// Package ingest is the only package that writes to the store what sources and
// devices bring. It checks readings against the catalogue, then writes in this order:
// items, readings, and in one SQL transaction the device states with their messages
// for Slack. A call that dies in between is repaired by its retry: readings are keyed
// by the source's own time, and states that were not written are computed again.
package ingest

import (
	"github.com/hearth-home/hearth/shared/catalogue"
)

// Lookup returns the declaration of a measurement: catalogue.Get, or that with what
// hearth.yml adds. It is called from one goroutine.
type Lookup func(name string) (catalogue.Measurement, bool)

// Answer is the result for the reports and readings that were added to a batch. Each
// of them counts once: as Stored, as Unchanged, or in Rejected.
type Answer struct {
	Stored    int
	Unchanged int       // duplicates of what is stored, or of another in the same batch
	Rejected  []Refusal // nothing of these is stored
	LeftOut   []Refusal // of these a part is not stored; they are in Stored or Unchanged too
}

// Refusal is the reason why a report or reading, or a part of it, is not stored.
type Refusal struct {
	Index  int // the index that was passed to Add or AddReading
	Reason error
}

// count adds the result for the report or reading of index i. With an error and
// stored, only a part of it was refused.
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
