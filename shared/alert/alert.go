// Package alert decides which messages a person gets about a source's targets: one
// when a target starts to fail, one when it works again. Its functions are pure:
// from the old states and the outcomes of a run they compute the new states and the
// messages. The store keeps the states; package slack sends the messages.
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
