package quality

import "time"

const (
	maxDip  = 0.1  // kWh: a smaller step back is noise, not a reset
	maxRate = 50.0 // kW: a faster rise is suspect
	burst   = 1.0  // kWh that a counter may rise by in any short time
)

// rise classifies the change of a counter from one value to the next.
type rise int

const (
	plausible   rise = iota // no change, or a rise within maxRate
	smallDip                // a step back of at most maxDip
	implausible             // a larger step back, or a faster rise
)

// judgeRise classifies the change of a counter from one value to another, in kWh.
func judgeRise(from, to float64, since time.Duration) rise {
	switch {
	case to >= from && to-from <= maxRate*since.Hours()+burst:
		return plausible
	case to < from && from-to <= maxDip:
		return smallDip
	}
	return implausible
}

// confirmedRise is the consumption, in kWh, between two values whose implausible
// change was confirmed. After a reset the counter began at 0. A smaller step back is a
// correction and adds nothing.
func confirmedRise(from, to float64) float64 {
	switch {
	case to > from:
		return to - from
	case to < from/2:
		return to
	}
	return 0
}
