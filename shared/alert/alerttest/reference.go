// Package alerttest says what the alert engine must do, for tests that compare it with
// what it does.
package alerttest

import (
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// Reference says what the alert engine must do with one alert, step by step, in the words
// of its description. It shares no code with the engine.
type Reference struct {
	For, ClearFor, Remind time.Duration
	Critical, Comfort     bool

	Open     bool       // it fires
	Unknown  bool       // its data stopped meanwhile
	Flapping bool       // it changes all the time
	Known    alert.Told // what a person knows
	Acked    bool       // nobody is reminded of it any more

	newest    time.Time // evidence
	bad, good time.Time // since when all evidence was bad, or good; zero: it was not
	gone      bool
	changes   []time.Time

	knownAt  time.Time
	repeated time.Time
	inNight  bool // it began to be untold in a night
	root     bool // explained by one at the latest look
	rootOver time.Time
}

// Evidence is what a rule saw at a time.
func (r *Reference) Evidence(v alert.Verdict, at time.Time) {
	if !at.After(r.newest) {
		return
	}
	if v == alert.NoData { // nothing resolves, nothing fires: both waits begin anew
		r.bad, r.good, r.Unknown = time.Time{}, time.Time{}, r.Open
		return
	}
	r.newest, r.Unknown, r.gone = at, false, false
	if v != alert.Bad {
		r.bad = time.Time{}
	} else if r.bad.IsZero() && !r.Open {
		r.bad = at
	}
	if v != alert.Good {
		r.good = time.Time{}
	} else if r.good.IsZero() && r.Open {
		r.good = at
	}
	r.Elapse(at)
}

// Elapse is that it is t, and that the evidence still holds.
func (r *Reference) Elapse(t time.Time) {
	switch {
	case !r.Open && !r.bad.IsZero() && t.Sub(r.bad) >= r.For:
		r.Open, r.bad, r.good, r.Acked, r.inNight, r.repeated = true, time.Time{}, time.Time{}, false, false, time.Time{}
	case r.Open && !r.Unknown && !r.good.IsZero() && t.Sub(r.good) >= r.ClearFor:
		r.Open, r.good = false, time.Time{}
	default:
		return
	}
	r.changes = append(r.changes, t)
	recent := 0
	for _, c := range r.changes {
		if t.Sub(c) <= time.Hour {
			recent++
		}
	}
	r.Flapping = r.Flapping || recent > 6
}

// Unwatch is that the rule is gone from the settings.
func (r *Reference) Unwatch() {
	if r.Open || r.Flapping {
		r.gone, r.changes = true, nil
	}
	r.Open, r.Unknown, r.Flapping, r.bad, r.good = false, false, false, time.Time{}, time.Time{}
}

// Around is what keeps an alert from being told.
type Around struct {
	Off    bool // nothing is sent
	Muted  bool // a silence or maintenance
	Night  bool // quiet hours
	Root   bool // an open alert explains it
	Away   bool // the house is empty
	Repeat bool // there is a second channel
}

// Tell returns what a person is told at now, and whether with the digest.
func (r *Reference) Tell(a Around, now time.Time) (alert.What, bool) {
	if r.Flapping && (len(r.changes) == 0 || now.Sub(r.changes[len(r.changes)-1]) >= time.Hour) {
		r.Flapping, r.changes = false, nil
	}
	pending := !r.Open && !r.bad.IsZero()
	if !r.Open && !pending {
		r.root, r.rootOver = false, time.Time{}
	} else if a.Root {
		r.root, r.rootOver = true, time.Time{}
	} else if r.root {
		r.root, r.rootOver = false, now
	}
	truth := alert.Told("")
	switch {
	case r.Flapping:
		truth = alert.ToldFlapping
	case r.Open:
		truth = alert.ToldFiring
	}
	night := a.Night && !r.Critical
	switch {
	case a.Off || truth == "" && r.Known == "":
		return "", false
	case truth == "":
		r.inNight = false
		if pending || night {
			return "", false
		}
		r.Known, r.knownAt = "", now
		if r.gone {
			return alert.Unwatched, false
		}
		return alert.Ended, false
	case a.Muted || a.Away && r.Comfort:
		return "", false
	case r.Known == "" && (r.root || !r.rootOver.IsZero() && now.Sub(r.rootOver) < 10*time.Minute):
		return "", false
	case night:
		r.inNight = r.inNight || r.Known == ""
		return "", false
	}
	digest := r.inNight
	switch {
	case truth != r.Known:
		r.Known, r.knownAt, r.inNight = truth, now, false
		return map[alert.Told]alert.What{alert.ToldFiring: alert.Fired, alert.ToldFlapping: alert.Flaps}[truth], digest
	case r.Flapping || r.Acked:
	case r.Remind > 0 && now.Sub(r.knownAt) >= r.Remind:
		r.knownAt, r.inNight = now, false
		return alert.Reminder, false
	case a.Repeat && r.Critical && now.Sub(r.lastRepeat()) >= 4*time.Minute+30*time.Second: // a tick comes once a minute
		r.repeated = now
		return alert.Repeat, false
	}
	return "", false
}

func (r *Reference) lastRepeat() time.Time {
	if r.repeated.After(r.knownAt) {
		return r.repeated
	}
	return r.knownAt
}
