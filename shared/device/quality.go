// Package device keeps what hearth knows of the things in the house while
// messages come in: which physical thing is which device, the last word of each
// metric, and how far a value can be trusted. The store keeps it for ever.
package device

import "strings"

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
func (q Quality) Known() bool { return q == OK || q.code() != 0 }

// code is what stands in the field quality_code.
func (q Quality) code() float64 {
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

// Slug makes a device id of a name: "Living room (left)" becomes
// living-room-left. What is left may be nothing.
func Slug(name string) string {
	const most = 60
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if s, ok := spelt[r]; ok {
			b.WriteString(s)
			gap = false
			continue
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			b.WriteRune(r)
			gap = false
		} else if b.Len() > 0 && !gap {
			b.WriteByte('-')
			gap = true
		}
		if b.Len() >= most {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

var spelt = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'é': "e", 'è': "e", 'à': "a", 'ç': "c", 'ñ': "n", 'å': "a", 'ø': "oe", 'æ': "ae"}
