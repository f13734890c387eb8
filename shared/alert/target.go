package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is how a run of a source ended for one of its targets.
type Outcome struct {
	Target   string
	Reason   string        // of a failure; "": it worked
	Patience time.Duration // how long it may fail so before anybody is told
}

// Run is a run of a source.
type Run struct {
	Function string
	ID       string
	Channel  string // where its failures are told
	Mute     bool   // nobody is told: Slack is not set up, or it ran on sample data
}

// Targets returns what the outcomes of a run at some time make of what is
// remembered of its targets, and the messages of it: at most two, of what fails
// and of what works again. now is when they are written.
func (r Run) Targets(before map[string]TargetState, outcomes []Outcome, at, now time.Time) ([]TargetState, []Message) {
	var states []TargetState
	var changes []change
	for _, o := range outcomes {
		old := before[o.Target]
		old.Target = o.Target
		state, c := next(old, o, at)
		if r.Mute {
			state.Told, c = old.Told && !state.Failing.IsZero(), nil
		}
		states = append(states, state)
		if c != nil {
			changes = append(changes, *c)
		}
	}
	return states, r.messages(changes, now)
}

// change is a target that fires or is resolved.
type change struct {
	target string
	firing bool
	since  time.Time // when it started to fail
	reason string    // of the failure
}

// next returns the state of a target after an outcome, and the change to tell, if
// any. A failure is pending until it has lasted for the outcome's patience, then
// it fires; it is resolved by a run that works, and that is told if it fired.
func next(s TargetState, o Outcome, now time.Time) (TargetState, *change) {
	if o.Reason == "" {
		works := TargetState{Target: s.Target, LastOK: now}
		if s.Told {
			return works, &change{s.Target, false, s.Failing, s.Reason}
		}
		return works, nil
	}
	if s.Failing.IsZero() {
		s.Failing = now
	}
	s.Reason = o.Reason
	if s.Told || now.Sub(s.Failing) < o.Patience {
		return s, nil
	}
	s.Told = true
	return s, &change{s.Target, true, s.Failing, o.Reason}
}

// messages makes at most two messages of the changes: what fails, and what works
// again. Targets with the same reason share a line.
func (r Run) messages(changes []change, now time.Time) []Message {
	var out []Message
	add := func(kind, text string) {
		out = append(out, Message{Key: "source/" + r.Function + "/" + r.ID + "/" + kind, Channel: r.Channel, Text: text, Created: now})
	}
	if lines := group(changes, true, func(c change) string { return c.reason }); len(lines) > 0 {
		add("failing", fmt.Sprintf(":red_circle: %s is failing\n%s", r.Function, strings.Join(lines, "\n")))
	}
	if lines := group(changes, false, func(c change) string {
		return fmt.Sprintf("works again after %s", Span(now.Sub(c.since)))
	}); len(lines) > 0 {
		add("working", fmt.Sprintf(":large_green_circle: %s works again\n%s", r.Function, strings.Join(lines, "\n")))
	}
	return out
}

// group returns a line for each text, with the targets that it is said of.
func group(changes []change, firing bool, say func(change) string) []string {
	var order []string
	targets := map[string][]string{}
	for _, c := range changes {
		if c.firing != firing {
			continue
		}
		text := say(c)
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
