package alert

import (
	"fmt"
	"time"
)

const (
	repeatEvery = 5*time.Minute - 30*time.Second // a critical alert that nobody acknowledged, on the second channel: every 5 min, with what a tick of a minute may be late
	graceTime   = 10 * time.Minute               // after a root cause is over, for what depends on it
	clocks      = time.Minute                    // how much the clocks of two machines may differ
)

// Quiet is what keeps an alert from being sent now.
type Quiet struct {
	off     bool      // nothing is sent at all: nothing is configured, or ALERTS_MODE=observe
	Muted   time.Time // end of a silence or of maintenance; past or zero: none
	Night   time.Time // end of the present quiet hours; zero: there are none now
	root    string    // key of an open alert that explains it; "": none
	morning string    // group of the digest after the latest quiet hours
	within  string    // begins the group of other notices; "": they have none
	Comfort bool      // alerts about comfort are not sent: the house is empty
	repeat  bool      // a second channel is configured, on which critical alerts are repeated
}

// What is what a notice says.
type What string

// What a notice may say.
const (
	Fired     What = "fired"
	Ended     What = "resolved"
	Changed   What = "changed"   // it goes on firing, for another cause that the owner can mend
	Reminder  What = "reminder"  // it still fires
	Repeat    What = "repeat"    // it is critical and nobody acknowledged it; only for the second channel
	Flaps     What = "flapping"  // it fires and resolves all the time
	Unwatched What = "unwatched" // its target, device or rule is gone from the settings
	Edited    What = "edited"    // nothing new: the post about it in Slack is drawn again, as a person has acted; Text says what was done
	News      What = "news"      // not an alert: an item of a source, a reminder of the user, a digest
)

// Notice is one thing to tell a person.
type Notice struct {
	Key   string // no other notice has it
	What  What
	Alert State  // as it was then
	group string // notices of a group become one message; "": none
	At    time.Time
}

// tell compares what a person knows with what is true, and returns the notices that
// mend the difference. It changes only what a person was told, so that a call with the
// same arguments tells nothing twice.
//
// What keeps an alert from being told delays it: it is told when that is over, if it
// then still fires. The end of an alert that was told is always told, after quiet hours
// if it ends in them and does not fire again before they end. The end of one that was not
// told is not told.
func (s State) tell(q Quiet, now time.Time) (State, []Notice) {
	s = s.root(q, now)
	if q.off || !s.Active() {
		return s, nil
	}
	night := s.Severity != Critical && !q.Night.IsZero()
	switch over := !s.Open() && s.Flapping.IsZero(); {
	case over && (night || s.Told == "" || s.Phase == Pending):
		s.Held = false
		return s, nil
	case over && s.Gone:
		return s.notice(Unwatched, q.groupOf(Unwatched), now)
	case over:
		return s.notice(Ended, q.groupOf(Ended), now)
	case s.muted(q, now):
		return s, nil
	case night:
		s.Held = s.Held || s.Told == ""
		return s, nil
	}
	return s.tellOpen(q, now)
}

// tellOpen tells an alert that fires or flaps, and that nothing keeps from being told.
func (s State) tellOpen(q Quiet, now time.Time) (State, []Notice) {
	group := q.groupOf
	if s.Held {
		group = func(What) string { return q.morning }
	}
	switch {
	case !s.Flapping.IsZero() && s.Told != ToldFlapping:
		return s.notice(Flaps, group(Flaps), now)
	case !s.Flapping.IsZero():
		return s, nil
	case s.Told != ToldFiring:
		return s.notice(Fired, group(Fired), now)
	case s.NewCause:
		return s.notice(Changed, q.groupOf(Changed), now)
	case !s.Acked.IsZero():
		return s, nil
	case s.Remind > 0 && now.Sub(s.ToldAt) >= s.Remind:
		return s.notice(Reminder, "", now)
	case q.repeat && s.Severity == Critical && now.Sub(later(s.Repeated, s.ToldAt)) >= repeatEvery:
		toldAt := s.ToldAt
		s, notices := s.notice(Repeat, "", now)
		s.Repeated, s.ToldAt = now, toldAt
		return s, notices
	}
	return s, nil
}

// root keeps which open alert explains this one.
func (s State) root(q Quiet, now time.Time) State {
	switch {
	case !s.Open() && s.Phase != Pending:
		s.Root, s.RootGone = "", time.Time{}
	case q.root != "":
		s.Root, s.RootGone = q.root, time.Time{}
	case s.Root != "":
		s.Root, s.RootGone = "", now
	}
	return s
}

// muted reports whether something else than quiet hours keeps an open alert from being
// told.
func (s State) muted(q Quiet, now time.Time) bool {
	grace := !s.RootGone.IsZero() && now.Sub(s.RootGone) < graceTime
	return q.Muted.After(now) || s.Told == "" && (s.Root != "" || grace) || q.Comfort && s.Comfort
}

// groupOf returns the group of a notice that is not part of a digest. What of one group says
// the same of several alerts becomes one message.
func (q Quiet) groupOf(what What) string {
	if q.within == "" {
		return ""
	}
	return q.within + "/" + string(what)
}

// notice returns the notice, and the alert after it.
func (s State) notice(what What, group string, now time.Time) (State, []Notice) {
	if ahead := s.ToldAt.Sub(now); ahead > 0 && ahead <= clocks {
		now = s.ToldAt // of a machine whose clock is ahead: this notice must not come before that one
	}
	s.Notices = max(s.Notices+1, now.Unix()) // not a mere count: the outbox remembers keys for longer than the store an alert that is over
	told := s                                // as the notice shows it: a resolved alert that flapped, for example
	s.Held, s.NewCause, s.ToldAt = false, false, now
	switch what {
	case Flaps:
		s.Told = ToldFlapping
	case Ended, Unwatched:
		s.Told = ""
	default:
		s.Told = ToldFiring
	}
	return s, []Notice{{Key: told.noticeKey(), What: what, Alert: told, group: group, At: now}}
}

func (s State) noticeKey() string { return fmt.Sprintf("%s#%d", s.Key, s.Notices) }

// unwatch ends an alert whose target, device or rule is gone from the settings, for the
// reason why. A person who knew of it is told.
func (s State) unwatch(why string, q Quiet, now time.Time) (State, []Notice) {
	if s.Phase == Pending {
		s = s.settle()
	}
	if s.Open() || !s.Flapping.IsZero() {
		s.Phase, s.Ended, s.Text, s.Gone = Resolved, now, why, true
		s.Clearing, s.Stopped, s.Flapping, s.Changes = time.Time{}, time.Time{}, time.Time{}, nil
	}
	return s.tell(q, now)
}

// Acknowledge stops the reminders of an open alert until it resolves. It changes nothing if
// the alert is acknowledged already, or if that was withdrawn after at.
func (s State) Acknowledge(by string, at time.Time) State {
	if s.Open() && s.Acked.IsZero() && at.After(s.Unacked) {
		s.Acked, s.AckedBy = at, by
	}
	return s
}

// Unacknowledge withdraws an acknowledgement that was made before at.
func (s State) Unacknowledge(at time.Time) State {
	if !s.Acked.IsZero() && at.After(s.Acked) {
		s.Acked, s.AckedBy, s.Unacked = time.Time{}, "", at
	}
	return s
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
