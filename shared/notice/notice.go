// Package notice decides what a person is told of a source: once when a target
// starts to fail, once when it works again. It is pure; the store remembers
// and package slack sends.
package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// Change is a target that started to fail, or works again.
type Change struct {
	Target  string
	Failing bool
	Since   time.Time // when it started to fail
	Reason  string    // of the failure
}

// Next returns the state of a target after a run that failed for reason, or
// worked (""), and the change to tell, if any. A failure is told once it has
// lasted for patience; a recovery is told if the failure was.
func Next(s store.TargetState, reason string, patience time.Duration, now time.Time) (store.TargetState, *Change) {
	if reason == "" {
		next := store.TargetState{Target: s.Target, LastOK: now}
		if s.Told {
			return next, &Change{s.Target, false, s.Failing, s.Reason}
		}
		return next, nil
	}
	if s.Failing.IsZero() {
		s.Failing = now
	}
	s.Reason = reason
	if s.Told || now.Sub(s.Failing) < patience {
		return s, nil
	}
	s.Told = true
	return s, &Change{s.Target, true, s.Failing, reason}
}

// Messages makes at most two messages of the changes of one run: what fails,
// and what works again. Targets with the same reason share a line.
func Messages(function, run, channel string, changes []Change, now time.Time) []store.Message {
	var out []store.Message
	add := func(kind, text string) {
		out = append(out, store.Message{Key: "source/" + function + "/" + run + "/" + kind, Channel: channel, Text: text, Created: now})
	}
	if lines := group(changes, true, func(c Change) string { return c.Reason }); len(lines) > 0 {
		add("failing", fmt.Sprintf(":red_circle: %s is failing\n%s", function, strings.Join(lines, "\n")))
	}
	if lines := group(changes, false, func(c Change) string {
		return fmt.Sprintf("works again after %s", Span(now.Sub(c.Since)))
	}); len(lines) > 0 {
		add("working", fmt.Sprintf(":large_green_circle: %s works again\n%s", function, strings.Join(lines, "\n")))
	}
	return out
}

func group(changes []Change, failing bool, say func(Change) string) []string {
	var order []string
	targets := map[string][]string{}
	for _, c := range changes {
		if c.Failing != failing {
			continue
		}
		text := say(c)
		if !slices.Contains(order, text) {
			order = append(order, text)
		}
		targets[text] = append(targets[text], c.Target)
	}
	for i, text := range order {
		order[i] = strings.Join(targets[text], ", ") + ": " + text
	}
	return order
}

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
