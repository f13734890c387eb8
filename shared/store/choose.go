package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const dirtyPages = 20 // of 1,000 dirty hours; more hours are read from their roll-ups as they are

// Windows returns the windows of q, ordered by series and field. A calendar day has 23
// or 25 hours when the zone's clocks change. More than 500,000 windows are ErrTooMany.
//
// It reads roll-ups where they are faster, and the result is that from readings: readings
// are read where roll-ups are not made yet, where readings came since, and where the start
// of a window cuts a roll-up. Only while more than 1,000 separate spans, or 20,000 hours,
// wait for their roll-ups, some windows may lack what came last. Where readings have
// expired, a roll-up counts to the window in which it starts. Late values, of the last day
// or two before that, are only in roll-ups: windows made of readings lack them. If roll-ups cannot be read,
// but all readings are kept, the windows come from readings. A field whose name contains
// ":" has no roll-ups, and is in the answer only if q names it.
func (s *Store) Windows(ctx context.Context, q Query) ([]WindowSeries, error) {
	q, err := q.checked()
	if err != nil || !q.From.Before(q.To) {
		return nil, err
	}
	if !q.hasRollups() {
		return s.RawWindows(ctx, q)
	}
	for again := true; ; again = false {
		r, dirty, ok, err := s.rolledAndDirty(ctx, q)
		if err != nil {
			return nil, err
		}
		if !ok {
			return s.RawWindows(ctx, q)
		}
		p := newPlanner(q, r, dirty)
		out, err := s.windowsOf(ctx, p)
		if err != nil || !again {
			return out, err
		}
		now, _, _, err := s.RolledOf(ctx, q.Name, q.To, q.To)
		if err != nil || !newPlanner(q, now, nil).hasLost(p) {
			return out, err
		}
	}
}

// hasLost reports whether rows that before plans to read have expired since. They may have
// been deleted before they were read.
func (p *planner) hasLost(before *planner) bool {
	return p.rawFrom.After(later(p.q.From, before.rawFrom)) || p.finest.After(later(p.q.From, before.finest))
}

// rolledAndDirty is RolledOf for the span of q, with more dirty hours.
func (s *Store) rolledAndDirty(ctx context.Context, q Query) (r Rolled, dirty []time.Time, ok bool, err error) {
	from := floor(q.From, Hour)
	for range dirtyPages {
		var more []time.Time
		if r, more, ok, err = s.RolledOf(ctx, q.Name, from, q.To); err != nil || !ok {
			return r, nil, ok, err
		}
		if dirty = append(dirty, more...); len(more) < mostDirty {
			break
		}
		from = more[len(more)-1].Add(Hour)
	}
	return r, dirty, ok, nil
}

// windowsOf reads the parts of a plan.
func (s *Store) windowsOf(ctx context.Context, p *planner) ([]WindowSeries, error) {
	m := newMerger(p.q)
	for _, one := range p.plan() {
		err := s.addPart(ctx, m, one)
		if err == nil {
			continue
		}
		if one.resolution == 0 || p.q.From.Before(p.rawFrom) || errors.Is(err, ErrTooMany) || ctx.Err() != nil {
			return nil, err
		}
		out, failed := s.RawWindows(ctx, p.q)
		if failed != nil {
			return nil, fmt.Errorf("%w; from readings alone: %w", err, failed)
		}
		return out, nil
	}
	return m.sorted(), nil
}

// addPart adds the windows of a part to m.
func (s *Store) addPart(ctx context.Context, m *merger, p part) error {
	switch {
	case p.resolution == 0:
		return s.addRaw(ctx, m, p.From, p.To)
	case len(p.patches) == 0 && m.q.Step > fewRows*p.resolution:
		q := m.q
		q.From, q.To = p.From, p.To
		return s.AggregateRollups(ctx, p.resolution, q, m.add)
	}
	direct, err := s.readingsAreFaster(ctx, m.q, p)
	switch {
	case err != nil:
		return err
	case direct:
		return s.addRaw(ctx, m, p.From, p.To)
	default:
		return s.addPatched(ctx, m, p)
	}
}

// readingsAreFaster reports whether the part is computed faster from its readings alone.
func (s *Store) readingsAreFaster(ctx context.Context, q Query, p part) (bool, error) {
	if len(p.patches) == 0 {
		return false, nil
	}
	q.From, q.To = p.From, p.To
	return s.ReadingsAreFaster(ctx, p.resolution, q, len(p.patches))
}
