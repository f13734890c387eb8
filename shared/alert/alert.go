// Package alert decides which messages a person gets: one when something goes wrong, one
// when it is right again. From the old state of an alert and what a rule saw, it computes
// the new state and the messages. It does no I/O: the store keeps the states and the
// messages, package notify sends them.
package alert

import (
	"fmt"
	"time"
)

// Span formats a duration for a person: "2 h 15 min". It rounds to minutes, and to
// days from 48 h on.
func Span(d time.Duration) string {
	d = d.Round(time.Minute)
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
