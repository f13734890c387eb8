package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Outcome is how a run of a source ended for one of its targets.
type Outcome struct {
	Target     string
	Reason     string        // of a failure; "": the target worked
	Cause      string        // the kind of a cause that the owner can mend, one word; "": nobody can, as an upstream that is down
	AlertAfter time.Duration // how long the target must keep failing before an alert
}

// Run identifies a run of a source and where its messages go.
type Run struct {
	Function string
	ID       string
	Channel  Channel // of the messages
	Mute     bool    // no messages: Slack is not configured, or the run used sample data
}

// Targets returns the new state of each target in outcomes, and at most three
// messages: one for the targets that start to fail, one for those that now fail for
// another cause, which the owner can mend, and one for those that work again. before has the old states by target. The outcomes are of time at; the
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
			if state.Causes = old.Causes; !state.Alerted {
				state.Causes = nil
			}
		}
		states = append(states, state)
		if c != nil {
			changes = append(changes, *c)
		}
	}
	return states, r.messages(changes, now)
}

// Unwatched returns the message about the targets whose failure was reported and that are not
// fetched any more, because of why; nil if there are none.
func (r Run) Unwatched(before map[string]TargetState, why string, now time.Time) []Message {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if t := before[name]; t.Alerted {
			lines = append(lines, name+": it was failing: "+t.Reason)
		}
	}
	if len(lines) == 0 || r.Mute {
		return nil
	}
	text := fmt.Sprintf(":white_circle: %s is not fetched any more: %s\n%s", r.Function, why, strings.Join(lines, "\n"))
	return []Message{{Key: fmt.Sprintf("source/%s/unwatched/%d", r.Function, now.UnixMicro()), Channel: r.Channel, Text: text, Created: now}}
}

// change is a target whose alert fires or resolves.
type change struct {
	target string
	kind   kind
	since  time.Time // when it started to fail
	reason string    // of the failure
}

// kind is what a change is.
type kind string

const (
	failing kind = "failing"
	changed kind = "changed" // it goes on failing, for a cause that the owner can mend
	working kind = "working"
)

// next returns the state of a target after an outcome at now, and the change to
// report, or nil. A failure is pending until it has lasted for AlertAfter; then it
// fires. A run that works resolves it. The resolution is reported only if the
// failure had fired. Until then each kind of cause that the owner can mend is reported
// once, also if causes alternate.
func next(s TargetState, o Outcome, now time.Time) (TargetState, *change) {
	if o.Reason == "" {
		works := TargetState{Target: s.Target, LastOK: now}
		if s.Alerted {
			return works, &change{s.Target, working, s.Failing, s.Reason}
		}
		return works, nil
	}
	if s.Failing.IsZero() {
		s.Failing = now
	}
	s.Reason = o.Reason
	news := o.Cause != "" && !slices.Contains(s.Causes, o.Cause)
	if s.Alerted && !news || now.Sub(s.Failing) < o.AlertAfter {
		return s, nil
	}
	if news {
		s.Causes = append(slices.Clone(s.Causes), o.Cause)
	}
	c := &change{s.Target, failing, s.Failing, o.Reason}
	if s.Alerted {
		c.kind = changed
	}
	s.Alerted = true
	return s, c
}

// messages returns one message for each kind of the changes. Targets with the same text
// share a line.
func (r Run) messages(changes []change, now time.Time) []Message {
	var out []Message
	reason := func(c change) string { return c.reason }
	for _, m := range []struct {
		kind  kind
		title string
		text  func(change) string
	}{
		{failing, ":red_circle: %s is failing", reason},
		{changed, ":red_circle: %s is still failing, now for another reason", reason},
		{working, ":large_green_circle: %s works again", func(c change) string { return fmt.Sprintf("works again after %s", Span(now.Sub(c.since))) }},
	} {
		if lines := group(changes, m.kind, m.text); len(lines) > 0 {
			text := fmt.Sprintf(m.title, r.Function) + "\n" + strings.Join(lines, "\n")
			out = append(out, Message{Key: "source/" + r.Function + "/" + r.ID + "/" + string(m.kind), Channel: r.Channel, Text: text, Created: now})
		}
	}
	return out
}

// group returns one line for each different text of the changes of a kind: the targets with
// this text, then the text.
func group(changes []change, of kind, textOf func(change) string) []string {
	var order []string
	targets := map[string][]string{}
	for _, c := range changes {
		if c.kind != of {
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
