package alert

import (
	"slices"
	"testing"
	"time"
)

// TestARiseOfTheLevelIsTold: an alert that grows worse step by step is told at each step,
// also after somebody acknowledged it, and resolves once.
func TestARiseOfTheLevelIsTold(t *testing.T) {
	h := &House{Destinations: []string{ToSlack}}
	now, before := t0, map[string]State{}
	var told []What
	for _, level := range []int{0, 1, 1, 2, 2, 1, 2, 0} {
		now = now.Add(time.Hour)
		o := Observation{Key: "certificate/router", Spec: Spec{Rule: "certificate", Title: "Certificate ends", Severity: Warning}, At: now, Level: level, Verdict: Bad}
		if level == 0 {
			o.Verdict = Good
		}
		changed, messages := h.Move(before, []Observation{o}, now)
		for _, s := range changed {
			before[s.Key] = s.Acknowledge("me", now)
		}
		for _, m := range messages {
			told = append(told, m.What)
			if m.What == Changed && m.Text[:len("Still firing: Certificate ends")] != "Still firing: Certificate ends" {
				t.Errorf("%q", m.Text)
			}
		}
	}
	if want := []What{Fired, Changed, Changed, Ended}; !slices.Equal(told, want) {
		t.Errorf("%v, want %v", told, want)
	}
}

func TestAnAlertThatIsNoLongerWatchedIsToldOnlyToWhoKnowsOfIt(t *testing.T) {
	h := &House{Destinations: []string{ToSlack, ToNtfy}}
	states := []State{{Key: "a", Phase: Firing, Told: ToldFiring, Since: t0}, {Key: "b", Phase: Pending, Since: t0}}
	changed, messages := h.Unwatch(states, "it is not in hearth.yml any more", t0.Add(time.Hour))
	for _, s := range changed {
		if s.Active() {
			t.Errorf("%s is still %s", s.Key, s.Phase)
		}
	}
	a := State{Key: "a", Notices: t0.Add(time.Hour).Unix()}
	if len(changed) != 2 || len(messages) != 2 || messages[0].What != Unwatched || messages[0].Key != a.noticeKey()+"@slack" || messages[1].Key != a.noticeKey()+"@ntfy" {
		t.Errorf("%+v, %+v", changed, messages)
	}
}

func TestNewsGoToEachDestinationUnlessMessagesAreOnlyObserved(t *testing.T) {
	h := &House{Destinations: []string{ToSlack, ToNtfy}}
	for _, c := range []struct {
		mode   Mode
		sample bool
		want   []string
	}{{Send, false, []string{"bins@slack", "bins@ntfy"}}, {Send, true, []string{"bins@page"}}, {Observe, false, nil}} {
		h.Mode = c.mode
		var keys []string
		for _, m := range h.News("bins", Products, "Put the bins out", c.sample, t0) {
			keys = append(keys, m.Key)
		}
		if !slices.Equal(keys, c.want) {
			t.Errorf("%s: %v, want %v", c.mode, keys, c.want)
		}
	}
}
