// Package past gives a new installation with simulated sensors and example answers a few days
// of history, so that its curves are not empty at the first look. All of it is sample data.
package past

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	day     = 24 * time.Hour
	recent  = time.Hour // a series that began longer ago has a history
	longest = 400 * day // of a history
	atOnce  = 2000      // readings in one write
)

// Fill writes a history before the newest sample reading of each series that has none yet, and
// returns how many readings it wrote.
func Fill(ctx context.Context, st *store.Store, now time.Time) (written int, err error) {
	var errs []error
	for _, m := range catalogue.All() {
		pace, ok := paceOf(m)
		if !ok {
			continue
		}
		newest, err := st.Latest(ctx, m.Name, now.Add(-pace.fresh))
		errs = append(errs, err)
		for _, r := range newest {
			if r.Tags[catalogue.SampleLabel] == "" {
				continue
			}
			n, err := fill(ctx, st, m, r, pace, now)
			written += n
			errs = append(errs, err)
		}
	}
	return written, errors.Join(errs...)
}

// pace is how long and how dense a history is.
type pace struct {
	span, step time.Duration
	fresh      time.Duration // how old the newest reading may be
	weekdays   bool
}

// paceOf returns the pace of a measurement; ok is false if it gets no history: forecasts, counts
// of a month, events.
func paceOf(m catalogue.Measurement) (p pace, ok bool) {
	switch {
	case m.Ahead > 0 || m.Name == "canary" || strings.HasPrefix(m.Name, "github"):
		return pace{}, false
	case m.OfDevices():
		return pace{3 * day, 5 * time.Minute, recent, false}, m.Name != "zigbee_action"
	case m.Day:
		return pace{longest, day, 10 * day, true}, true
	case m.Cadence == 0:
		return pace{30 * day, day, 5 * day, true}, true
	default:
		return pace{3 * day, m.Cadence, 2 * recent, false}, true
	}
}

// fill writes the history of one series, which ends at its newest reading r.
func fill(ctx context.Context, st *store.Store, m catalogue.Measurement, r reading.Reading, p pace, now time.Time) (written int, err error) {
	end := r.Time
	known, err := st.BetweenAtMost(ctx, maxKnown, m.Name, r.Tags, now.Add(-longest-day), end)
	if err != nil && !errors.Is(err, store.ErrTooMany) {
		return 0, err
	}
	if len(known) > 0 {
		end = known[0].Time
	}
	has := p.span - 20*day // a source may have most of a year at its first run
	if p.span < 40*day {
		has = recent
	}
	if errors.Is(err, store.ErrTooMany) || r.Time.Sub(end) > has {
		return 0, nil // it has a history
	}
	var rs []reading.Reading
	flush := func() error {
		n, refused, err := ingest.SavePast(ctx, st, rs, catalogue.Get, now)
		written, rs = written+n, rs[:0]
		return errors.Join(err, errors.Join(refused...))
	}
	c := curveOf(m, r, p)
	for at := end.Add(-p.step); at.After(r.Time.Add(-p.span)); at = at.Add(-p.step) {
		if d := at.UTC().Weekday(); p.weekdays && (d == time.Saturday || d == time.Sunday) {
			continue
		}
		if rs = append(rs, c.at(at)); len(rs) == atOnce {
			if err := flush(); err != nil {
				return written, err
			}
		}
	}
	return written, flush()
}

// maxKnown is how many readings a series without a history has at most.
const maxKnown = 1000
