package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is how a run of a source ended for one of its targets.
type Outcome struct {
	Target     string
	Reason     string        // of a failure; "": the target worked
	AlertAfter time.Duration // how long the target must keep failing before an alert
}

// Run identifies a run of a source and where its messages go.
type Run struct {
	Function string
	ID       string
	Channel  string // of the messages
	Mute     bool   // no messages: Slack is not configured, or the run used sample data
}

// Targets returns the new state of each target in outcomes, and at most two
// messages: one for the targets that start to fail and one for those that work
// again. before has the old states by target. The outcomes are of time at; the
// messages are created at now.
//
// A mute run returns no messages and marks no new failure as alerted, so the first run
// that is not mute reports it. The end of a failure in a mute run is never reported.
func (r Run) Targets(before map[string]TargetState, outcomes []Outcome, at, now time.Time) ([]TargetState, []Message) {
	var states []TargetState
	var changes []change
	for _, o := range outcomes {
		old := before[o.Target]
		old.Target = o.Target
		state, c := next(old, o, at)
		if r.Mute {
			state.Alerted, c = old.Alerted && !state.Failing.IsZero(), nil
		}
		states = append(states, state)
		if c != nil {
			changes = append(changes, *c)
		}
	}
	return states, r.messages(changes, now)
}

// change is a target whose alert fires or resolves.
type change struct {
	target string
	firing bool
	since  time.Time // when it started to fail
	reason string    // of the failure
}

// next returns the state of a target after an outcome at now, and the change to
// report, or nil. A failure is pending until it has lasted for AlertAfter; then it
// fires. A run that works resolves it. The resolution is reported only if the
// failure had fired.
func next(s TargetState, o Outcome, now time.Time) (TargetState, *change) {
	if o.Reason == "" {
		working := TargetState{Target: s.Target, LastOK: now}
		if s.Alerted {
			return working, &change{s.Target, false, s.Failing, s.Reason}
		}
		return working, nil
	}
	if s.Failing.IsZero() {
		s.Failing = now
	}
	s.Reason = o.Reason
	if s.Alerted || now.Sub(s.Failing) < o.AlertAfter {
		return s, nil
	}
	s.Alerted = true
	return s, &change{s.Target, true, s.Failing, o.Reason}
}

// messages returns one message for the changes that fire and one for those that
// resolve, if there are any. Targets with the same text share a line.
func (r Run) messages(changes []change, now time.Time) []Message {
	var out []Message
	add := func(kind, text string) {
		out = append(out, Message{Key: "source/" + r.Function + "/" + r.ID + "/" + kind, Channel: r.Channel, Text: text, Created: now})
	}
	if lines := group(changes, true, func(c change) string { return c.reason }); len(lines) > 0 {
		add("failing", fmt.Sprintf(":red_circle: %s is failing\n%s", r.Function, strings.Join(lines, "\n")))
	}
	if lines := group(changes, false, func(c change) string {
		return fmt.Sprintf("works again after %s", span(now.Sub(c.since)))
	}); len(lines) > 0 {
		add("working", fmt.Sprintf(":large_green_circle: %s works again\n%s", r.Function, strings.Join(lines, "\n")))
	}
	return out
}

// group returns one line for each different text of the changes: the targets with
// this text, then the text. It considers only the changes that fire, or only those
// that resolve.
func group(changes []change, firing bool, textOf func(change) string) []string {
	var order []string
	targets := map[string][]string{}
	for _, c := range changes {
		if c.firing != firing {
			continue
		}
		text := textOf(c)
		if !slices.Contains(order, text) {
			order = append(order, text)
		}
		targets[text] = append(targets[text], c.target)
	}
	for i, text := range order {
		order[i] = strings.Join(targets[text], ", ") + ": " + text
	}
	return order
}
