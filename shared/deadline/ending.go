package deadline

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// left are the numbers of days before an end at which it is told.
var left = []int{30, 14, 7, 3, 1}

// Ending is something that ends at a date: a certificate, a token, a contract.
type Ending struct {
	Name  string    // for people: router.lan:443
	What  string    // what ends: "The certificate of router.lan:443"
	Begin time.Time // when a certificate became valid; zero: unknown
	End   time.Time
}

// Observe judges an ending by a rule whose alerts are told 30, 14, 7, 3 and 1 days before
// the end. The severity is at least that of the rule: three days before the end a warning,
// a day before critical. A certificate that is valid for less than four times as long as
// one of these is not told then, since it is renewed later than that.
func (e Ending) Observe(spec alert.Spec, h *alert.House, now time.Time) alert.Observation {
	days, level, limit := e.days(zone(h), now), 0, left[0]
	for n, d := range left {
		usual := e.Begin.IsZero() || e.End.Sub(e.Begin) >= 4*time.Duration(d)*day
		if usual && days <= d {
			level, limit = n+1, d
		}
	}
	if !now.Before(e.End) {
		level, limit = len(left)+1, 0
	}
	o := alert.Observation{Key: spec.Rule + "/" + e.Name, Spec: spec, Subject: alert.Subject{Name: e.Name}, Verdict: alert.Good, At: now, Level: level,
		Value: new(float64(days)), Limit: new(float64(limit)), Unit: "days", Below: true, Text: e.text(days, h, now)}
	if level > 0 {
		o.Verdict, o.Severity = alert.Bad, severity(spec.Severity, limit)
	}
	return o
}

// days returns how many midnights lie between now and the end.
func (e Ending) days(z *time.Location, now time.Time) int {
	date := func(t time.Time) time.Time {
		t = t.In(z)
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return int(date(e.End).Sub(date(now)) / day)
}

// text says when it ends.
func (e Ending) text(days int, h *alert.House, now time.Time) string {
	date := e.End.In(zone(h)).Format("2 January 2006")
	switch {
	case !now.Before(e.End):
		return fmt.Sprintf("%s ended on %s.", e.What, date)
	case days == 0:
		return fmt.Sprintf("%s ends today at %s.", e.What, h.When(e.End, now))
	case days == 1:
		return fmt.Sprintf("%s ends tomorrow, on %s.", e.What, date)
	}
	return fmt.Sprintf("%s ends in %d days, on %s.", e.What, days, date)
}

// severity returns the severity so many days before an end.
func severity(least alert.Severity, days int) alert.Severity {
	switch {
	case days <= 1:
		return alert.Critical
	case days <= 3 && least == alert.Info:
		return alert.Warning
	}
	return least
}
