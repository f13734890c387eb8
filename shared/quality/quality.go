// Package quality judges the values of sensors: how far a value can be trusted, and by
// how much a counter rose. It does no I/O: a metric's history and the next value in, a
// verdict out.
package quality

import (
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
)

// Quality says how far a reading can be trusted.
type Quality string

// The qualities, as edge readings carry them on the wire.
const (
	OK            Quality = "ok"
	WarmingUp     Quality = "warming_up"
	Suspect       Quality = "suspect"
	ClockUnsynced Quality = "clock_unsynced"
)

// Known reports whether q is one of the four qualities.
func (q Quality) Known() bool { return q == OK || q.Code() != 0 }

// Code is the value of the field quality_code of a reading: 0 ok, 1 warming up, 2
// suspect, 3 clock not set. An unknown quality is 0.
func (q Quality) Code() float64 {
	switch q {
	case WarmingUp:
		return 1
	case Suspect:
		return 2
	case ClockUnsynced:
		return 3
	}
	return 0
}

// IsSuspect reports whether a field of a reading is marked as suspect: its quality is
// suspect or worse, and its text catalogue.Suspect is "*" or names the field.
func IsSuspect(r reading.Reading, key string) bool {
	if r.Fields[catalogue.Quality] < Suspect.Code() || key == catalogue.Quality {
		return false
	}
	fields := r.Text[catalogue.Suspect]
	return fields == "*" || slices.Contains(strings.Split(fields, ","), key)
}
