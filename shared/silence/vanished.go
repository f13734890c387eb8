package silence

import "time"

// Member is a device behind a node or bridge.
type Member struct {
	ID    string
	Last  time.Time     // of its latest report
	Limit time.Duration // how long it may report nothing
}

const (
	fewest = 3               // so many devices that fall silent at once have one cause
	atOnce = 2 * time.Minute // what devices that report faster than this are given
)

// Vanished finds the devices that fell silent at one moment: at least three, and at least
// half of those that would have reported since. It looks at devices from three quarters of
// their limit on, so that the cause is found before each of them is silent. ok is false if
// there are none.
func Vanished(members []Member, now time.Time) (at time.Time, gone []string, ok bool) {
	for _, first := range members {
		if !overdue(first, now) || !at.IsZero() && first.Last.Before(at) {
			continue
		}
		var lost []string
		alive := 0
		for _, m := range members {
			usual := max(m.Limit/multiple, atOnce)
			switch {
			case m.Last.After(first.Last.Add(burst)):
				alive++
			case overdue(m, now) && first.Last.Sub(m.Last) <= usual:
				lost = append(lost, m.ID)
			}
		}
		if len(lost) >= fewest && len(lost) >= alive {
			at, gone, ok = first.Last, lost, true
		}
	}
	return at, gone, ok
}

func overdue(m Member, now time.Time) bool { return 4*now.Sub(m.Last) >= 3*m.Limit }
