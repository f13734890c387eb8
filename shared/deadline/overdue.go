// Package deadline decides what is told by the clock: a function whose run is overdue, a
// date at which something ends, a reminder, the message in the morning. It does no I/O; the
// function alert-deadlines calls it.
package deadline

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// Overdue judges whether a function's run is overdue. last is when its newest finished run
// for now began; zero: it has none, and the time of its last call counts.
func Overdue(spec alert.Spec, f store.Function, last time.Time, h *alert.House, now time.Time) alert.Observation {
	o := alert.Observation{Key: spec.Rule + "/" + f.Name, Spec: spec, Subject: alert.Subject{Name: f.Name, Function: f.Name}, Verdict: alert.Good, At: now, LastOK: last}
	if last.IsZero() {
		last = f.LastSeen
	}
	if now.After(last.Add(f.Period + grace(f.Period))) {
		o.Verdict = alert.Bad
	}
	o.Text = fmt.Sprintf("Its last run began at %s. Its schedule is %s: a run every %s.", h.When(last, now), f.Schedule, alert.Span(f.Period))
	return o
}

// grace is how much later than its period a run may be: some runs take long, and calls may
// be missed while a function is deployed.
func grace(period time.Duration) time.Duration {
	return min(max(period/4, 5*time.Minute), time.Hour)
}
