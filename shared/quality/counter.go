package quality

import "time"

const (
	dip     = 0.1  // kWh: a counter that steps back less is noise
	maxRate = 50.0 // kW: a counter that rises faster is suspect
	spare   = 1.0  // kWh that it may rise by however short the time
)

// rise is what became of a counter between two values.
type rise int

const (
	grew  rise = iota // as much as it can
	noise             // it stepped back a little
	jump              // back or ahead further than it can
)

// judgeRise compares two values of a counter, in kWh.
func judgeRise(from, to float64, since time.Duration) rise {
	switch {
	case to >= from && to-from <= maxRate*since.Hours()+spare:
		return grew
	case to < from && from-to <= dip:
		return noise
	}
	return jump
}

// confirmedRise is what a jump adds once it is believed. After a reset the
// counter began at 0; a smaller step back is a correction and adds nothing.
func confirmedRise(from, to float64) float64 {
	switch {
	case to > from:
		return to - from
	case to < from/2:
		return to
	}
	return 0
}
