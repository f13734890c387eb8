// Package alert decides what a person is told: once when a condition begins, once
// when it is over. It is pure: what is remembered and what happened in, what to
// remember and what to say out. The store remembers and package slack sends.
package alert

import (
	"fmt"
	"time"
)

// Span writes a duration for a person: "2 h 15 min".
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
