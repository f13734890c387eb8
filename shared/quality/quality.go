// Package quality judges what sensors say: how far a value can be trusted, and
// by how much a counter rose. It is pure: what was good before and the next
// value in, a verdict out.
package quality

// Quality says how far a reading can be trusted.
type Quality string

// The qualities, as the edge writes them.
const (
	OK            Quality = "ok"
	WarmingUp     Quality = "warming_up"
	Suspect       Quality = "suspect"
	ClockUnsynced Quality = "clock_unsynced"
)

// Known reports whether q is one of them.
func (q Quality) Known() bool { return q == OK || q.Code() != 0 }

// Code is what stands in the field quality_code of a reading: 0 ok, 1 warming
// up, 2 suspect, 3 clock not set.
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
