package rollup

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

const (
	newest    = 2 * day         // dirty hours that come before the history
	stepTime  = 6 * time.Second // for one step
	goodTime  = 2 * time.Second // a step that takes longer makes the next one shorter
	firstSpan = 8 * time.Hour   // of the first step; if it is fast, the next one spans more
	longest   = 30 * day        // of few readings
	shortest  = time.Hour
	manyRows  = 100_000 // of a step

	mostFailed = 3 // hours of a measurement in a tick
)

// recent rolls up the newest hours of the measurements that have no backlog, so that a long
// history of others does not delay them.
func (t *tick) recent(ctx context.Context) error {
	for _, m := range t.all {
		if t.due.Sub(m.state.Upto) > newest || m.state.Dirty == 0 && !m.state.Upto.Before(t.due) {
			continue
		}
		m.cursor = t.due.Add(-newest)
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = t.step(ctx, m); err != nil {
				if err := t.fail(ctx, m, err); err != nil {
					return err
				}
				break
			}
		}
		m.cursor = ever
	}
	return nil
}

// history rolls up the rest: a step of the measurement that has most left to do, again and
// again.
func (t *tick) history(ctx context.Context) error {
	for ctx.Err() == nil {
		m := t.furthest()
		if m == nil || !enough(ctx, m.took) {
			return nil
		}
		more, err := t.step(ctx, m)
		if err != nil {
			if err := t.fail(ctx, m, err); err != nil {
				return err
			}
		}
		m.stopped = m.stopped || !more
	}
	return nil
}

// furthest returns the measurement that has most left to do; nil if all is done.
func (t *tick) furthest() (most *measurement) {
	for _, m := range t.all {
		if left := remaining(m.state, t.now); left > 0 && !m.stopped && (most == nil || left > remaining(most.state, t.now)) {
			most = m
		}
	}
	return most
}

// enough reports whether ctx has so much time left.
func enough(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) > d
}

// step rolls up the oldest dirty hours from the cursor on. more is false if there are none.
func (t *tick) step(ctx context.Context, m *measurement) (more bool, err error) {
	claim := rand.Text()
	hours, err := t.claim(ctx, m, claim)
	if err != nil || len(hours) == 0 {
		return false, err
	}
	own, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	began := time.Now()
	rows, err := t.roll(own, m, claim, hours)
	m.took = time.Since(began)
	if span := t.span(m); err != nil || m.took > goodTime || rows > manyRows {
		t.spans[m.name] = max(span/2, shortest)
	} else if m.took < goodTime/3 && rows < manyRows/3 {
		t.spans[m.name] = min(span*2, longest)
	}
	if err != nil {
		return t.passOver(ctx, m, hours, err)
	}
	t.done.hours += len(hours)
	m.state.Dirty -= len(hours)
	m.cursor = hours[len(hours)-1].Add(time.Hour)
	return true, nil
}

// passOver decides what follows an error: fewer hours, and if it is only one already, the
// next. A few such hours in a tick stop the measurement, as does a store that is down.
func (t *tick) passOver(ctx context.Context, m *measurement, hours []time.Time, err error) (more bool, _ error) {
	switch {
	case ctx.Err() != nil || t.st.Ping(ctx) != nil:
		return false, err
	case len(hours) > 1:
		return true, nil
	}
	err = fmt.Errorf("the hour from %s: %w", hours[0].Format("2006-01-02 15:04"), err)
	if m.failed++; m.failed == mostFailed {
		return false, err
	}
	t.failed = append(t.failed, fmt.Errorf("%s: %w", m.name, err))
	m.cursor = hours[0].Add(time.Hour)
	return true, nil
}

// span returns how much of a measurement is rolled up in one step.
func (t *tick) span(m *measurement) time.Duration {
	if t.spans == nil {
		t.spans = map[string]time.Duration{}
	}
	if t.spans[m.name] == 0 {
		t.spans[m.name] = firstSpan
	}
	return t.spans[m.name]
}

// claim claims the oldest dirty hours from the cursor on. If there are none, it advances
// the measurement and claims the hours that have become dirty by it.
func (t *tick) claim(ctx context.Context, m *measurement, claim string) ([]time.Time, error) {
	state, dirty, ok, err := t.st.RolledOf(ctx, m.name, m.cursor, t.due)
	if err != nil || !ok {
		return nil, err
	}
	m.state.Upto, m.state.Raw, m.state.Fine = state.Upto, state.Raw, state.Fine
	if len(dirty) > 0 {
		return t.st.ClaimDirty(ctx, m.name, claim, dirty[0], earlier(dirty[0].Add(t.span(m)), t.due))
	}
	if !state.Upto.Before(t.due) {
		return nil, nil
	}
	to := earlier(state.Upto.Add(t.span(m)), t.due)
	if ok, err = t.st.AdvanceRollups(ctx, m.name, state.Upto, to); err != nil || !ok {
		return nil, err // not ok: another roller did it
	}
	m.state.Upto, m.state.Dirty = to, m.state.Dirty+int(to.Sub(state.Upto)/time.Hour)
	return t.st.ClaimDirty(ctx, m.name, claim, state.Upto, to)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
