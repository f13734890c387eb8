package alert

import (
	"time"
)

// reference says what the alert engine must do, step by step, in the words of its
// description. It shares no code with the engine.
type reference struct {
	wait, clearWait, remind time.Duration
	critical, comfort       bool

	newest    time.Time // evidence
	bad, good time.Time // since when all evidence was bad, or good; zero: it was not
	open      bool
	unknown   bool
	gone      bool
	changes   []time.Time
	flaps     bool

	known    Told
	knownAt  time.Time
	repeated time.Time
	acked    bool
	inNight  bool // it began to be untold in a night
	root     bool // explained by one at the latest look
	rootOver time.Time
}

// evidence is what a rule saw at a time.
func (r *reference) evidence(v Verdict, at time.Time) {
	if !at.After(r.newest) {
		return
	}
	if v == NoData { // nothing resolves, nothing fires: both waits begin anew
		r.bad, r.good, r.unknown = time.Time{}, time.Time{}, r.open
		return
	}
	r.newest, r.unknown, r.gone = at, false, false
	if v != Bad {
		r.bad = time.Time{}
	} else if r.bad.IsZero() && !r.open {
		r.bad = at
	}
	if v != Good {
		r.good = time.Time{}
	} else if r.good.IsZero() && r.open {
		r.good = at
	}
	r.elapse(at)
}

// elapse is that it is t, and that the evidence still holds.
func (r *reference) elapse(t time.Time) {
	switch {
	case !r.open && !r.bad.IsZero() && t.Sub(r.bad) >= r.wait:
		r.open, r.bad, r.good, r.acked, r.inNight, r.repeated = true, time.Time{}, time.Time{}, false, false, time.Time{}
	case r.open && !r.unknown && !r.good.IsZero() && t.Sub(r.good) >= r.clearWait:
		r.open, r.good = false, time.Time{}
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
	r.flaps = r.flaps || recent > 6
}

// unwatch is that the rule is gone from the settings.
func (r *reference) unwatch() {
	if r.open || r.flaps {
		r.gone, r.changes = true, nil
	}
	r.open, r.unknown, r.flaps, r.bad, r.good = false, false, false, time.Time{}, time.Time{}
}

// around is what keeps an alert from being told.
type around struct{ off, muted, night, root, away, repeat bool }

// tell returns what a person is told at now, and whether with the digest.
func (r *reference) tell(a around, now time.Time) (What, bool) {
	if r.flaps && (len(r.changes) == 0 || now.Sub(r.changes[len(r.changes)-1]) >= time.Hour) {
		r.flaps, r.changes = false, nil
	}
	pending := !r.open && !r.bad.IsZero()
	if !r.open && !pending {
		r.root, r.rootOver = false, time.Time{}
	} else if a.root {
		r.root, r.rootOver = true, time.Time{}
	} else if r.root {
		r.root, r.rootOver = false, now
	}
	truth := Told("")
	switch {
	case r.flaps:
		truth = ToldFlapping
	case r.open:
		truth = ToldFiring
	}
	night := a.night && !r.critical
	switch {
	case a.off || truth == "" && r.known == "":
		return "", false
	case truth == "":
		r.inNight = false
		if pending || night {
			return "", false
		}
		r.known, r.knownAt = "", now
		if r.gone {
			return Unwatched, false
		}
		return Ended, false
	case a.muted || a.away && r.comfort:
		return "", false
	case r.known == "" && (r.root || !r.rootOver.IsZero() && now.Sub(r.rootOver) < 10*time.Minute):
		return "", false
	case night:
		r.inNight = r.inNight || r.known == ""
		return "", false
	}
	digest := r.inNight
	switch {
	case truth != r.known:
		r.known, r.knownAt, r.inNight = truth, now, false
		return map[Told]What{ToldFiring: Fired, ToldFlapping: Flaps}[truth], digest
	case r.flaps || r.acked:
	case r.remind > 0 && now.Sub(r.knownAt) >= r.remind:
		r.knownAt, r.inNight = now, false
		return Reminder, false
	case a.repeat && r.critical && now.Sub(later(r.repeated, r.knownAt)) >= 5*time.Minute:
		r.repeated = now
		return Repeat, false
	}
	return "", false
}
