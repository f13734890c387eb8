package alert

import (
	"encoding/json"
	"slices"
	"time"
)

const (
	flapTime    = time.Hour // the span in which changes are counted, and how long an alert must be calm
	flapChanges = 6         // more changes in flapTime are flapping
)

// observe returns the alert after an observation. Evidence that is not newer than the
// latest one changes nothing. NoData never resolves an alert and never fires one; a
// pending alert waits anew when its data comes back.
func (s State) observe(o Observation) State {
	if !o.At.After(s.Seen) {
		return s
	}
	if o.Verdict == NoData {
		return s.stop(o.At)
	}
	s = s.take(o)
	switch {
	case o.Verdict == Bad && !s.Open() && s.Phase != Pending:
		s.Phase, s.Since = Pending, o.At
		if s.Told == "" {
			s.Worst, s.Causes, s.Level = nil, nil, 0
		}
	case o.Verdict != Bad && s.Phase == Pending:
		s = s.settle()
	case s.Phase == Unknown:
		s.Phase, s.Stopped = Firing, time.Time{}
	}
	switch {
	case o.Verdict != Good:
		s.Clearing = time.Time{}
	case s.Open() && s.Clearing.IsZero():
		s.Clearing = o.At
	}
	if o.Verdict == Bad {
		s.Worst = worse(s.Worst, o.Value, s.Below)
		s = s.cause(o.Cause)
		s.NewCause = s.NewCause || o.Level > s.Level && s.Told == ToldFiring
		s.Level = o.Level
	}
	return s.elapse(o.At)
}

// stop returns the alert after its data stopped at t.
func (s State) stop(t time.Time) State {
	switch s.Phase {
	case Firing:
		s.Phase, s.Stopped, s.Clearing = Unknown, t, time.Time{}
	case Pending:
		return s.settle()
	}
	return s
}

// settle returns a pending alert after its condition ended before it fired: as it was
// before, over or never there.
func (s State) settle() State {
	s.Phase, s.Since = "", time.Time{}
	if !s.Ended.IsZero() {
		s.Phase, s.Since = Resolved, s.Fired
	}
	return s
}

// take copies what an observation says of the rule, the subject and the values.
func (s State) take(o Observation) State {
	if o.Severity == Critical && s.Severity != Critical && s.Told == ToldFiring {
		s.NewCause = true
	}
	s.Gone = false
	s.Key, s.Spec, s.Subject, s.Seen, s.Sample = o.Key, o.Spec, o.Subject, o.At, o.Sample
	s.Text, s.Value, s.Limit, s.Unit, s.Below = o.Text, o.Value, o.Limit, o.Unit, o.Below
	if o.Good != nil || !o.GoodAt.IsZero() {
		s.Good, s.GoodAt = o.Good, o.GoodAt
	}
	if o.Verdict == Good {
		s.Good, s.GoodAt, s.LastOK = o.Value, o.At, o.At
	}
	if !o.LastOK.IsZero() {
		s.LastOK = o.LastOK
	}
	return s
}

// cause keeps the cause of a failure. One that a person does not know of in this episode is
// told.
func (s State) cause(cause string) State {
	if s.Told == "" {
		s.Causes = nil // the first message names the latest
	}
	if cause != "" && !slices.Contains(s.Causes, cause) {
		s.Causes = append(slices.Clone(s.Causes), cause)
		s.NewCause = s.Told == ToldFiring
	}
	return s
}

// elapse returns the alert as of t, if the evidence seen last still holds at t: a
// pending alert fires after For, a firing one whose condition is over resolves after
// ClearFor. Call it only while the data of the alert still comes.
func (s State) elapse(t time.Time) State {
	switch {
	case s.Phase == Pending && t.Sub(s.Since) >= s.For:
		s.Phase, s.Fired, s.Ended, s.Clearing = Firing, t, time.Time{}, time.Time{}
		s.Acked, s.AckedBy, s.Held, s.Repeated = time.Time{}, "", false, time.Time{}
		s.Episode++
		return s.changed(t)
	case s.Phase == Firing && !s.Clearing.IsZero() && t.Sub(s.Clearing) >= s.ClearFor:
		return s.end(t)
	}
	return s
}

func (s State) end(t time.Time) State {
	s.Phase, s.Ended, s.Clearing, s.Stopped = Resolved, t, time.Time{}, time.Time{}
	return s.changed(t)
}

// changed counts a change at t, and finds that the alert flaps.
func (s State) changed(t time.Time) State {
	s.Changes = append(slices.DeleteFunc(slices.Clone(s.Changes), func(c time.Time) bool { return t.Sub(c) > flapTime }), t)
	if len(s.Changes) > flapChanges && s.Flapping.IsZero() {
		s.Flapping = s.Changes[0]
	}
	if n := len(s.Changes); n > 2*flapChanges {
		s.Changes = s.Changes[n-2*flapChanges:]
	}
	return s
}

// calm returns the alert as of now: an hour after its last change it no longer flaps.
func (s State) calm(now time.Time) State {
	if n := len(s.Changes); !s.Flapping.IsZero() && (n == 0 || now.Sub(s.Changes[n-1]) >= flapTime) {
		s.Flapping, s.Changes = time.Time{}, nil
	}
	return s
}

// worse returns the worse of two values; nil is none.
func worse(a, b *float64, below bool) *float64 {
	if a == nil || b != nil && (below && *b < *a || !below && *b > *a) {
		return b
	}
	return a
}

// encode returns the state as the store keeps it.
func (s State) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a State has only types that can be encoded; the rules refuse NaN
	}
	return b
}
