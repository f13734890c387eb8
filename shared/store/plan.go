package store

import (
	"slices"
	"time"
)

const (
	raggedStep = 2 * Hour // from this length on, windows that roll-ups do not fit in are made of whole hours and of readings at their ends
	shortBody  = 2 * Hour // a shorter span is read faster from readings alone
	fewRuns    = 8        // so many spans of dirty hours are read one after the other
	mostRuns   = 1000     // more are read from their roll-ups as they are
	patchPart  = 250      // patches of one part
	fewRows    = 2        // windows of so few roll-ups are merged here: the databases need longer to group them
)

// part is a span of a query, and what its windows are computed from.
type part struct {
	TimeSpan
	resolution time.Duration // of the roll-ups; 0: readings
	patches    []TimeSpan    // blocks of the span that are computed from readings in place of their roll-up; in order
	dirty      bool          // some patches are dirty
}

// planner divides a query into parts.
type planner struct {
	q       Query
	rolled  Rolled
	dirty   []time.Time // hours, in order
	rawFrom time.Time   // older readings are deleted
	finest  time.Time   // older roll-ups of 5 minutes are deleted
	out     []part
}

// newPlanner returns the planner of a query. Of a measurement of which nothing has expired
// yet, older readings may come.
func newPlanner(q Query, r Rolled, dirty []time.Time) *planner {
	p := &planner{q: q, rolled: r, dirty: dirty, rawFrom: earliest, finest: earliest}
	if r.Raw.Expired.After(r.Since) {
		p.rawFrom = ceil(r.Raw.Expired, Hour)
	}
	if r.Fine.Expired.After(r.Since) {
		p.finest = ceil(r.Fine.Expired, Hour)
	}
	return p
}

// plan returns the parts of the query, in order. They cover its span without overlap.
func (p *planner) plan() []part {
	p.out = nil
	p.withoutReadings(p.q.From, earlier(p.q.To, p.rawFrom))
	p.withReadings(later(p.q.From, p.rawFrom), p.q.To)
	return p.out
}

// add adds a part, unless its span is empty. Readings before and after are one part.
func (p *planner) add(resolution time.Duration, from, to time.Time) {
	if n := len(p.out) - 1; resolution == 0 && n >= 0 && p.out[n].resolution == 0 && from.Before(to) {
		p.out[n].To = to
		return
	}
	p.addPart(part{TimeSpan: TimeSpan{from, to}, resolution: resolution})
}

func (p *planner) addPart(one part) {
	if one.From.Before(one.To) {
		p.out = append(p.out, one)
	}
}

// withoutReadings plans a span whose readings are deleted. Roll-ups of an hour are the
// first choice for windows of whole hours.
func (p *planner) withoutReadings(from, to time.Time) {
	p.add(Hour, from, earlier(to, p.finest))
	if from = later(from, p.finest); !from.Before(to) {
		return
	}
	start, end := ceil(from, Hour), floor(to, Hour)
	if p.resolution() != Hour || !start.Before(end) || len(p.cuts(start, end)) > 0 {
		p.add(FiveMinutes, from, to)
		return
	}
	p.add(FiveMinutes, from, start)
	p.add(Hour, start, end)
	p.add(FiveMinutes, end, to)
}

// resolution returns which roll-ups serve the windows best; 0: none.
func (p *planner) resolution() time.Duration {
	switch {
	case p.q.Step%Hour == 0 || p.q.Step >= raggedStep:
		return Hour
	case p.q.Step%FiveMinutes == 0:
		return FiveMinutes
	default:
		return 0
	}
}

// withReadings plans a span whose readings are kept: from roll-ups where they are complete.
func (p *planner) withReadings(from, to time.Time) {
	unit := p.resolution()
	if unit == 0 {
		p.add(0, from, to)
		return
	}
	start, end := ceil(from, unit), floor(earlier(to, p.rolled.Upto), unit)
	if start = later(start, p.rolled.Since); unit == FiveMinutes {
		start = later(start, p.finest)
	}
	if end.Sub(start) < shortBody {
		p.add(0, from, to)
		return
	}
	p.add(0, from, start)
	p.complete(unit, start, end)
	p.add(0, end, to)
}

// complete plans a span that is rolled up, except dirty hours.
func (p *planner) complete(unit time.Duration, from, to time.Time) {
	runs := p.runs(from, to)
	switch {
	case len(runs) > mostRuns:
		p.patch(unit, from, to, nil)
	case len(runs) > fewRuns:
		p.patch(unit, from, to, runs)
	default:
		for _, run := range runs {
			p.patch(unit, from, run.From, nil)
			p.add(0, run.From, run.To)
			from = run.To
		}
		p.patch(unit, from, to, nil)
	}
}

// runs returns the spans of dirty hours within a span.
func (p *planner) runs(from, to time.Time) (out []TimeSpan) {
	for _, hour := range p.dirty {
		start, end := later(hour, from), earlier(hour.Add(Hour), to)
		if n := len(out) - 1; n >= 0 && out[n].To.Equal(start) {
			out[n].To = end
		} else if start.Before(end) {
			out = append(out, TimeSpan{start, end})
		}
	}
	return out
}

// cuts returns the hours of a span, of whole hours, that a window's start cuts.
func (p *planner) cuts(from, to time.Time) (out []TimeSpan) {
	if p.q.Step < day && p.q.Step%Hour == 0 {
		return nil
	}
	for at := from; ; {
		if _, at = p.q.Window(at); !at.Before(to) {
			return out
		}
		if hour := floor(at, Hour); !hour.Equal(at) {
			out = append(out, TimeSpan{hour, hour.Add(Hour)})
		}
	}
}

// patch plans a span that is rolled up, except the runs. Many patches are divided into
// several parts, so that the memory that a part needs is bounded.
func (p *planner) patch(unit time.Duration, from, to time.Time, runs []TimeSpan) {
	patches := runs
	if unit == Hour {
		patches = union(runs, p.cuts(from, to))
	}
	for len(patches) > patchPart {
		end := patches[patchPart-1].To
		p.addPart(part{TimeSpan{from, end}, unit, patches[:patchPart], len(runs) > 0})
		from, patches = end, patches[patchPart:]
	}
	p.addPart(part{TimeSpan{from, to}, unit, patches, len(runs) > 0})
}

// union returns the spans of both, in order. Spans that overlap or touch become one.
func union(a, b []TimeSpan) (out []TimeSpan) {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b TimeSpan) int { return a.From.Compare(b.From) })
	for _, s := range all {
		if n := len(out) - 1; n >= 0 && !s.From.After(out[n].To) {
			out[n].To = later(out[n].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// ceil returns the first start of a window that is not before t. See floor.
func ceil(t time.Time, step time.Duration) time.Time {
	if start := floor(t, step); start.Before(t) {
		return start.Add(step)
	}
	return t
}
