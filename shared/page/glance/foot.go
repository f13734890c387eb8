package glance

import (
	"cmp"
	"html/template"
	"time"

	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/serve"
)

const (
	maxLate   = 3           // functions that the last line names
	maxReason = 90          // characters of a reason in it
	grace     = time.Minute // that a call may come late
)

// Foot is the last line: how the functions are.
type Foot struct {
	OnTime  string          // "10 pipelines on time"; "": there are none
	Late    []template.HTML // those that are not: "github 40 min late: quota until 15:00"
	More    int             // how many are not in Late
	Samples string          // "6 on sample data"; "": none
}

// Foot says how the functions are. Those that are not configured are left out; guests get
// no names.
func (s Snapshot) Foot() Foot {
	out := Foot{}
	onTime, samples := 0, 0
	for _, f := range s.Status.Functions {
		if f.State == status.Unconfigured {
			continue
		}
		if f.State == status.Sample {
			samples++
		}
		switch why := s.late(f); {
		case why == "":
			onTime++
		case s.Guest() || len(out.Late) == maxLate:
			out.More++
		default:
			out.Late = append(out.Late, why)
		}
	}
	if onTime > 0 {
		out.OnTime = texts.Say("foot.onTime", onTime)
	}
	if samples > 0 && !s.Guest() {
		out.Samples = texts.Say("foot.samples", samples)
	}
	return out
}

// late says what is wrong with a function, "" if nothing is.
func (s Snapshot) late(f status.Function) template.HTML {
	line := func(what, why string) template.HTML {
		out := escaped(f.Name + " " + what)
		if why = cut(why, maxReason); why != "" {
			out += ": " + escaped(why)
		}
		return out
	}
	failure, reason := lastFailure(f)
	switch due := dueOf(f, s.Now); {
	case f.State == status.Broken:
		return line(texts.Say("foot.cannotStart"), f.Reason)
	case f.State == status.Overdue && !due.IsZero():
		return line(texts.Say("foot.late", span(s.Now.Sub(due))), reason)
	case f.State == status.Overdue:
		return line(texts.Say("foot.notSeen", span(s.Now.Sub(f.Seen))), reason)
	case failure != "":
		return line(failure, reason)
	}
	return ""
}

// dueOf returns when a function should have run that was called last at f.Seen; zero if that
// is not known or not over yet.
func dueOf(f status.Function, now time.Time) time.Time {
	plan, err := serve.ParseSchedule(f.Schedule)
	if err != nil || f.Seen.IsZero() {
		return time.Time{}
	}
	if due := plan.Next(f.Seen.UTC()); now.Sub(due) > grace {
		return due
	}
	return time.Time{}
}

// lastFailure returns what the last run did not do, "" if it fetched everything, and why.
func lastFailure(f status.Function) (failure, reason string) {
	if f.Last == nil || f.Last.Status == "running" {
		return "", ""
	}
	if f.Last.Status != "ok" {
		failure = texts.Say("foot.failed")
	}
	reason = f.Last.Error
	for _, o := range f.Last.Outcomes {
		if o.Status == "waiting" {
			failure = cmp.Or(failure, texts.Say("foot.waits"))
		}
		reason = cmp.Or(reason, o.Error)
	}
	if failure == "" {
		return "", ""
	}
	return failure, reason
}
